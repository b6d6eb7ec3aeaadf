#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Builds the tests and runs them. On Debian the build dependencies that are missing are installed; elsewhere they are named.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/support/install.sh
install_packages g++ cmake ninja-build libfmt-dev catch2 python3

build=build/tests
mkdir -p build
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug
cmake --build "$build"
ctest --test-dir "$build" --output-on-failure
python3 tests/checks/layers.py
python3 tests/conformance/table.py --check
tests/examples/run.sh "$build"
tests/interop/run.sh "$build"
