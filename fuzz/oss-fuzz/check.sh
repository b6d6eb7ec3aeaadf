#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Runs build.sh at home, with Clang in the place of OSS-Fuzz's image, and then each target as OSS-Fuzz starts it: with its options, its
# dictionary and its seeds, and no others: fuzz/run.sh looks for new ones. Without the optimizer, which takes half of the time.
#   fuzz/oss-fuzz/check.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
case ${1:-} in
  --help) sed -n '3,5s/^# //p' "$0"; exit 0 ;;
  "") ;;
  *) echo "$0: what is '$1'?" >&2; exit 64 ;;
esac
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src" "$folder/work" "$folder/out"

SRC=$folder/src WORK=$folder/work OUT=$folder/out EHLO_TOP=$PWD CC=clang CXX=clang++ CFLAGS= \
  CXXFLAGS="-O0 -gline-tables-only -fsanitize=address -fsanitize=fuzzer-no-link" LIB_FUZZING_ENGINE="-fsanitize=fuzzer" \
  fuzz/oss-fuzz/build.sh

failed=0
for source in fuzz/*.cpp; do
  name=$(basename "$source" .cpp)_fuzzer
  out=$folder/out/$name
  if [ ! -x "$out" ] || [ ! -s "$out.options" ] || [ ! -s "${out}_seed_corpus.zip" ]; then
    echo "missing: $name, its options or its seeds" >&2
    failed=1
    continue
  fi
  mkdir "$folder/work/$name"
  unzip -q "${out}_seed_corpus.zip" -d "$folder/work/$name"
  words=()
  while IFS=' =' read -r key value; do
    case $key in
      dict) words+=("-dict=$folder/out/$value") ;;
      max_len | timeout) words+=("-$key=$value") ;;
      "[libfuzzer]") ;;
      *) echo "unknown option of $name: $key" >&2; failed=1 ;;
    esac
  done <"$out.options"
  seeds=$(find "$folder/work/$name" -type f | wc -l)
  [ "$seeds" -eq "$(find "fuzz/corpus/${name%_fuzzer}" -type f | wc -l)" ] || { echo "lost seeds: $name" >&2; failed=1; }
  if "$out" "${words[@]}" -runs=0 -artifact_prefix="$folder/" "$folder/work/$name" >"$folder/log" 2>&1; then
    echo "$name: $seeds seeds"
  else
    tail -n 40 "$folder/log"
    echo "finding: $name" >&2
    failed=1
  fi
done
exit "$failed"
