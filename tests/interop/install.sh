#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Installs the mail programs that the tests of this folder drive, on Debian and its relatives: swaks, msmtp, curl, Python, and Postfix
# for its load generator smtp-source. No daemon starts: Postfix stays without a configuration, and while packages are installed,
# policy-rc.d forbids every start. Nothing is removed: where another mail server is installed, Postfix is not, and the script says so.
set -eu

missing=
for pair in swaks:swaks msmtp:msmtp curl:curl python3:python3 smtp-source:postfix; do
  command -v "${pair%:*}" >/dev/null || [ -x "/usr/sbin/${pair%:*}" ] || missing="$missing ${pair#*:}"
done
if [ -z "$missing" ]; then
  echo "All programs are there."
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "Install these yourself, they are missing:$missing" >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "Run this as root: it installs$missing" >&2; exit 1; }
  exec sudo "$0"
fi

policy=/usr/sbin/policy-rc.d
kept=$(mktemp -d)
restore() {
  rm -f "$policy"
  if [ -e "$kept/policy-rc.d" ] || [ -L "$kept/policy-rc.d" ]; then mv "$kept/policy-rc.d" "$policy"; fi
  rmdir "$kept"
}
if [ -e "$policy" ] || [ -L "$policy" ]; then mv "$policy" "$kept/"; fi
trap restore EXIT
trap 'exit 1' HUP INT TERM
printf '#!/bin/sh\nexit 101\n' >"$policy"  # 101: the action is forbidden
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
apt-get update -q
failed=
for package in $missing; do
  apt-get install -q -y --no-install-recommends --no-remove "$package" || failed="$failed $package"
done
if [ -n "$failed" ]; then
  echo "Not installed:$failed" >&2
  exit 1
fi
