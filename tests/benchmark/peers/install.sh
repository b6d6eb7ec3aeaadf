#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Installs the peers of the benchmarks, on Debian and its relatives: the headers and the library of Dovecot, and Postfix for smtp-source
# and smtp-sink. No daemon starts: Postfix stays without a configuration, and while packages are installed, policy-rc.d forbids every
# start. Nothing is removed: where another mail server is installed, Postfix is not, and the script says so.
set -eu

missing=
[ -e /usr/include/dovecot/smtp-command-parser.h ] || missing="$missing dovecot-dev"
[ -e /usr/lib/dovecot/libdovecot.so ] || missing="$missing dovecot-core"
command -v smtp-sink >/dev/null || [ -x /usr/sbin/smtp-sink ] || missing="$missing postfix"
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
  echo "Install these yourself, they are missing:$missing" >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "Run this as root: it installs packages" >&2; exit 1; }
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
