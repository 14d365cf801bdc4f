#!/usr/bin/env bash
# coverage.bash [MODULE...]: runs each pure module's own test files alone, test_MODULE.py and
# test_MODULE_*.py (not the slow ones of properties), and demands that they take every branch of it
# without any help from others.
set -uo pipefail
cd -- "$(dirname -- "$0")/.."
# Those that decide: no I/O, no threads, no ROS (test/test_import_rules.py holds them to that).
modules=(backoff cameras detection2d errors fields frame_stamps limited_log link messages outbox png redact session
  systemd token_bucket twin_filter url wire)
[ $# -eq 0 ] || modules=("$@")
folder="$(mktemp -d)"
trap 'rm -rf -- "$folder"' EXIT
export COVERAGE_FILE="$folder/data"
status=0
for module in "${modules[@]}"; do
  location="$(python3 -c "import camera_ws_bridge.$module as m; print(m.__file__)")" || exit 1
  tests=("test/test_$module.py")
  mapfile -t -O 1 tests < <(compgen -G "test/test_${module}_*.py" | grep -v _properties)
  if ! python3 -m coverage run --branch --include="$location" -m pytest -q -p no:cacheprovider \
      "${tests[@]}" > "$folder/log" 2>&1; then
    cat "$folder/log"
    status=1
    continue
  fi
  if line="$(python3 -m coverage report --show-missing --fail-under=100 --precision=1 \
      | grep -F "/$module.py")" && [[ $line == *100.0%* ]]; then
    printf '%-14s 100 %%\n' "$module"
  else
    printf '%-14s %s\n' "$module" "$(sed 's/^[^ ]* *//' <<< "$line")"
    status=1
  fi
done
exit $status
