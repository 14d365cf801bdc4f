#!/usr/bin/env bash
# On Ubuntu with ROS 2, as root: installs what both package.xml ask for, and a websockets that is
# new enough where apt has none (Humble's Ubuntu 22.04).
set -euo pipefail
cd -- "$(dirname -- "$0")/.."
[ -n "${ROS_DISTRO:-}" ] || { echo 'error: ROS_DISTRO is not set: source /opt/ros/.../setup.bash' >&2; exit 1; }

apt-get update
[ -e /etc/ros/rosdep/sources.list.d/20-default.list ] || rosdep init
rosdep update --rosdistro "$ROS_DISTRO"
rosdep install --from-paths . camera_ws_bridge_msgs --ignore-src --rosdistro "$ROS_DISTRO" -y
if dpkg --compare-versions "$(dpkg-query -W -f '${Version}' python3-websockets)" lt 10.4; then
  apt-get install --yes --no-install-recommends python3-pip
  pip3 install 'websockets>=10.4,<18'
fi
