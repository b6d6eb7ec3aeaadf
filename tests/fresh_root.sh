#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Runs the two commands of README.md, each twice, on a fresh clone in a minimal Debian that has nothing but apt:
#
#     tests/fresh_root.sh [--keep] [BRANCH_OR_COMMIT]
#
# Makes that Debian in a temporary folder with mmdebstrap or debootstrap, from the package sources of this machine. Needs root and a
# machine that runs Debian; nothing outside of the folder changes. --keep leaves the folder there. Not a part of .ci/run: it takes
# minutes, most of them for packages.
set -euo pipefail
cd "$(dirname "$0")/.."

keep=no
commit=HEAD
for word; do
  case $word in
    --keep) keep=yes ;;
    --help) sed -n '3,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "$0: what is '$word'? See --help" >&2; exit 2 ;;
    *) commit=$word ;;
  esac
done
if [ "$(id -u)" != 0 ]; then
  echo "$0: run this as root" >&2
  exit 1
fi
# In namespaces of its own: what is mounted or started here is gone at the end, whatever the end is.
if [ -z "${EHLO_FRESH_ROOT:-}" ]; then
  EHLO_FRESH_ROOT=1 exec unshare --mount --propagation private --pid --fork --kill-child "$0" "$@"
fi

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:?}")
work=$(mktemp -d)
root=$work/root
finish() {
  umount -R "$root/proc" "$root/dev" 2>/dev/null || true
  if [ "$keep" = yes ]; then
    echo "kept: $root"
  else
    rm -rf --one-file-system "$work"
  fi
}
trap finish EXIT

# The sources of packages, how to reach them, and their keys. Hooks of this machine's apt stay here.
shopt -s nullglob
lists=()
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
  if grep -qE '^(deb|Types:)' "$list" 2>/dev/null; then lists+=("$list"); fi
done
settings=()
for file in /etc/apt/apt.conf /etc/apt/apt.conf.d/*; do
  if grep -q '^[[:space:]]*Acquire' "$file" 2>/dev/null && ! grep -qE 'DPkg::|Post-Invoke' "$file"; then settings+=("$file"); fi
done

echo "making a minimal $codename"
if command -v mmdebstrap >/dev/null; then
  options=()
  for file in "${settings[@]}"; do options+=("--aptopt=$file"); done
  mmdebstrap --quiet --mode=root --variant=minbase "${options[@]}" "$codename" "$root" "${lists[@]}"
elif command -v debootstrap >/dev/null; then
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $codename" | head -n 1)
  debootstrap --variant=minbase "$codename" "$root" "$mirror" >"$work/debootstrap.log"
else
  echo "missing: mmdebstrap or debootstrap" >&2
  exit 1
fi
mkdir -p "$root/etc/apt/sources.list.d" "$root/etc/apt/apt.conf.d"
rm -f "$root/etc/apt/sources.list" "$root"/etc/apt/sources.list.d/*
for list in "${lists[@]}"; do cp "$list" "$root/etc/apt/${list#/etc/apt/}"; done
for file in "${settings[@]}"; do cp "$file" "$root/etc/apt/${file#/etc/apt/}"; done
for folder in /etc/apt/keyrings /usr/share/keyrings; do
  if [ -d "$folder" ]; then mkdir -p "$root$folder" && cp -n "$folder"/* "$root$folder/" 2>/dev/null || true; fi
done
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"

git -c advice.detachedHead=false clone --quiet --no-hardlinks . "$root/root/ehlo"
git -C "$root/root/ehlo" checkout --quiet --detach "$(git rev-parse "$commit^{commit}")"

failed=0
run() {
  local log start=$SECONDS
  log=$work/$(tr -c 'a-z\n' - <<<"$*").log
  if chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb bash -c 'cd "$HOME/ehlo" && "$@"' - "$@" \
    </dev/null >"$log" 2>&1; then
    echo "passed: $* ($((SECONDS - start)) s): $(tail -n 1 "$log")"
  else
    failed=1
    echo "FAILED: $* ($((SECONDS - start)) s)"
    tail -n 60 "$log"
  fi
}
for turn in first second; do
  echo "the $turn time:"
  run ./examples/demo.sh
  run ./tests/run.sh
done
# README.md: neither puts a mail daemon on the machine.
if daemon=$(chroot "$root" dpkg-query -W -f '${Package} ${Provides}\n' | grep mail-transport-agent); then
  failed=1
  echo "FAILED: a mail daemon is installed: $daemon"
fi
exit "$failed"
