#!/usr/bin/env bash
# install_beside.bash REQUIREMENTS FOLDER: installs these releases into a folder of their own, to be
# put in front by PYTHONPATH, unless they are there.
set -euo pipefail
key="$(cat "$1"; python3 -VV)"
[ "$(cat "$2/stamp" 2> /dev/null)" != "$key" ] || exit 0
rm -rf -- "$2"
mkdir -p -- "$(dirname -- "$2")"
python3 -m pip --disable-pip-version-check install --quiet --no-input --no-deps --prefer-binary \
  --retries 2 --target "$2" -r "$1" 2> "$2.log" \
  || { echo "error: pip: $(grep -m 1 '^ERROR' "$2.log" | cut -c -200) (all of it: $2.log)" >&2; exit 1; }
echo "$key" > "$2/stamp"
