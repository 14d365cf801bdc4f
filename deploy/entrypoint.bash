#!/bin/bash
# Runs a command in the environment of the installed workspace, the package's executables on PATH.
set -eo pipefail
prefix="${BRIDGE_PREFIX:-/opt/camera_ws_bridge}"
# shellcheck disable=SC1091
source "$prefix/setup.bash"
export PATH="$prefix/lib/camera_ws_bridge:$PATH"
exec "$@"
