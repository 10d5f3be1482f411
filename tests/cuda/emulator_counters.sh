#!/bin/sh
# Counts the memory accesses of CUDA kernels under the CUDA emulator and fails where they are not what the kernels
# claim:
#   emulator_counters.sh RUNNER PROGRAM
# RUNNER runs a program with the emulated runtime; PROGRAM is tandem_cuda_tests. Exit code: 0, 1 when a limit is missed,
# 77 when there is no Python 3.
set -eu
[ $# -eq 2 ] || { echo "usage: $0 RUNNER PROGRAM" >&2; exit 2; }
command -v python3 >/dev/null || { echo "emulator_counters.sh: no python3, left out"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
counts=$(mktemp -d)
trap 'rm -rf "$counts"' EXIT
for capability in 8.0 9.0; do  # some kernels exist on one of them alone
  TANDEM_REQUIRE_CUDA=1 CUDAEMU_CC=$capability CUDAEMU_STATS="$counts/$capability.json" "$1" "$2" \
    --gtest_filter='Counters.*' --gtest_brief=1
done
python3 "$here/check_counters.py" "$counts"/*.json
