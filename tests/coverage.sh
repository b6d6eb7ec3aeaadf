#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Measures how much of include/ the tests run, with clang's tools: tests/coverage.sh [--report]
#
# Prints a line for each header, the lines that no test runs and the branches that none takes. With --report it writes
# docs/reference/coverage.md. What is evaluated by the compiler only (a static_assert) does not count as run. Takes minutes; not a part
# of .ci/run.
set -euo pipefail
cd "$(dirname "$0")/.."

report=no
for word; do
  case $word in
    --report) report=yes ;;
    --help) sed -n '3,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "$0: what is '$word'? See --help" >&2; exit 2 ;;
  esac
done
tool() {
  local name
  for name in "$1" "$1-19" "$1-18" "$1-17" "$1-16" "$1-15" "$1-14"; do
    if command -v "$name" >/dev/null; then echo "$name"; return; fi
  done
  echo "$0: $1 is missing; on Debian it comes with the package llvm" >&2
  exit 1
}
profdata=$(tool llvm-profdata)
cov=$(tool llvm-cov)

build=build/coverage
generator=()
[ -e "$build/CMakeCache.txt" ] || ! command -v ninja >/dev/null || generator=(-G Ninja)
# Without assertions: clang counts the line behind one as never run.
cmake -S . -B "$build" ${generator[@]+"${generator[@]}"} -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=Debug -DEHLO_DEVELOPER=ON -DEHLO_WERROR=OFF \
  -DCMAKE_CXX_FLAGS="-O0 -DNDEBUG -fprofile-instr-generate -fcoverage-mapping" -DCMAKE_CXX_FLAGS_DEBUG="" >/dev/null
cmake --build "$build" --target ehlo_tests ehlo_memory_tests
for program in ehlo_tests ehlo_memory_tests; do
  LLVM_PROFILE_FILE=$PWD/$build/$program.profraw "$build/$program" >/dev/null
done
"$profdata" merge -sparse "$build"/*.profraw -o "$build/all.profdata"
objects=("$build/ehlo_tests" -object "$build/ehlo_memory_tests")
headers=$(find "$PWD/include" -name '*.hpp')
"$cov" export -format=lcov "${objects[@]}" -instr-profile "$build/all.profdata" $headers >"$build/lines.info"
"$cov" export -format=text -skip-functions "${objects[@]}" -instr-profile "$build/all.profdata" $headers >"$build/branches.json"
REPORT=$report python3 tests/coverage.py "$build/lines.info" "$build/branches.json"
