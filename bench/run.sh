#!/usr/bin/env bash
# Installs what is missing, builds, and compares every kernel on real data, or a model's compressed variants. Arguments
# go to tandem-compare, after the word "model" to tandem-model; a first "--" is left out:
#   bench/run.sh                                  the default job (bench/data and a ladder of sizes)
#   bench/run.sh matmul f32:1024x1024x1024        one problem
#   bench/run.sh --help                           this
#   bench/run.sh -- --help                        all options of tandem-compare, once it is built
#   bench/run.sh model                            the digits network in all variants
#   bench/run.sh model -- --help                  all options of tandem-model
# Environment: see cmake/build.sh. Exit code: that of the program (1 when a result is wrong).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

help() {  # help <argument>: what stands above, before anything is installed or built
  if [ "$1" = --help ] || [ "$1" = -h ]; then
    sed -n '2,/^[^#]/s/^# //p' "$0"
    exit 0
  fi
}

help "${1:-}"
program=tandem-compare
if [ "${1:-}" = model ]; then
  program=tandem-model
  shift
  help "${1:-}"
  data="$root/bench/data"
  if [ $# -eq 0 ]; then
    set -- "$data/digits.safetensors" --data "$data/digits_images.npy" --labels "$data/digits_labels.npy"
  fi
fi
if [ "${1:-}" = -- ]; then shift; fi
dir=$("$root/cmake/build.sh" $program)

status=0
"$dir/bin/$program" "$@" || status=$?
if [ $status -eq 0 ]; then
  echo "bench/run.sh: done ($dir/bin/$program)" >&2
else
  echo "bench/run.sh: $program failed with exit code $status" >&2
fi
exit $status
