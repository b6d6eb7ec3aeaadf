#!/bin/bash -eu
# SPDX-License-Identifier: BSL-1.0
# Builds the fuzz targets the way OSS-Fuzz wants it: with its compiler and flags, linked with its engine, into $OUT. Beside each target
# stand its seeds and its options; all share one dictionary. OSS-Fuzz sets the variables; `check.sh` does it for a run at home.
top=${EHLO_TOP:-$SRC/ehlo}
# fmt is only headers here. The image has its sources; at home the installed one does.
flags="-std=c++20 -DFMT_HEADER_ONLY=1 -I$top/include -I$top/fuzz -I$top/tests"
[ ! -d "$SRC/fmt/include" ] || flags="$flags -I$SRC/fmt/include"

build() {
  local name=$1
  # A target is one file; the flags are lists of words.
  # shellcheck disable=SC2086
  $CXX $CXXFLAGS $flags "$top/fuzz/$name.cpp" -o "$OUT/${name}_fuzzer" $LIB_FUZZING_ENGINE
  printf '[libfuzzer]\ndict = smtp.dict\nmax_len = 8192\ntimeout = 20\n' >"$OUT/${name}_fuzzer.options"
  rm -f "$OUT/${name}_fuzzer_seed_corpus.zip"
  find "$top/fuzz/corpus/$name" -type f | LC_ALL=C sort | zip -q -j -X "$OUT/${name}_fuzzer_seed_corpus.zip" -@
}
export -f build
export top flags CXX CXXFLAGS LIB_FUZZING_ENGINE OUT

cp "$top/fuzz/smtp.dict" "$OUT/"
for source in "$top"/fuzz/*.cpp; do basename "$source" .cpp; done |
  xargs -P "$(getconf _NPROCESSORS_ONLN)" -I NAME bash -eu -c 'build NAME'
