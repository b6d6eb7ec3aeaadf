#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Runs each fuzz target for a while and logs target, commit, executions and coverage to build/fuzz/log.tsv.
#   fuzz/run.sh [--minutes N | --seconds N] [--build DIR] [TARGET...]
# New inputs are kept in build/fuzz/corpus/TARGET; findings stop the run and stay in build/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=60
build=build/fuzz
targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --minutes) seconds=$(($2 * 60)); shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    --build) build=$2; shift 2 ;;
    --help) sed -n '3,6s/^# //p' "$0"; exit 0 ;;
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
for target in "${targets[@]}"; do
  mkdir -p "build/fuzz/corpus/$target"
  log="build/fuzz/$target.log"
  if ! "$build/fuzz_$target" -max_total_time="$seconds" -max_len=8192 -timeout=20 -dict=fuzz/smtp.dict -print_final_stats=1 \
       -artifact_prefix="build/fuzz/$target-" "build/fuzz/corpus/$target" "fuzz/corpus/$target" >"$log" 2>&1; then
    tail -n 40 "$log"
    echo "finding: $target" >&2
    exit 1
  fi
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  coverage=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2)
  printf '%s\t%s\t%s\t%s s\t%s executions\t%s edges\n' "$(date -u +%FT%TZ)" "$target" "$commit" "$seconds" "$executions" "$coverage" | tee -a build/fuzz/log.tsv
done
