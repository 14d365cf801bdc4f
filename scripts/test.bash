#!/usr/bin/env bash
# test.bash [ARGUMENT...]: runs pytest in two lanes: files side by side, of which most only wait;
# then, alone on the machine, what measures. Without pytest-xdist the first lane is one by one, too.
set -uo pipefail
cd -- "$(dirname -- "$0")/.."
beside=()
if python3 -c 'import xdist' 2> /dev/null; then
  beside=(-n "$((2 * $(nproc)))" --dist loadfile --no-loadscope-reorder)
fi
nothing=5  # pytest's exit code where the arguments leave nothing to run
pytest -m 'not serial' "${beside[@]}" "$@"
together=$?
pytest -m serial "$@"
alone=$?
[ $together -ne $nothing ] || exit $alone
[ $alone -ne $nothing ] || exit $together
exit $((together ? together : alone))
