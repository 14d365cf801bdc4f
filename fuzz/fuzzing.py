# Copyright 2026 camera_ws_bridge developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""
What every fuzz target shares; `make fuzz` runs them all.

A new target is a file fuzz_NAME.py, which imports what it looks into within `instrumented()`:
`check(data)` raises AssertionError, or anything that the code under test must not raise, where the
property does not hold; `seeds()` returns inputs to begin with, and `WORDS` are what the fuzzer may
insert. What was found belongs into fuzz/found/NAME/.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
import contextlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
TEST = HERE.parent / 'test'
MAX_LENGTH = 8192  # bytes of an input
TIMEOUT = 5  # seconds for one input, with all of the fuzzer's own costs on a busy machine
MEMORY = 512  # MiB of the whole process

sys.path.insert(0, str(TEST))


def instrumented(*more: str) -> contextlib.AbstractContextManager[None]:
    """Let the fuzzer see the branches of this package, and of more, that is imported within."""
    try:
        import atheris
    except ImportError:  # the test suite runs the seeds without it
        return contextlib.nullcontext()
    return atheris.instrument_imports(include=['camera_ws_bridge', *more])  # type: ignore


def assert_in_words(error: Exception) -> None:
    """Demand that an error says something, in a line that any log takes."""
    assert 0 < len(str(error)) <= 300 and str(error).isprintable(), str(error)


def recorded() -> list[tuple[str, bytes]]:
    """Return a recorded session: the direction and the text of each message."""
    lines = (TEST / 'data' / 'orchestrator-session.jsonl').read_text(encoding='utf-8').splitlines()
    return [(entry['direction'], str(entry['text']).encode()) for entry in map(json.loads, lines)]


def found(name: str) -> list[bytes]:
    """Return the inputs that once broke the property of a target."""
    folder = HERE / 'found' / name
    return [path.read_bytes() for path in sorted(folder.glob('*'))] if folder.is_dir() else []


def run(
        name: str, check: Callable[[bytes], None], seeds: Iterable[bytes],
        words: Iterable[bytes] = ()) -> None:
    """Fuzz for the time that the command line says; never returns."""
    import atheris

    parser = argparse.ArgumentParser(description=f'Fuzz {name}, guided by coverage.')
    parser.add_argument('--duration', type=int, default=30, metavar='SECONDS')
    parser.add_argument('--seed', type=int, default=0, help='0: a new one each time')
    parser.add_argument('--work', type=pathlib.Path, required=True,
                        help='folder for the corpus, which later runs go on with, and findings')
    arguments = parser.parse_args()
    corpus = arguments.work / name / 'corpus'
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate([*seeds, *found(name)]):
        if len(seed) <= MAX_LENGTH:
            (corpus / f'seed-{number:04}').write_bytes(seed)
    dictionary = arguments.work / name / 'words'
    dictionary.write_text('\n'.join(_entries(words)) + '\n')
    atheris.Setup([
        name, f'-max_total_time={arguments.duration}', f'-seed={arguments.seed}',
        f'-max_len={MAX_LENGTH}', f'-timeout={TIMEOUT}', f'-rss_limit_mb={MEMORY}',
        f'-dict={dictionary}', f'-artifact_prefix={arguments.work / name}/',
        '-print_final_stats=1', '-verbosity=0', str(corpus)], check)
    atheris.Fuzz()


def _entries(words: Iterable[bytes]) -> Iterator[str]:
    for word in words:
        yield '"' + ''.join(f'\\x{byte:02x}' for byte in word) + '"'
