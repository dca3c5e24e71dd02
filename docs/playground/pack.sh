#!/usr/bin/env bash
# The wheel of a built site, for `fwengine play`: pack.sh SITE FOLDER [PYTHON]. It needs `build` and `setuptools` in that Python.
set -euo pipefail
site=$(realpath "${1:?a built site}")
out=$(realpath -m "${2:?a folder to write to}")
python=${3:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$(dirname "$0")/package/." "$work"
cp -r "$site" "$work/fwengine_playground/site"
chmod -R u=rwX,go=rX "$work"
python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["version"])' "$site/site.json" >"$work/VERSION"
cd "$work"
"$python" -m build --no-isolation --wheel -o "$out" . >"$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }
