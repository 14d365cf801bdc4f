#!/usr/bin/env bash
# Prints the folder of the virtual environment: VENV if given, else .venv, or .venv-DISTRO for
# another distro than jazzy, so that several stand side by side.
set -eu
root="$(cd -- "$(dirname -- "$0")/.." && pwd -P)"
venv="${VENV:-}"
if [ -z "$venv" ]; then
  case "${DISTRO:-jazzy}" in
    jazzy) venv=.venv ;;
    *) venv=".venv-$DISTRO" ;;
  esac
fi
case "$venv" in
  /*) echo "$venv" ;;
  *) echo "$root/$venv" ;;
esac
