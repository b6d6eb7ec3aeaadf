#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Tests the example programs of a build: tests/examples/run.sh BUILD_FOLDER [TEST...]
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
if [ $# -eq 0 ] || [ ! -d "$1" ]; then
  echo "$0: which build? Say: $0 BUILD_FOLDER [TEST...]" >&2
  exit 2
fi
build=$1
shift
if ! command -v python3 >/dev/null; then
  echo "$0: python3 is missing, and the tests are written in it" >&2
  exit 2
fi
if [ "$(uname)" != Linux ]; then
  echo "$0: skipped: 02_receive, with which most of them work, is Linux's"
  exit 0
fi
for program in 01_dialogue 02_receive 04_in_memory; do
  path=$(find "$build" -name "$program" -type f -perm -u+x | head -n 1)
  if [ -z "$path" ]; then
    echo "$0: there is no $program in $build" >&2
    exit 2
  fi
  case $program in
    01_dialogue) EHLO_DIALOGUE=$path ;;
    02_receive) EHLO_RECEIVE=$path ;;
    04_in_memory) EHLO_IN_MEMORY=$path ;;
  esac
done
export EHLO_DIALOGUE EHLO_RECEIVE EHLO_IN_MEMORY
python3 "$here/examples_test.py" "$@"
# 03_send needs OpenSSL.
EHLO_SEND=$(find "$build" -name 03_send -type f -perm -u+x | head -n 1)
if [ -z "$EHLO_SEND" ]; then
  echo "$0: skipped the tests of 03_send, which was not built"
elif [ $# -eq 0 ]; then
  export EHLO_SEND
  python3 "$here/send_test.py"
fi
# 06_observe needs libpcap.
EHLO_OBSERVE=$(find "$build" -name 06_observe -type f -perm -u+x | head -n 1)
if [ -z "$EHLO_OBSERVE" ]; then
  echo "$0: skipped the tests of 06_observe, which was not built"
elif [ $# -eq 0 ]; then
  export EHLO_OBSERVE
  python3 "$here/observe_test.py"
fi
