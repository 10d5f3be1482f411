#!/usr/bin/env bash
# Checks the CUDA side on a machine with an NVIDIA GPU, in under ten minutes: the CUDA tests, the products beside
# cuBLAS, the comparison program and its report, the stages of a call, where the GPU overtakes, compute-sanitizer, and
# what Nsight Compute says of the slowest tiled product. Everything printed and measured goes into a folder.
usage='Usage: bench/gpu_check.sh [OPTION...] [OUT_DIR]   (OUT_DIR: build/gpu_check)
  --prebuilt BUILD_DIR   use the programs of this build folder instead of building for the GPU found here
  --steps GLOB|GLOB...   only the steps of these names, for instance "*_tests|memcheck"
  --step-limit SECONDS   no step longer than that; what takes longer is cut off
Exit code: 0 when all passed, 1 when something failed or was cut off, 2 when there is no GPU.'
set -uo pipefail
start_dir=$PWD
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
refuse() { echo "gpu_check: $1" >&2; exit 1; }

prebuilt=""
wanted="*"
longest=600
out=$root/build/gpu_check
while [ $# -gt 0 ]; do
  case $1 in
    --help) echo "$usage"; exit 0 ;;
    --prebuilt)
      [ $# -ge 2 ] || refuse "--prebuilt needs a build folder"
      prebuilt=$(cd "$start_dir" && cd "$2" && pwd) || exit 1
      shift ;;
    --steps)
      [ -n "${2:-}" ] || refuse "--steps needs names of steps"
      wanted=$2
      shift ;;
    --step-limit)
      [[ ${2:-} =~ ^[1-9][0-9]{0,3}$ ]] || refuse "--step-limit needs a number of seconds"
      longest=$2
      shift ;;
    -*) refuse "'$1' is unknown (--help shows the options)" ;;
    /*) out=$1 ;;
    *) out=$start_dir/$1 ;;
  esac
  shift
done
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
json_text() { local text=${1//\\/\\\\}; printf '"%s"' "${text//\"/\\\"}"; }

note() {  # note <name> <exit code> <seconds> <result>: a line of the summary, printed too
  printf 'gpu_check: %-28s %s, %d s\n' "$1" "$4" "$3"
  steps+=("{\"step\":\"$1\",\"result\":$(json_text "$4"),\"exit_code\":$2,\"seconds\":$3}")
}

# Whether a step was asked for.
asked() {
  local name=$1 glob
  while IFS= read -r glob; do
    # shellcheck disable=SC2053
    [[ $name == $glob ]] && return 0
  done <<<"${wanted//|/$'\n'}"
  return 1
}

step() {  # step <name> <limit in s> <command...>: runs it, keeps its output, notes result and time
  local step=$1 limit=$2 start=$SECONDS status=0 left=$((budget - (SECONDS - began)))
  shift 2
  asked "$step" || return 0
  if [ "$limit" -gt "$longest" ]; then limit=$longest; fi
  if [ "$left" -lt "$limit" ]; then limit=$left; fi
  if [ "$left" -le 5 ]; then
    status=124
    echo "no time left" >"$out/$step.log"
  else
    # A program that waits for the GPU may hear no first signal. What bash says of one that was killed is not wanted.
    { timeout --kill-after=3 "$limit" "$@" >"$out/$step.log" 2>&1; } 2>/dev/null || status=$?
  fi
  local took=$((SECONDS - start)) result=ok
  if [ $status -eq 124 ] || { [ $status -eq 137 ] && [ $took -ge "$limit" ]; }; then
    result="cut off after $took s"
  elif [ $status -ne 0 ]; then
    result="failed ($status)"
  fi
  [ $status -eq 0 ] || { failed=1; tail -n 15 "$out/$step.log"; }
  note "$step" $status $took "$result"
  return $status
}

# sharded <folder> <command...>: a program of tests as several processes side by side, each with a part of its cases,
# since what takes the time is to compute the expected values on the CPU. Prints what each said, those that failed last.
# The folder stays when the step is cut off.
sharded() {
  local parts=$1 pids=() status=0 shard
  shift
  rm -rf "$parts"  # of a run that was cut off
  mkdir -p "$parts" || return 1
  for ((shard = 0; shard < shards; shard++)); do
    GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$shard "$@" >"$parts/$shard" 2>&1 &
    pids+=($!)
  done
  for ((shard = 0; shard < shards; shard++)); do
    wait "${pids[shard]}" || { status=$?; mv "$parts/$shard" "$parts/failed.$shard"; }
  done
  cat "$parts"/*
  rm -r "$parts"
  return $status
}
export -f sharded
shards=$(nproc)
if [ "$shards" -gt 12 ]; then shards=12; fi
export shards

sharded_step() {  # sharded_step <name> <limit in s> <command...>
  local name=$1 limit=$2
  shift 2
  step "$name" "$limit" bash -c 'sharded "$@"' sharded "$out/$name.shards" "$@"
}

write_summary() {
  local list
  list=$(IFS=,; echo "${steps[*]}")
  printf '{"schema":"tandem-gpu-check/1","device":%s,"compute_capability":"%s","driver":%s,"date":"%s","commit":"%s",' \
    "$(json_text "$name")" "$capability" "$(json_text "$driver")" "$date" "$commit" >"$out/gpu_check.json"
  printf '"passed":%s,"seconds":%d,"steps":[%s]}\n' \
    "$([ $failed -eq 0 ] && echo true || echo false)" $((SECONDS - began)) "$list" >>"$out/gpu_check.json"
}

# A tool of the toolkit, on the path or where that is usually installed; empty: nowhere.
tool() { command -v "$1" || ls "/usr/local/cuda/bin/$1" 2>/dev/null || true; }

# "op problem kernel" of the measured row that reaches the least part of its ceiling, among products of a size that
# fills the device with kernels that tile in registers or use tensor cores.
slowest_tiled() {
  awk -F'"' '
    function value(line) { sub(/^[^:]*: */, "", line); sub(/,$/, "", line); return line }
    /^ *"op":/ { op = $4 }
    /^ *"problem":/ { problem = $4 }
    /^ *"kernel":/ { kernel = $4 }
    /^ *"flops":/ { flops = value($0) }
    /^ *"ceiling_fraction":/ {
      part = value($0)
      tiled = kernel ~ /^cuda\..*\.(regtiled|mma|mmasp)$/ && flops + 0 > 2e8 && part + 0 > 0
      if (tiled && (!best || part + 0 < least)) { least = part + 0; best = op " " problem " " kernel }
    }
    END { if (best) print best }' "$1"
}

