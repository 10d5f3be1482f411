#!/usr/bin/env bash
# Evidence about the profiler itself: builds what it needs, runs it, prints figures. docs/profiling.md records one such
# run.
#   bench/evidence.sh            everything, under ten minutes
#   bench/evidence.sh --quick    20 comparisons instead of 100
# Environment: see cmake/build.sh. Exit code: 0, 1 when a target is not reached.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
runs=100
case "${1:-}" in
  "") ;;
  --quick) runs=20 ;;
  --help | -h)
    sed -n '2,/^[^#]/s/^# //p' "$0"
    exit 0
    ;;
  *) echo "bench/evidence.sh: '$1' is unknown; only --quick is" >&2; exit 2 ;;
esac
dir=$("$root/cmake/build.sh" tandem-compare tandem-evidence tandem-dispatch-bench tandem-ceiling-check tandem-tune)
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

section "ceilings against plain loops that share no code with the library, within 5 %"
measure "$dir/bin/tandem-ceiling-check" 1

section "choices after a tuning of 50 s: mean regret at most 3 %, worst 15 %, error of predictions 15 %, for information"
tuned=$(mktemp -d)
trap 'kill "${burners[@]}" 2>/dev/null || true; rm -rf "$tuned"' EXIT
"$dir/bin/tandem-tune" --file "$tuned/tuning.json" --quiet || status=1
"$dir/bin/tandem-tune" --regret --file "$tuned/tuning.json" --min-time 0.003 || true

exit $status
