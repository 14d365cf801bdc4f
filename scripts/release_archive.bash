#!/usr/bin/env bash
# release_archive.bash VERSION: makes build/release/camera_ws_bridge-VERSION.tar.gz of the last
# commit, builds what is in it with colcon, and starts what came out. Fails where version or
# changelogs say something else. Needs a sourced ROS 2, or scripts/env.bash.
set -euo pipefail
cd -- "$(dirname -- "$0")/.."
version="${1:?which version?}"
name="camera_ws_bridge-$version"
python3 scripts/check_release.py "$version"
mkdir -p build/release
archive="$PWD/build/release/$name.tar.gz"
git archive --prefix="$name/" --output="$archive" HEAD
work="$(mktemp -d)"
trap 'rm -rf -- "$work"' EXIT
tar -xzf "$archive" -C "$work"
cd "$work/$name"
colcon build --event-handlers console_cohesion- --cmake-args -DBUILD_TESTING=OFF
set +u  # colcon's set-up scripts do not hold under it
. install/setup.bash
set -u
for executable in install/camera_ws_bridge/lib/camera_ws_bridge/*; do
  case $executable in *.py) continue ;; esac
  "$executable" --help > /dev/null || { echo "error: $executable --help failed" >&2; exit 1; }
done
echo "$archive: built, and all executables start"
