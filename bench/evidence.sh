#!/usr/bin/env bash
# Evidence about the profiler itself: builds what it needs, runs it, prints figures. docs/profiling.md records one such run.
#   bench/evidence.sh            everything, under ten minutes
#   bench/evidence.sh --quick    20 comparisons instead of 100
# Environment: see cmake/build.sh. Exit code: 0, 1 when a target is not reached.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
runs=100
case "${1:-}" in
  "") ;;
  --quick) runs=20 ;;
  *) echo "bench/evidence.sh: '$1' is unknown; only --quick is" >&2; exit 2 ;;
esac
dir=$("$root/cmake/build.sh" tandem-compare tandem-evidence tandem-dispatch-bench)
status=0
section() { printf '\n== %s\n' "$1"; }
measure() { "$@" || status=1; }

date -u +'%Y-%m-%dT%H:%M:%SZ'
section "the machine"
"$dir/bin/tandem-compare" relu f32:1000 --kernels auto --min-time 0.01 | sed -n 1,5p

section "verdicts on known differences: own overhead, A/A, planted 5 % and 1 %"
measure "$dir/bin/tandem-evidence" --runs $runs

section "the same with a process that computes beside it on every CPU, for information"
burners=()
trap 'kill "${burners[@]}" 2>/dev/null || true' EXIT
for _ in $(seq "$(nproc)"); do
  (while :; do :; done) &
  burners+=($!)
done
"$dir/bin/tandem-evidence" --runs $((runs / 5)) || true
kill "${burners[@]}" 2>/dev/null || true

section "a cached choice: beyond the kernel, under 300 ns"
measure "$dir/bin/tandem-dispatch-bench"

# Further sections, a line each: what ceilings, regret and scopes are held against.

exit $status
