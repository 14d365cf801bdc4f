#!/usr/bin/env bash
# coverage.bash [MODULE...]: runs each pure module's own test files alone, those of its room's
# folder in test/unit (test_MODULE.py and test_MODULE_*.py, not the slow ones of properties), and
# demands that they take every branch of it without any help from others. One module per core at a
# time.
set -uo pipefail
cd -- "$(dirname -- "$0")/.."
export PYTHONSAFEPATH=1  # what is installed gets measured
export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1  # ROS 2 brings many, which take longer than the tests
# Those that decide: no I/O, no threads, no ROS (test/repository/test_import_rules.py holds them to
# that). The slowest come first.
modules=(
  link.link
  link.active_connection
  protocol.codec
  inputs.cdr
  buffer.memory
  link.backoff
  buffer.outbox
  config.cameras
  errors
  inputs.adapter
  inputs.detection2d
  inputs.foreign
  inputs.yolo
  link.hurry
  link.inbound
  link.second_chance
  link.settings
  link.suspicion
  link.token_bucket
  log.printable
  log.redact
  log.throttled_log
  metrics.address
  metrics.families
  outputs.health
  preflight.advice
  preflight.jwt
  preflight.report
  process.systemd
  process.wake_ups
  protocol.authenticate
  protocol.boxes
  protocol.fields
  protocol.identifier
  protocol.message
  protocol.object_ids
  protocol.png
  protocol.rejection
  protocol.start
  protocol.stop
  protocol.strict_json
  protocol.update
  reid.events
  reid.follower
  reid.in_order
  reid.objects
  ros.duplicate_filter
  ros.fast_dds
  ros.looks
  ros.sequence_gaps
  sim.page.guard
  sim.page.pictures
  sim.page.watch
  tracking.frame_stamps
  tracking.life
  tracking.tracked_objects
  transport.url
)
[ $# -eq 0 ] || modules=("$@")
folder="$(mktemp -d)"
trap 'rm -rf -- "$folder"' EXIT
export folder

measure() {
  local module="$1" path="${1//.//}" location tests line
  export COVERAGE_FILE="$folder/$module.data"
  location="$(python3 -c "import camera_ws_bridge.$module as m; print(m.__file__)")" || return 1
  path="test/unit/$(dirname -- "$path")/test_$(basename -- "$path")"
  tests=("$path.py")
  mapfile -t -O 1 tests < <(compgen -G "${path}_*.py" | grep -v _properties)
  if ! python3 -m coverage run --branch --include="$location" -m pytest -q -p pytest_timeout \
      -p no:cacheprovider "${tests[@]}" > "$folder/$module.log" 2>&1; then
    cat "$folder/$module.log"
    return 1
  fi
  line="$(python3 -m coverage report --show-missing --fail-under=100 --precision=1)"
  local status=$?
  line="$(grep -F "/${module//.//}.py" <<< "$line")"
  if [ $status -eq 0 ] && [[ $line == *100.0%* ]]; then
    printf '%-25s 100 %%\n' "$module"
  else
    printf '%-25s %s\n' "$module" "$(sed 's/^[^ ]* *//' <<< "$line")"
    return 1
  fi
}
export -f measure
if printf '%s\n' "${modules[@]}" | xargs -P "$(nproc)" -I '{}' bash -c 'measure {}'; then
  echo "coverage: all branches of ${#modules[@]} modules, each by its own tests"
else
  echo 'coverage: a module is not covered by its own tests, see above'
  exit 1
fi
