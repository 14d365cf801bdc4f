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
Print how long an outage the buffer of your camera survives, and how large it has to be for more.

    python3 scripts/buffer_size.py RATE BOXES   frames a second, boxes on a frame
    python3 scripts/buffer_size.py --write      writes the table in docs/operations.md
"""

import argparse
import math
import pathlib
import re
import time
import tracemalloc

from camera_ws_bridge.buffer.outbox import Outbox, Policy
from camera_ws_bridge.config.parameters import SPECS
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.boxes import Boxes, flat_box

PAGE = pathlib.Path(__file__).resolve().parents[1] / 'docs' / 'operations.md'
BEGIN, END = '<!-- buffer -->\n', '<!-- end of buffer -->'
CAMERAS = ((10, 5), (30, 5), (30, 20), (30, 100), (300, 20))
HOUR = 3600
HEAD = (
    '| frames a second | boxes on a frame | bytes a message | outage that the defaults survive '
    '| for an hour set |\n|---|---|---|---|---|\n')
DEFAULTS = {spec.name: spec.default for spec in SPECS}


def message_bytes(boxes: int) -> int:
    """Return the size of a boxes message with numbers of full length, as detectors give them."""
    third = 1 / 3
    found = tuple(
        flat_box(box_id, (third / 7, third / 3, third / 2, third), 'person', third, 123456)
        for box_id in range(boxes))
    return len(codec.encode_utf8(Boxes(1606.0333333333335, found)))


def duration(seconds: float) -> str:
    """Return seconds for people."""
    if seconds < 120:
        return f'{seconds:.0f} s'
    return f'{seconds / 60:.0f} min' if seconds < 2 * HOUR else f'{seconds / HOUR:.1f} h'


def row(rate: float, boxes: int) -> str:
    """Return a row of the table."""
    size = message_bytes(boxes)
    survives = min(DEFAULTS['boxes_max_messages'] / rate,
                   DEFAULTS['boxes_max_bytes'] / (rate * size))
    count = math.ceil(HOUR * rate)
    return (f'| {rate:g} | {boxes} | {size} | {duration(survives)} '
            f'| `boxes_max_messages: {count}`, `boxes_max_bytes: {count * size}` |\n')


def bookkeeping() -> float:
    """Return how many bytes of memory a queued message takes beside its own."""
    size, count = 1000, 10_000
    outbox = Outbox(Policy(count, 2 * count * size), Policy(2, 1024))
    tracemalloc.start()
    for _ in range(count):
        outbox.put(outbox.boxes, bytes(size), time.monotonic())
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken / count - size


def page(old: str) -> str:
    """Return operations.md with the table anew."""
    rows = ''.join(row(*camera) for camera in CAMERAS)
    table = f'{BEGIN}\n{HEAD}{rows}\n{END}'
    return re.sub(f'{BEGIN}.*?{END}', lambda _: table, old, flags=re.DOTALL)


def main() -> None:
    """Print a row, or write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('rate', nargs='?', type=float, help='frames a second')
    parser.add_argument('boxes', nargs='?', type=int, help='boxes on a frame')
    parser.add_argument('--write', action='store_true', help='write the table instead')
    given = parser.parse_args()
    if given.write and given.rate is None:
        PAGE.write_text(page(PAGE.read_text(encoding='utf-8')), encoding='utf-8')
    elif given.boxes is not None and not given.write and given.rate > 0 <= given.boxes:
        print(HEAD + row(given.rate, given.boxes), end='')
        print(f'in memory, {bookkeeping():.0f} bytes a message more')
    else:
        parser.error('give RATE (above 0) and BOXES, or --write')


if __name__ == '__main__':
    main()
