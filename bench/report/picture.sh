#!/usr/bin/env bash
# Makes docs/images/report.png, the picture in the README: measures for half a minute, makes a report, and lets Chromium
# draw the top of it. Usage: bench/report/picture.sh BIN_FOLDER [OUT.png]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=$(cd "$1" && pwd)
out=${2:-$root/docs/images/report.png}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

problems=()
for n in 16 32 64 128 256 512 1024; do problems+=(matmul "f32:${n}x${n}x${n}"); done
for n in 1000 10000 100000 1000000 10000000; do problems+=(relu "f32:$n" gelu_erf "f32:$n"); done
for d in 0.01 0.02 0.05 0.1 0.2 0.5; do problems+=(spmm "csr:512x64x512@$d"); done
for n in 128 256 512; do
  problems+=(matmul "bf16:${n}x${n}x${n}" quantized_matmul "s8:${n}x${n}x${n},per_token,per_channel")
done
"$bin/tandem-compare" digits "${problems[@]}" --min-time 0.02 --quiet --json "$folder/results.json"
(cd "$folder" && "$bin/tandem-report" results.json -o report.html)
python3 "$root/tests/browser/picture.py" "$folder/report.html" "$out" 1280 1660
