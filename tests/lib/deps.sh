#!/bin/bash
# Installs the Debian packages named as arguments that are not there yet; says nothing when nothing is missing.
set -eu
missing=()
for p in "$@"; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0
sudo=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || { echo "deps: not root and no sudo: ask an administrator to install: ${missing[*]}" >&2; exit 1; }
	sudo=sudo
fi
echo "  DEPS ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $sudo apt-get -q update && $sudo apt-get -q install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "deps: installing failed; the packages are: ${missing[*]}" >&2
	exit 1
fi
