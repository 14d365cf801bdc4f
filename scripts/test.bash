#!/usr/bin/env bash
# test.bash [ARGUMENT...]: runs pytest in two lanes: together, files side by side, of which most
# only wait; then alone, what measures. LANE=together or LANE=alone: only that. Without pytest-xdist
# the first lane is one by one, too.
set -uo pipefail
cd -- "$(dirname -- "$0")/.."
beside=()
if python3 -c 'import xdist' 2> /dev/null; then
  # Where a worker crashes, what was left of its file would be waited for without end.
  beside=(-n "$((3 * $(nproc)))" --dist loadfile --no-loadscope-reorder --max-worker-restart 0)
fi
nothing=5  # pytest's exit code where the arguments leave nothing to run
status=$nothing
for lane in ${LANE:-together alone}; do
  if [ "$lane" = together ]; then
    pytest -m 'not serial' ${beside[@]+"${beside[@]}"} "$@"
  else
    pytest -m serial "$@"
  fi
  code=$?
  if [ $code -ne $nothing ] && { [ $status -eq 0 ] || [ $status -eq $nothing ]; }; then
    status=$code
  fi
done
exit $status
