#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Builds the tests and runs them. On Debian the build dependencies that are missing are installed; elsewhere they are named.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/support/install.sh
install_packages g++ cmake ninja-build libfmt-dev catch2 libssl-dev python3

if ! command -v python3 >/dev/null; then
  echo "missing, and not installed by this script on this system: python3" >&2
  exit 1
fi

build=build/tests
generator=()
[ -e "$build/CMakeCache.txt" ] || ! command -v ninja >/dev/null || generator=(-G Ninja)
# Warnings that a newer compiler may have matter to developers, who set CI=true or build with a preset; so do variables in a debugger.
cmake -S . -B "$build" ${generator[@]+"${generator[@]}"} -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-g1 -DEHLO_DEVELOPER=ON \
  -DEHLO_WERROR="$([ -n "${CI:-}" ] && echo ON || echo OFF)"
cmake --build "$build" --parallel "$(getconf _NPROCESSORS_ONLN)"
ctest --test-dir "$build" --output-on-failure --parallel "$(getconf _NPROCESSORS_ONLN)"
python3 tests/checks/layers.py
python3 tests/conformance/table.py --check
tests/examples/run.sh "$build"
# .ci/run drives the mail programs afterwards, when it has installed all of them.
[ -n "${EHLO_WITHOUT_INTEROP:-}" ] || tests/interop/run.sh "$build"
