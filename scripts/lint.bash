#!/usr/bin/env bash
# Runs the linters over what is committed or about to be, and all of them even if one complains.
set -uo pipefail
cd -- "$(dirname -- "$0")/.."
status=0

run() {
  echo "== $1"
  "$@" || status=1
}

# run_ament LINTER ARGUMENT...: not every ament linter exists as a wheel.
run_ament() {
  if command -v "$1" > /dev/null; then
    run "$@"
  else
    echo "== $1: skipped, it comes only with a ROS 2 install"
  fi
}

mapfile -t python < <(find bench camera_ws_bridge config docs examples fuzz launch scripts \
  setup.py test -name '*.py' 2> /dev/null | LC_ALL=C sort)
run ament_flake8 --linelength 99 "${python[@]}"
run ament_pep257 "${python[@]}"
run_ament ament_copyright "${python[@]}"
if command -v xmllint > /dev/null; then
  # Only the network has the schema, and a firewall may drop the packets.
  schema=http://download.ros.org/schema/package_format3.xsd
  if ! command -v ament_xmllint > /dev/null || timeout 30 xmllint --noout "$schema" 2> /dev/null; then
    run_ament ament_xmllint package.xml camera_ws_bridge_msgs/package.xml
  else
    echo "== ament_xmllint: skipped, $schema cannot be fetched"
  fi
  # Without the schema.
  run xmllint --noout package.xml camera_ws_bridge_msgs/package.xml
else
  echo '== xmllint: skipped, it is not installed (apt install libxml2-utils)'
fi
run mypy --strict camera_ws_bridge
exit $status
