#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Uses ehlo as its users do: by find_package from an installation, by add_subdirectory, by FetchContent, by pkg-config; with g++ and
# clang++ (those present), with and without exceptions and RTTI, with every warning of ours as an error of the consumer's.
set -euo pipefail
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wsign-conversion -Werror"

cmake -S "$source_dir" -B "$work/ehlo" -DEHLO_DEVELOPER=OFF -DCMAKE_INSTALL_PREFIX="$work/prefix" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
cmake --install "$work/ehlo" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

# use COMPILER: in every way.
use() {
  local compiler=$1 build=$work/$1 mode way
  for mode in "" "-fno-exceptions -fno-rtti"; do
    for way in find_package add_subdirectory fetch_content; do
      rm -rf "$build"
      if ! { cmake -S "$source_dir/tests/consumer/$way" -B "$build" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$warnings $mode" \
               -DCMAKE_PREFIX_PATH="$work/prefix" -DEHLO_SOURCE="$source_dir" && cmake --build "$build" && "$build/consumer"; } >"$build.log" 2>&1; then
        cat "$build.log"
        echo "failed: $way with $compiler $mode"
        return 1
      fi
      echo "passed: $way with $compiler $mode"
    done
    command -v pkg-config >/dev/null || continue
    # shellcheck disable=SC2046,SC2086
    if ! { "$compiler" -std=c++20 $warnings $mode "$source_dir/tests/consumer/main.cpp" -o "$build.consumer" \
             $(PKG_CONFIG_PATH="$work/prefix/share/pkgconfig" pkg-config --cflags --libs ehlo) && "$build.consumer"; } >"$build.log" 2>&1; then
      cat "$build.log"
      echo "failed: pkg-config with $compiler $mode"
      return 1
    fi
    echo "passed: pkg-config with $compiler $mode"
  done
}

failed=0
for compiler in g++ clang++; do
  command -v "$compiler" >/dev/null || { echo "skipped: $compiler is not here"; continue; }
  use "$compiler" &
done
for job in $(jobs -p); do wait "$job" || failed=1; done
exit "$failed"
