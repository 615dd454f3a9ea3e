#!/bin/bash
# Makes build/venv with the pinned packages of tests/lib/requirements.txt, for tests in Python only; anew when those change.
set -eu
cd "$(dirname "$0")/../.."
wanted=tests/lib/requirements.txt
venv=build/venv
cmp -s "$wanted" "$venv/requirements.txt" && exit 0
echo "  VENV $venv"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
rm -rf "$venv"
mkdir -p build
if ! { /usr/bin/python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary=:all: -r "$wanted"; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	exit 1
fi
cp "$wanted" "$venv/requirements.txt" # last: what is not whole is made anew
