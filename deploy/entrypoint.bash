#!/bin/bash
# Runs a command in the environment of the installed workspace, the package's executables on PATH.
set -eo pipefail
prefix="${BRIDGE_PREFIX:-/opt/camera_ws_bridge}"
# shellcheck disable=SC1091
source "$prefix/setup.bash"
# Only this machine, where Humble does not know the newer variable.
if [ "${ROS_DISTRO:-}" = humble ] && [ "${ROS_AUTOMATIC_DISCOVERY_RANGE:-}" = LOCALHOST ]; then
  export ROS_LOCALHOST_ONLY=1
fi
export PATH="$prefix/lib/camera_ws_bridge:$PATH"
exec "$@"
