#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests. Arguments go to ctest:
#   tests/run.sh                 all tests
#   tests/run.sh -L quick        those with a label (quick, kernels, cuda)
# CUDA tests that cannot run here are skipped and counted; TANDEM_REQUIRE_CUDA=1 makes that a failure.
# Environment: see cmake/build.sh. Exit code: 0 when all tests passed.
set -euo pipefail

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  sed -n '2,/^[^#]/s/^# //p' "$0"
  exit 0
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dir=$("$root/cmake/build.sh")

# Every test program leaves a report here, and names the kernels that it left out in its output.
reports="$dir/test-reports"
rm -rf "$reports"
mkdir -p "$reports"
status=0
GTEST_OUTPUT="xml:$reports/" ctest --test-dir "$dir" --output-on-failure --no-tests=error "$@" || status=$?

count() { cat "$reports"/*.xml 2>/dev/null | grep -c "$1" || true; }
cases=$(count '<testcase ')
skipped=$(count 'result="skipped"')
if [ "$skipped" -gt 0 ]; then
  echo "skipped cases, by reason:"
  cat "$reports"/*.xml |
    sed -n 's/.*<skipped message="\([^"]*\)".*/\1/p' | sed 's/&#x0A;/ /g; s/&quot;/"/g; s/.*\.\(cpp\|cu\|h\):[0-9]* *//' |
    sort | uniq -c | sort -rn | head -n 20
fi
kernels=$(sed -n '/^[0-9]* kernels skipped:$/,/^[^ 0-9]/s/^  \([^ ]\)/\1/p' "$dir/Testing/Temporary/LastTest.log" 2>/dev/null | sort -u)
skipped_kernels=0
if [ -n "$kernels" ]; then
  skipped_kernels=$(wc -l <<<"$kernels")
  echo "skipped kernels, by reason:"
  sed 's/^[^ ]* *//' <<<"$kernels" | sort | uniq -c
fi
if [ "${TANDEM_REQUIRE_CUDA:-0}" = 1 ] && [ ! -e "$reports/tandem_cuda_tests.xml" ] && [ $# -eq 0 ]; then
  echo "TANDEM_REQUIRE_CUDA=1, but the CUDA tests did not run"
  status=1
fi
sed -n 's/^left out: /left out: /p' "$dir/Testing/Temporary/LastTest.log" 2>/dev/null || true
result=PASSED
if [ $status -ne 0 ]; then result=FAILED; fi
echo "tests/run.sh: $result, $cases cases, $skipped of them skipped, $skipped_kernels kernels skipped ($dir)"
exit $status
