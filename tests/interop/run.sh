#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Drives real mail programs against the example 02_receive: tests/interop/run.sh [--install] [--require-all] [BUILD_DIR]
#
#   --install      installs the programs first (install.sh), on Debian
#   --require-all  a program that is missing, or its TLS, is a failure; else it is named as skipped
#   BUILD_DIR      where 02_receive was built (default build/tests)
set -eu
cd "$(dirname "$0")/../.."

usage() { sed -n '3,7s/^# \{0,1\}//p' "$0"; }
build=build/tests
require_all=no
for word; do
  case $word in
    --install) tests/interop/install.sh ;;
    --require-all) require_all=yes ;;
    --help) usage; exit 0 ;;
    -*) echo "$0: what is '$word'?" >&2; usage >&2; exit 2 ;;
    *) build=$word ;;
  esac
done
if ! command -v python3 >/dev/null; then
  echo "interop: skipped all: python3 is not installed"
  [ "$require_all" = no ]
  exit
fi

EHLO_REQUIRE_ALL=
[ "$require_all" = no ] || EHLO_REQUIRE_ALL=yes
export EHLO_REQUIRE_ALL
passed= failed= skipped=
for check in tests/interop/[0-9][0-9]_*; do
  name=$(basename "$check")
  echo "== $name"
  status=0
  "$check" "$build" || status=$?
  case $status in
    0) passed="$passed $name" ;;
    77) skipped="$skipped $name" ;;
    *) failed="$failed $name" ;;
  esac
done
echo "interop: passed:${passed:- none}; failed:${failed:- none}; skipped:${skipped:- none}"
[ -z "$failed" ] && { [ -z "$skipped" ] || [ "$require_all" = no ]; }
