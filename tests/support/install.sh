# SPDX-License-Identifier: BSL-1.0
# Sourced by the scripts that build: installs the Debian packages named as arguments that are missing. Elsewhere it says which
# programs are missing; fmt and Catch2 are then fetched by CMake. Build dependencies only: never a mail daemon.

install_packages() {
  local missing=()
  if ! command -v apt-get >/dev/null 2>&1; then
    local program
    for program in cmake c++ git; do
      command -v "$program" >/dev/null 2>&1 || missing+=("$program")
    done
    if [ ${#missing[@]} -gt 0 ]; then
      echo "missing, and not installed by this script on this system: ${missing[*]}" >&2
      return 1
    fi
    return 0
  fi
  local package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  echo "installing: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --no-remove "${missing[@]}"
}
