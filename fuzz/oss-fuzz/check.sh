#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Runs build.sh at home, with Clang in the place of OSS-Fuzz's image, and then each target as OSS-Fuzz starts it: with its options, its
# dictionary and its seeds. Without the optimizer, which would take most of the time.
#   fuzz/oss-fuzz/check.sh [--seconds N] [--jobs J]
# With --seconds each target also looks for new inputs for so long, J of them at a time; fuzz/run.sh does so for hours.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=
jobs=1
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    --help) sed -n '3,6s/^# //p' "$0"; exit 0 ;;
    *) echo "$0: what is '$1'?" >&2; exit 64 ;;
  esac
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src" "$folder/scratch" "$folder/out"

SRC=$folder/src WORK=$folder/scratch OUT=$folder/out EHLO_TOP=$PWD CC=clang CXX=clang++ CFLAGS= \
  CXXFLAGS="-O0 -gline-tables-only -fsanitize=address,undefined -fno-sanitize-recover=all -fsanitize=fuzzer-no-link" \
  LIB_FUZZING_ENGINE="-fsanitize=fuzzer" \
  fuzz/oss-fuzz/build.sh

# run NAME: 0 if the target is whole and finds nothing.
run() {
  local name=$1 out=$folder/out/$1 found=$folder/scratch/$1 log=$folder/scratch/$1.log words=() limit=-runs=0 key value seeds
  if [ ! -x "$out" ] || [ ! -s "$out.options" ] || [ ! -s "${out}_seed_corpus.zip" ]; then
    echo "missing: $name, its options or its seeds" >&2
    return 1
  fi
  mkdir "$found"
  unzip -q "${out}_seed_corpus.zip" -d "$found"
  while IFS=' =' read -r key value; do
    case $key in
      dict) words+=("-dict=$folder/out/$value") ;;
      max_len | timeout) words+=("-$key=$value") ;;
      "[libfuzzer]") ;;
      *) echo "unknown option of $name: $key" >&2; return 1 ;;
    esac
  done <"$out.options"
  seeds=$(find "$found" -type f | wc -l)
  [ "$seeds" -eq "$(find "fuzz/corpus/${name%_fuzzer}" -type f | wc -l)" ] || { echo "lost seeds: $name" >&2; return 1; }
  [ -z "$seconds" ] || limit=-max_total_time=$seconds
  if ! "$out" "${words[@]}" "$limit" -print_final_stats=1 -artifact_prefix="$folder/" "$found" >"$log" 2>&1; then
    tail -n 40 "$log"
    echo "finding: $name" >&2
    for artifact in "$folder"/*-*; do [ ! -f "$artifact" ] || base64 "$artifact"; done
    return 1
  fi
  echo "$name: $seeds seeds, $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") executions"
}

failed=0
running=0
for source in fuzz/*.cpp; do
  if [ "$running" -ge "$jobs" ]; then
    wait -n || failed=1
    running=$((running - 1))
  fi
  run "$(basename "$source" .cpp)_fuzzer" &
  running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
  wait -n || failed=1
  running=$((running - 1))
done
exit "$failed"
