#!/usr/bin/env bash
# fuzz.bash SECONDS FOLDER: runs every target of fuzz/ for so long; what is learnt and found stays
# in the folder. Where the fuzzer does not install, says so and does nothing.
set -euo pipefail
cd -- "$(dirname -- "$0")/.."
seconds="$1" folder="$2"
case "$folder" in /*) ;; *) folder="$PWD/$folder" ;; esac
if ! bash scripts/install_beside.bash requirements/atheris.txt "$folder/atheris"; then
  echo "fuzz: SKIPPED: atheris does not install for $(python3 -V) (the message above says why)"
  exit 0
fi
export PYTHONPATH="$folder/atheris${PYTHONPATH:+:$PYTHONPATH}:$PWD/fuzz"
status=0
for target in fuzz/fuzz_*.py; do
  name="$(basename "${target#fuzz/fuzz_}" .py)"
  if python3 "$target" --duration "$seconds" --work "$folder" > "$folder/$name.log" 2>&1; then
    echo "fuzz $name: ok, $(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/$name.log")" \
      "inputs in $seconds s, $(find "$folder/$name/corpus" -type f | wc -l) kept"
  else
    status=1
    echo "fuzz $name: FAILED; the input is in $folder/$name, the log in $folder/$name.log:"
    tail -n 30 "$folder/$name.log"
  fi
done
exit $status
