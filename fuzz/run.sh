#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Runs each fuzz target for a while and logs target, commit, executions and coverage to build/fuzz/log.tsv.
#   fuzz/run.sh [--minutes N | --seconds N | --owed N] [--jobs J] [--record] [--build DIR] [TARGET...]
# --owed runs each target for what it lacks of N minutes since its code was changed, --record adds the runs to fuzz/ledger.tsv, --jobs
# runs so many targets at a time. New inputs are kept in build/fuzz/corpus/TARGET; findings stop the run and stay in build/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=60
owed=
record=no
jobs=1
build=build/fuzz
targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --minutes) seconds=$(($2 * 60)); shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    --owed) owed=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    --record) record=yes; shift ;;
    --build) build=$2; shift 2 ;;
    --help) sed -n '3,7s/^# //p' "$0"; exit 0 ;;
    -*) echo "$0: unknown option $1" >&2; exit 64 ;;
    *) targets+=("$1"); shift ;;
  esac
done
if [ ${#targets[@]} -eq 0 ]; then
  for source in fuzz/*.cpp; do targets+=("$(basename "$source" .cpp)"); done
fi
if [ "$build" = build/fuzz ]; then
  cmake -S . -B build/fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DEHLO_FUZZ=ON >/dev/null
  names=()
  for target in "${targets[@]}"; do names+=("fuzz_$target"); done
  cmake --build build/fuzz --target "${names[@]}"
fi
mkdir -p build/fuzz
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)

# run_one TARGET SECONDS
run_one() {
  local target=$1 seconds=$2 log="build/fuzz/$1.log" executions edges
  mkdir -p "build/fuzz/corpus/$target" "fuzz/corpus/$target"
  if ! "$build/fuzz_$target" -max_total_time="$seconds" -max_len=8192 -timeout=20 -dict=fuzz/smtp.dict -print_final_stats=1 \
       -artifact_prefix="build/fuzz/$target-" "build/fuzz/corpus/$target" "fuzz/corpus/$target" >"$log" 2>&1; then
    tail -n 40 "$log"
    echo "finding: $target" >&2
    return 1
  fi
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  edges=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2)
  (
    flock 9
    printf '%s\t%s\t%s\t%s s\t%s executions\t%s edges\n' "$(date -u +%FT%TZ)" "$target" "$commit" "$seconds" "$executions" "$edges" |
      tee -a build/fuzz/log.tsv
    [ "$record" = no ] || python3 fuzz/ledger.py --add "$target" "$seconds" "$executions" "$edges"
  ) 9>build/fuzz/lock
}

failed=no
running=0
for target in "${targets[@]}"; do
  if [ -n "$owed" ]; then
    seconds=$(python3 fuzz/ledger.py --owed "$owed" | sed -n "s/^$target //p")
    [ -n "$seconds" ] || continue
  fi
  if [ "$running" -ge "$jobs" ]; then
    wait -n || failed=yes
    running=$((running - 1))
  fi
  [ "$failed" = no ] || break
  run_one "$target" "$seconds" &
  running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
  wait -n || failed=yes
  running=$((running - 1))
done
[ "$record" = no ] || python3 fuzz/ledger.py
[ "$failed" = no ]
