#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that building and testing need, as far as they are missing.
# Usage: cmake/setup.sh [PACKAGE...]   (without arguments: all that the README's two commands use)
# Does nothing when all are there. Needs root or sudo otherwise, and says what to run by hand where neither is possible.
set -euo pipefail

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  sed -n '2,4s/^# //p' "$0"
  exit 0
fi

required=(g++ cmake ninja-build pkg-config libhwy-dev libeigen3-dev libcli11-dev nlohmann-json3-dev libfmt-dev libgtest-dev)
optional=(ccache libopenblas-dev python3)  # faster rebuilds; a peer for the comparison; the check of compiled CUDA kernels
if [ $# -gt 0 ]; then
  required=("$@")
  optional=()
fi

say() { printf 'setup: %s\n' "$*" >&2; }

# A program may come from elsewhere than its package.
program_of() {
  case $1 in
    ninja-build) echo ninja ;;
    g++ | cmake | pkg-config | ccache | clang-format | git | python3 | chromium) echo "$1" ;;
  esac
}

present() {
  local program
  program=$(program_of "$1")
  if [ -n "$program" ] && command -v "$program" >/dev/null; then return 0; fi
  command -v dpkg-query >/dev/null && [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=()
missing_optional=()
for package in "${required[@]}"; do present "$package" || missing+=("$package"); done
for package in ${optional[@]+"${optional[@]}"}; do present "$package" || missing_optional+=("$package"); done

if ! command -v apt-get >/dev/null; then
  if [ ${#missing[@]} -gt 0 ]; then
    say "this is no Debian or Ubuntu (no apt-get), so nothing is installed."
    say "If the build stops at something missing, install what these packages hold: ${missing[*]}"
  fi
  exit 0
fi
if [ ${#missing[@]} -eq 0 ] && [ ${#missing_optional[@]} -eq 0 ]; then exit 0; fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    as_root=(false)
  elif [ -t 0 ]; then
    as_root=(sudo)
  else
    as_root=(sudo -n)  # nobody is there to type a password
  fi
fi

apt_get() { ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq "$@" >&2; }

if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${missing[*]}"
  if ! { apt_get update && apt_get install -y --no-install-recommends "${missing[@]}"; }; then
    say "could not install: ${missing[*]}"
    say "Run this as root, then start again:  apt-get update && apt-get install -y ${missing[*]}"
    exit 1
  fi
fi
if [ ${#missing_optional[@]} -gt 0 ]; then
  apt_get install -y --no-install-recommends "${missing_optional[@]}" 2>/dev/null ||
    say "not there and not needed: ${missing_optional[*]}"
fi
