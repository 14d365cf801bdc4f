#!/usr/bin/env bash
# With a ROS 2 install: says what is missing of this package's dependencies, in one line.
set -euo pipefail

# absent NAME...: prints the Python packages that are not there.
absent() {
  python3 -c '
import sys
sys.path.remove("")  # or the folder launch/ would pass for the package launch
from importlib.util import find_spec
print(*(name for name in sys.argv[1:] if find_spec(name) is None))' "$@"
}

advice="run: rosdep install --from-paths . camera_ws_bridge_msgs --ignore-src -y"
# This needs nothing else of the package, nor of ROS.
problem="$(python3 -c '
from runpy import run_path
print(run_path("camera_ws_bridge/transport/library.py")["unusable"]())')"
if [ -n "$problem" ]; then
  echo "error: $problem" >&2
  exit 1
fi
missing="$(absent builtin_interfaces cryptography diagnostic_msgs launch launch_ros numpy rcl_interfaces \
  sensor_msgs std_srvs tornado websockets yaml)"
command -v colcon > /dev/null \
  || missing="colcon (apt install python3-colcon-common-extensions) $missing"
if [ -n "$missing" ]; then
  echo "error: ROS 2 $ROS_DISTRO lacks: ${missing% }; $advice" >&2
  exit 1
fi
missing="$(absent ament_copyright ament_flake8 ament_pep257 ament_xmllint hypothesis \
  launch_testing launch_testing_ros pytest pytest_timeout)"
[ -z "$missing" ] || echo "note: for the tests ROS 2 $ROS_DISTRO lacks: $missing; $advice" >&2
