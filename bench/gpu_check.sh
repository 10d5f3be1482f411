#!/usr/bin/env bash
# Checks the CUDA side on a machine with an NVIDIA GPU, in under ten minutes: the CUDA tests, the products beside cuBLAS,
# the comparison program and its report, the stages of a call, where the GPU overtakes, and compute-sanitizer. Everything printed and measured goes into a folder.
# Usage: bench/gpu_check.sh [--prebuilt BUILD_DIR] [OUT_DIR]     (default OUT_DIR: build/gpu_check)
#   --prebuilt   use the programs of this build folder instead of building for the GPU found here
# Exit code: 0 when all passed, 1 when something failed, 2 when there is no GPU.
set -uo pipefail
start_dir=$PWD
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

prebuilt=""
if [ "${1:-}" = --prebuilt ]; then
  [ $# -ge 2 ] || { echo "gpu_check: --prebuilt needs a build folder" >&2; exit 1; }
  prebuilt=$(cd "$start_dir" && cd "$2" && pwd) || exit 1
  shift 2
fi
out=${1:-$root/build/gpu_check}
case $out in /*) ;; *) out="$start_dir/$out" ;; esac
mkdir -p "$out" || exit 1

query() { nvidia-smi --query-gpu="$1" --format=csv,noheader 2>/dev/null | head -n 1; }
if ! command -v nvidia-smi >/dev/null; then
  echo "gpu_check: no GPU: nvidia-smi is not installed" >&2
  exit 2
fi
name=$(query name)
capability=$(query compute_cap)
if ! [[ $capability =~ ^[0-9]+\.[0-9]+$ ]]; then
  echo "gpu_check: no GPU: nvidia-smi says: $(nvidia-smi 2>&1 | head -n 1)" >&2
  exit 2
fi
driver=$(query driver_version)
commit=$(git -c safe.directory='*' describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)
date=$(date -u +%Y-%m-%dT%H:%M:%SZ)
began=$SECONDS
budget=570  # seconds; what does not fit is reported as cut off
echo "gpu_check: $name, compute capability $capability, driver $driver, commit $commit"

steps=()
failed=0
step() {  # step <name> <limit in s> <command...>: runs it, keeps its output, notes result and time
  local step=$1 limit=$2 start=$SECONDS status=0 left=$((budget - (SECONDS - began)))
  shift 2
  if [ $left -lt "$limit" ]; then limit=$left; fi
  if [ "$limit" -le 5 ]; then
    status=124
    echo "no time left" >"$out/$step.log"
  else
    timeout "$limit" "$@" >"$out/$step.log" 2>&1 || status=$?
  fi
  local took=$((SECONDS - start)) result=ok
  if [ $status -eq 124 ]; then result="cut off after $took s"; elif [ $status -ne 0 ]; then result="failed ($status)"; fi
  [ $status -eq 0 ] || { failed=1; tail -n 15 "$out/$step.log"; }
  printf 'gpu_check: %-28s %s, %d s\n' "$step" "$result" "$took"
  steps+=("{\"step\":\"$step\",\"exit_code\":$status,\"seconds\":$took}")
  return $status
}

write_summary() {
  local list
  list=$(IFS=,; echo "${steps[*]}")
  printf '{"schema":"tandem-gpu-check/1","device":"%s","compute_capability":"%s","driver":"%s","date":"%s","commit":"%s","passed":%s,"seconds":%d,"steps":[%s]}\n' \
    "$name" "$capability" "$driver" "$date" "$commit" "$([ $failed -eq 0 ] && echo true || echo false)" \
    $((SECONDS - began)) "$list" >"$out/gpu_check.json"
}

if [ -n "$prebuilt" ]; then
  bin="$prebuilt/bin"
else
  export TANDEM_BUILD_DIR="$root/build/gpu-release" TANDEM_CUDA_ARCHITECTURES="${capability/./}-real"
  if ! TANDEM_REQUIRE_CUDA=1 step build 400 cmake/build.sh; then
    write_summary
    exit 1
  fi
  bin="$TANDEM_BUILD_DIR/bin"
fi

export TANDEM_REQUIRE_CUDA=1
step kernel_tests 120 "$bin/tandem_kernel_tests" --gtest_brief=1 --gtest_filter='*cuda*'
# Without the tests of programs, which measure: some of those programs run below.
step cross_tests 120 "$bin/tandem_cross_tests" --gtest_brief=1 --gtest_filter="$(cat tests/cuda/cross_filter)"
if [ -x "$bin/tandem_cuda_tests" ]; then step cuda_tests 120 "$bin/tandem_cuda_tests" --gtest_brief=1; fi
step cublas 90 "$bin/tandem-peer-cublas" --json "$out/cublas.json"
[ -s "$out/cublas.log" ] && cat "$out/cublas.log"
step cublaslt 90 "$bin/tandem-peer-cublaslt" --json "$out/cublaslt.json"
[ -s "$out/cublaslt.log" ] && cat "$out/cublaslt.log"
step compare 120 "$bin/tandem-compare" --kernels 'cuda.*' --quiet --json "$out/compare.json" --markdown "$out/compare.md"
if [ -s "$out/compare.json" ]; then step report 10 "$bin/tandem-report" "$out/compare.json" -o "$out/report.html"; fi
step profile 20 "$bin/tandem-profile" matmul f32:2048x2048x2048 --kernel cuda.matmul.f32.regtiled --json "$out/profile.json" --trace "$out/trace.json"
step break_even 30 "$bin/tandem-explain" matmul f32:512x512x512 --break-even --measure --json "$out/break_even.json"

sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null || true)
if [ -n "$sanitizer" ]; then
  step memcheck 150 "$sanitizer" --tool memcheck --error-exitcode 9 "$bin/tandem_kernel_tests" --gtest_brief=1 --gtest_filter='*cuda*'
  step racecheck 120 "$sanitizer" --tool racecheck --error-exitcode 9 "$bin/tandem_kernel_tests" --gtest_brief=1 --gtest_filter='*cuda*'
else
  echo "gpu_check: compute-sanitizer is not installed: its checks did not run"
  failed=1
  steps+=('{"step":"compute-sanitizer","exit_code":127,"seconds":0}')
fi

write_summary
if [ $failed -eq 0 ]; then
  echo "gpu_check: PASSED in $((SECONDS - began)) s, results in $out"
else
  echo "gpu_check: FAILED after $((SECONDS - began)) s, results in $out"
fi
exit $failed
