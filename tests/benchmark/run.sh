#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Measures how fast the library is, beside its peers and the floors.
#   tests/benchmark/run.sh [--only ROW...]
set -euo pipefail
cd "$(dirname "$0")/../.."
build=build/benchmark
generator=()
[ -e "$build/CMakeCache.txt" ] || ! command -v ninja >/dev/null || generator=(-G Ninja)
cmake -S . -B "$build" ${generator[@]+"${generator[@]}"} -DEHLO_DEVELOPER=OFF -DEHLO_BENCHMARK=ON >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" --target ehlo_benchmarks
exec python3 tests/benchmark/run.py --build "$build" "$@"
