#!/usr/bin/env bash
# Installs what is missing, builds, and compares every kernel on real data. Arguments go to tandem-compare:
#   bench/run.sh                                  the default job (bench/data and a ladder of sizes)
#   bench/run.sh matmul f32:1024x1024x1024        one problem
#   bench/run.sh --help                           all options
# Environment: see cmake/build.sh. Exit code: that of tandem-compare (1 when a kernel is wrong).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dir=$("$root/cmake/build.sh" tandem-compare)

status=0
"$dir/bin/tandem-compare" "$@" || status=$?
if [ $status -eq 0 ]; then
  echo "bench/run.sh: done ($dir/bin/tandem-compare)" >&2
else
  echo "bench/run.sh: tandem-compare failed with exit code $status" >&2
fi
exit $status
