#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Measures how fast the library is, beside its peers and the floors: tests/benchmark/run.sh [OPTION]...
#
#   --only ROW...   these rows, printed only; without it, all rows, and docs/reference/performance.md is written
#   --write         with --only: writes the page, too, with the other rows as they were measured before
#   --check         the instruction counts against their baseline, as .ci/run does
#   --update        writes that baseline
#   --no-install    installs nothing: what is missing is not measured
#   --help          this
#
# On Debian and its relatives what is missing is installed first. Peers that are mail servers do not start: while packages are
# installed policy-rc.d forbids it, Postfix has no configuration, and nothing is removed for them. All network load is on loopback.
# CXX says which compiler. Takes about ten minutes on two idle cores; a machine that does nothing else gives steadier ratios.
set -euo pipefail
cd "$(dirname "$0")/../.."

rows=()
write=()
mode=all
install=yes
while [ $# -gt 0 ]; do
  case $1 in
    --only)
      mode=only
      shift
      while [ $# -gt 0 ] && [[ $1 =~ ^[0-9]+$ ]]; do
        rows+=("$1")
        shift
      done
      continue
      ;;
    --write) write=(--write docs/reference/performance.md) ;;
    --check) mode=check ;;
    --update) mode=update ;;
    --no-install) install=no ;;
    --help) sed -n '3,14s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "$0: what is '$1'? See --help" >&2; exit 2 ;;
  esac
  shift
done

. tests/support/install.sh
if [ "$install" = yes ]; then
  install_packages g++ cmake ninja-build libfmt-dev python3 libbenchmark-dev valgrind binutils
  if [ "$mode" = all ] || [ "$mode" = only ]; then
    tests/benchmark/peers/install.sh || echo "not every peer is here: what needs them is not measured" >&2
  fi
fi

build=build/benchmark
mkdir -p build
generator=()
[ -e "$build/CMakeCache.txt" ] || ! command -v ninja >/dev/null || generator=(-G Ninja)
cmake -S . -B "$build" ${generator[@]+"${generator[@]}"} -DEHLO_DEVELOPER=OFF -DEHLO_BENCHMARK=ON >build/benchmark.log 2>&1 ||
  { cat build/benchmark.log >&2; exit 1; }
cmake --build "$build" --target "$([ "$mode" = check ] || [ "$mode" = update ] && echo ehlo_counted_benchmarks || echo ehlo_benchmarks)" \
  --parallel "$(getconf _NPROCESSORS_ONLN)"

case $mode in
  check) exec python3 tests/benchmark/instructions.py --build "$build" ;;
  update) exec python3 tests/benchmark/instructions.py --build "$build" --update ;;
  only) exec python3 tests/benchmark/run.py --build "$build" --only "${rows[@]}" ${write[@]+"${write[@]}"} ;;
  all) exec python3 tests/benchmark/run.py --build "$build" --write docs/reference/performance.md ;;
esac
