#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Installs the mail programs that the tests of this folder drive, on Debian and its relatives: swaks, msmtp, curl, GNU SASL, OpenSSL, Python
# with aiosmtpd, HAProxy, Postfix, Dovecot and Exim. No daemon starts: Postfix stays without a configuration, and while packages are
# installed, policy-rc.d forbids every start. Nothing is removed: where another mail server is installed, Postfix is not, and the script says so.
# Mail servers exclude each other as packages: Exim is only unpacked, into build/interop/exim, and runs without privileges.
set -eu

lib=/usr/lib/dovecot
unpacked=$(cd "$(dirname "$0")/../.." && pwd)/build/interop/exim
missing=
for pair in swaks:swaks msmtp:msmtp curl:curl gsasl:gsasl openssl:openssl python3:python3 aiosmtpd:python3-aiosmtpd haproxy:haproxy smtp-source:postfix \
  dovecot:dovecot-core $lib/lmtp:dovecot-lmtpd $lib/submission:dovecot-submissiond $lib/imap:dovecot-imapd $lib/pop3:dovecot-pop3d; do
  command -v "${pair%:*}" >/dev/null || [ -x "/usr/sbin/${pair%:*}" ] || missing="$missing ${pair#*:}"
done
perl -MNet::SSLeay -e 1 2>/dev/null || missing="$missing libnet-ssleay-perl"  # TLS of swaks
ls /usr/lib/*/libnss_wrapper.so >/dev/null 2>&1 || missing="$missing libnss-wrapper"
unpack=
for program in /usr/sbin/exim4 /usr/sbin/exim "$unpacked/usr/sbin/exim4"; do
  if [ -x "$program" ]; then unpack=no; fi
done
if [ -z "$missing" ] && [ "$unpack" = no ]; then
  echo "All programs are there."
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  [ "$unpack" = no ] || missing="$missing exim"
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
if [ "$unpack" != no ]; then  # the libraries that it needs are installed: they exclude nothing
  for library in $(apt-cache depends exim4-daemon-light | sed -n 's/^ *Depends: \(lib.*\)/\1/p'); do
    dpkg-query -W -f '${Status}' "$library" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $library"
  done
fi
failed=
for package in $missing; do
  apt-get install -q -y --no-install-recommends --no-remove "$package" || failed="$failed $package"
done
if [ "$unpack" != no ]; then
  fetched=$(mktemp -d)
  rm -rf "$unpacked"
  mkdir -p "$unpacked"
  if ! { (cd "$fetched" && apt-get download -q exim4-daemon-light) && dpkg-deb -x "$fetched"/exim4-daemon-light_*.deb "$unpacked" &&
    chmod u-s "$unpacked/usr/sbin/exim4"; }; then
    failed="$failed exim4-daemon-light"
  fi
  rm -rf "$fetched"
fi
if [ -n "$failed" ]; then
  echo "Not installed:$failed" >&2
  exit 1
fi
