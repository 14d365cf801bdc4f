#!/usr/bin/env bash
# Builds both packages with colcon, each only if something that it is made of changed.
# Into build/ and install/ with a ROS 2 install, else below the virtual environment.
set -euo pipefail
cd -- "$(dirname -- "$0")/.."
if [ -n "${CAMERA_WS_BRIDGE_REAL_ROS:-}" ]; then
  workspace="$PWD"
else
  workspace="$(bash scripts/venv_path.bash)/ws"
fi
mkdir -p "$workspace/build"
if command -v flock > /dev/null; then
  exec 9> "$workspace/build/.lock"
  flock 9
fi
# Without an older overlay in the environment: colcon warns about its own packages there.
. scripts/env.bash

hash_of() { sha256sum | cut -d ' ' -f 1; }

# build PACKAGE KEY: nothing happens if the package was last built with the same key.
build() {
  local stamp="$workspace/build/$1/.stamp" log="$workspace/build/$1.log"
  [ "$(cat "$stamp" 2> /dev/null)" != "$2" ] || return 0
  local started=$SECONDS
  echo "building $1"
  if ! colcon --log-base "$workspace/log" build --build-base "$workspace/build" \
      --install-base "$workspace/install" --packages-select "$1" \
      > "$log" 2>&1 < /dev/null; then
    cat "$log" >&2
    echo "error: building $1 failed" >&2
    return 1
  fi
  echo "$2" > "$stamp"
  echo "built $1 in $((SECONDS - started)) s"
}

environment="$(echo "$ROS_DISTRO"; python3 -VV; cat "${CAMERA_WS_BRIDGE_VENV:-.}/stamp" 2> /dev/null || true)"
build camera_ws_bridge_msgs "$( (echo "$environment"; cd camera_ws_bridge_msgs \
  && find . -type f | LC_ALL=C sort | xargs sha256sum) | hash_of)"

sources="$(find package.xml setup.py setup.cfg resource camera_ws_bridge config examples launch -type f \
  ! -name '*.pyc' 2> /dev/null | LC_ALL=C sort)"
# setup.py never removes what it installed: start afresh when a file went away.
names="$(hash_of <<< "$sources")"
if [ "$(cat "$workspace/build/.names" 2> /dev/null)" != "$names" ]; then
  rm -rf "$workspace/build/camera_ws_bridge" "$workspace/install/camera_ws_bridge"
  echo "$names" > "$workspace/build/.names"
fi
build camera_ws_bridge "$( (echo "$environment"; xargs sha256sum <<< "$sources") | hash_of)"
