#!/usr/bin/env bash
# Installs what is missing, configures and builds. Usage: cmake/build.sh [TARGET...]   (default: everything)
# Prints the build folder on standard output, everything else on standard error. Environment:
#   TANDEM_PRESET              preset of CMakePresets.json (default release)
#   TANDEM_BUILD_DIR           build folder (default build/<preset>)
#   TANDEM_CUDA_ARCHITECTURES  compile for these alone, for instance 80-real (default: the release list)
#   TANDEM_UNITY=0             a new build folder compiles each file alone, which suits work on them (default: several at
#                              a time, which takes half as long in all)
#   TANDEM_WERROR=1            warnings are errors
#   TANDEM_REQUIRE_CUDA=1      fail where there is no CUDA compiler
#   JOBS                       parallel jobs (default: all processors)
set -euo pipefail

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  sed -n '2,/^[^#]/s/^# //p' "$0"
  exit 0
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

preset=${TANDEM_PRESET:-release}
dir=${TANDEM_BUILD_DIR:-build/$preset}
jobs=${JOBS:-$(nproc)}

# A second checkout, or a clone made for CI, finds what the first one compiled.
export CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1

say() { printf '%s\n' "$*" >&2; }

cmake/setup.sh

version=$(cmake --version | sed -n '1s/[^0-9]*\([0-9.]*\).*/\1/p')
if [ "$(printf '%s\n3.25\n' "$version" | sort -V | head -n 1)" != 3.25 ]; then
  say "CMake 3.25 or newer is needed, found $version (Debian 12 and Ubuntu 24.04 have a newer one)"
  exit 1
fi

options=()
if [ -n "${TANDEM_CUDA_ARCHITECTURES:-}" ]; then options+=("-DCMAKE_CUDA_ARCHITECTURES=$TANDEM_CUDA_ARCHITECTURES"); fi
if [ ! -e "$dir/CMakeCache.txt" ] && [ "${TANDEM_UNITY:-1}" = 1 ]; then
  options+=(-DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=12)
fi
if [ "${TANDEM_WERROR:-0}" = 1 ]; then options+=(-DTANDEM_WERROR=ON); fi
if [ "${TANDEM_REQUIRE_CUDA:-0}" = 1 ] && [ "$preset" = release ]; then options+=(-DTANDEM_CUDA=ON); fi

mkdir -p "$dir"
log="$dir/configure.log"
if ! cmake --preset "$preset" -B "$dir" ${options[@]+"${options[@]}"} >"$log" 2>&1; then
  cat "$log" >&2
  say "configuring failed (preset $preset, folder $dir)"
  exit 1
fi
sed -n -e 's/^-- \(tandem: .*\)/\1/p' -e '/^CMake Warning/,/^$/p' "$log" >&2
targets=()
if [ $# -gt 0 ]; then targets=(--target "$@"); fi
if ! cmake --build "$dir" -j "$jobs" ${targets[@]+"${targets[@]}"} >&2; then
  say "building failed (preset $preset, folder $dir)"
  exit 1
fi
cd "$dir" && pwd