# Counters need a permission that many machines do not give: that is told, and no failure.
nsight_compute() {
  local ncu op problem kernel
  asked ncu || return 0
  ncu=$(tool ncu)
  if [ -z "$ncu" ]; then note ncu 0 0 "left out: ncu is not installed"; return; fi
  read -r op problem kernel <<<"$(slowest_tiled "$out/compare.json" 2>/dev/null)"
  if [ -z "$kernel" ]; then note ncu 0 0 "left out: no tiled product was measured"; return; fi
  echo "gpu_check: ncu on $kernel, $op $problem"
  # Frozen: without the launches that measure ceilings, the first ones are the kernel's.
  local start=$SECONDS was=$failed
  if TANDEM_TUNING=frozen step ncu 60 "$ncu" --launch-count 4 --section SpeedOfLight --section Occupancy \
    --section LaunchStats "$bin/tandem-compare" "$op" "$problem" --kernels "$kernel" --min-time 0.001 --quiet; then
    grep -E 'Throughput|Occupancy|Registers|Duration' "$out/ncu.log" || true
  elif grep -q ERR_NVGPUCTRPERM "$out/ncu.log"; then
    failed=$was
    unset 'steps[-1]'
    note ncu 0 $((SECONDS - start)) "left out: no permission to read the counters of the GPU (ERR_NVGPUCTRPERM)"
  fi
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
sharded_step kernel_tests 120 "$bin/tandem_kernel_tests" --gtest_brief=1 --gtest_filter='*cuda*'
# Without the tests of programs, which measure: some of those programs run below.
sharded_step cross_tests 120 "$bin/tandem_cross_tests" --gtest_brief=1 --gtest_filter="$(cat tests/cuda/cross_filter)"
sharded_step cuda_tests 120 "$bin/tandem_cuda_tests" --gtest_brief=1
step cublas 90 "$bin/tandem-peer-cublas" --json "$out/cublas.json"
[ -s "$out/cublas.log" ] && cat "$out/cublas.log"
step cublaslt 90 "$bin/tandem-peer-cublaslt" --json "$out/cublaslt.json"
[ -s "$out/cublaslt.log" ] && cat "$out/cublaslt.log"
step compare 120 "$bin/tandem-compare" --kernels 'cuda.*' --quiet \
  --json "$out/compare.json" --markdown "$out/compare.md"
step report 10 "$bin/tandem-report" "$out/compare.json" -o "$out/report.html"
step profile 20 "$bin/tandem-profile" matmul f32:2048x2048x2048 --kernel cuda.matmul.f32.regtiled \
  --json "$out/profile.json" --trace "$out/trace.json"
step break_even 30 "$bin/tandem-explain" matmul f32:512x512x512 --break-even --measure --json "$out/break_even.json"
nsight_compute

for check in memcheck racecheck; do
  asked $check || continue
  sanitizer=$(tool compute-sanitizer)
  if [ -n "$sanitizer" ]; then
    sharded_step $check 150 "$sanitizer" --tool $check --error-exitcode 9 \
      "$bin/tandem_kernel_tests" --gtest_brief=1 --gtest_filter='*cuda*'
  else
    failed=1
    note $check 127 0 "compute-sanitizer is not installed"
  fi
done

if [ ${#steps[@]} -eq 0 ]; then
  failed=1
  echo "gpu_check: no step is named '$wanted'" >&2
fi
write_summary
if [ $failed -eq 0 ]; then
  echo "gpu_check: PASSED in $((SECONDS - began)) s, results in $out"
else
  echo "gpu_check: FAILED after $((SECONDS - began)) s, results in $out"
fi
exit $failed
