# Puts this shell into the built environment:  source scripts/env.bash
# Jazzy unless DISTRO says otherwise. Never exits the shell; may be sourced again, also for another
# DISTRO. With a ROS 2 install sourced it only adds this workspace's overlay.
# shellcheck shell=bash

if [ -z "${BASH_VERSION:-}" ]; then
  echo 'scripts/env.bash: this needs bash' >&2
  return 1
fi

# Remove from the path list named $1 every entry at or below folder $2.
_cwb_drop() {
  local entry kept='' rest="${!1:-}:"
  while [ -n "$rest" ]; do
    entry="${rest%%:*}"
    rest="${rest#*:}"
    case "$entry" in
      '' | "$2" | "$2"/*) ;;
      *) kept="$kept${kept:+:}$entry" ;;
    esac
  done
  # Unset rather than empty: an empty entry would mean the current folder.
  if [ -n "$kept" ]; then export "$1=$kept"; else unset "$1"; fi
}

# Put folder $2 in front of the path list named $1.
_cwb_prepend() {
  export "$1=$2${!1:+:${!1}}"
}

_cwb_main() {
  local root venv workspace name folder
  root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)" || return
  # Our own variable, because ROS_DISTRO is set both by us and by a ROS 2 install.
  if [ -z "${CAMERA_WS_BRIDGE_VENV:-}" ] && [ -n "${ROS_DISTRO:-}" ] \
      && python3 -c 'import rclpy' 2>/dev/null; then
    workspace="$root"
  else
    venv="$(bash "$root/scripts/venv_path.bash")"
    if [ ! -x "$venv/bin/python3" ]; then
      echo "scripts/env.bash: no $venv yet: run 'make build' in $root" >&2
      return 1
    fi
    for name in PATH LD_LIBRARY_PATH PYTHONPATH AMENT_PREFIX_PATH CMAKE_PREFIX_PATH \
        COLCON_PREFIX_PATH PKG_CONFIG_PATH; do
      _cwb_drop "$name" "$venv"
      [ -z "${CAMERA_WS_BRIDGE_VENV:-}" ] || _cwb_drop "$name" "$CAMERA_WS_BRIDGE_VENV"
    done
    workspace="$venv/ws"
    export CAMERA_WS_BRIDGE_VENV="$venv"
    export VIRTUAL_ENV="$venv"
    ROS_DISTRO="$(cat "$venv/distro")"
    export ROS_DISTRO ROS_VERSION=2 ROS_PYTHON_VERSION=3
    # What the wheels' .pth sets by re-executing every interpreter; set here, that is not needed.
    for folder in "$venv"/lib/python3*/site-packages/ros_*.libs "$venv/lib"; do
      [ ! -d "$folder" ] || _cwb_prepend LD_LIBRARY_PATH "$folder"
    done
    export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
    _cwb_prepend PATH "$venv/bin"
    _cwb_prepend AMENT_PREFIX_PATH "$venv"
    _cwb_prepend CMAKE_PREFIX_PATH "$venv"
  fi
  if [ -f "$workspace/install/local_setup.bash" ]; then
    # shellcheck disable=SC1091
    . "$workspace/install/local_setup.bash"
  fi
  # Else Fast DDS multicasts on every interface.
  export ROS_AUTOMATIC_DISCOVERY_RANGE="${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"
  # Humble knows this alone.
  if [ "$ROS_DISTRO" = humble ] && [ "$ROS_AUTOMATIC_DISCOVERY_RANGE" = LOCALHOST ]; then
    export ROS_LOCALHOST_ONLY=1
  fi
}

# run NAME [ARGUMENT...]: starts one of the package's executables, as `ros2 run camera_ws_bridge`
# does, which the wheels do not have. They are not on PATH: iproute2 has a `bridge` too.
run() {
  "$(python3 -c 'from ament_index_python import get_package_prefix as prefix
print(prefix("camera_ws_bridge"))')/lib/camera_ws_bridge/$1" "${@:2}"
}

# colcon's set-up scripts do not hold under `set -u`, nor `set -e`.
case $- in *u*) _cwb_restore='set -u' ;; *) _cwb_restore='' ;; esac
case $- in *e*) _cwb_restore="$_cwb_restore; set -e" ;; esac
set +ue
_cwb_main
_cwb_status=$?
eval "${_cwb_restore#; }"
unset -f _cwb_main _cwb_drop _cwb_prepend
unset _cwb_restore
# `return` with the status, and leave no variable behind.
eval "unset _cwb_status; return $_cwb_status"
