#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Builds the examples 02_receive and 03_send, sends messages with curl (or Python's smtplib) and with 03_send, and shows the dialogue,
# what came of each recipient, and what was stored.
# On Debian the build dependencies that are missing are installed; elsewhere they are named. No mail daemon is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/support/install.sh

has_client() { command -v python3 >/dev/null || { command -v curl >/dev/null && curl --version | grep -qw smtp; }; }

packages=(g++ cmake ninja-build libfmt-dev catch2 libssl-dev)
has_client || packages+=(curl)
install_packages "${packages[@]}"
if ! has_client; then
  echo "missing: a client to send with, curl or python3" >&2
  exit 1
fi

build=build/demo
generator=()
[ -e "$build/CMakeCache.txt" ] || ! command -v ninja >/dev/null || generator=(-G Ninja)
# Warnings that a newer compiler may have do not matter here.
cmake -S . -B "$build" ${generator[@]+"${generator[@]}"} -DCMAKE_BUILD_TYPE=Release -DEHLO_DEVELOPER=ON -DEHLO_WERROR=OFF
has_target() { grep -qE "^(build )?($1|.*/$1)[: ]" "$build/build.ninja" "$build/Makefile" 2>/dev/null; }
if ! has_target 02_receive; then
  echo "02_receive waits for its sockets by epoll, which is Linux's: this system has none" >&2
  exit 1
fi
cmake --build "$build" --target 02_receive
# 03_send needs OpenSSL, which may be missing where nothing was installed.
if has_target 03_send; then
  cmake --build "$build" --target 03_send
fi
echo

work=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$server" ] || wait "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

"$build/02_receive" --listen 127.0.0.1:0 --hostname mx.example.org --domain example.org --maildir "$work/mail/%u" \
  >"$work/listening" &
server=$!
for _ in $(seq 100); do
  [ ! -s "$work/listening" ] || break
  sleep 0.1
done
port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$work/listening")
if [ -z "$port" ]; then
  echo "02_receive did not say where it listens" >&2
  exit 1
fi
echo "02_receive: $(cat "$work/listening")"

printf '%s\r\n' 'From: Alice <alice@client.example>' 'To: Bob <bob@example.org>' 'Subject: Hello' "Date: $(LC_ALL=C date -R)" '' \
  'Hello Bob,' '.this line begins with a dot.' >"$work/message"

# Both say what went over the wire: C is the client, S the server.
if command -v curl >/dev/null && curl --version | grep -qw smtp; then
  echo "curl sends a message:"
  echo
  curl --silent --show-error --verbose --max-time 30 "smtp://127.0.0.1:$port/client.example" --mail-from alice@client.example \
    --mail-rcpt bob@example.org --upload-file "$work/message" 2>"$work/dialogue" || { cat "$work/dialogue" >&2; exit 1; }
  sed -n -e 's/\r$//' -e 's/^< /S: /p' -e 's/^> /C: /p' "$work/dialogue"
else
  echo "Python's smtplib sends a message:"
  echo
  python3 - "$port" "$work/message" >"$work/dialogue" 2>&1 <<'EOF' || { cat "$work/dialogue" >&2; exit 1; }
import smtplib, sys
with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), "client.example", 30) as client:
    client.set_debuglevel(1)
    client.ehlo()
    with open(sys.argv[2], "rb") as message:
        client.sendmail("alice@client.example", ["bob@example.org"], message.read())
EOF
  sed -n -e "s/^send: b*'\(.*\)\\\\r\\\\n'$/C: \1/p" -e "s/^reply: b'\(.*\)\\\\r\\\\n'$/S: \1/p" "$work/dialogue"
fi

echo
echo "It is stored in the Maildir of bob:"
echo
sed 's/\r$//' "$work"/mail/bob/new/*
echo
if [ -x "$build/03_send" ]; then
  echo "03_send sends a text to bob, and to somebody who is not here:"
  echo
  status=0
  echo 'The header section was composed.' | "$build/03_send" --server "127.0.0.1:$port" --tls never --hostname client.example \
    --from alice@client.example --to bob@example.org --to carol@elsewhere.example --subject 'Hello again' - || status=$?
  echo
  echo "That ended with status $status (69: somebody was refused for good). Stored:"
  echo
  sed 's/\r$//' "$(grep -l 'Hello again' "$work"/mail/bob/new/*)"
  echo
  [ "$status" = 69 ]
fi
kill "$server"
wait "$server"
server=
echo "Done: sent, received, stored, and shut down."
