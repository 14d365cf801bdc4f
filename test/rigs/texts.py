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
Messages of the protocol as JSON text, made field by field, and GOOD: every one is a message.

Plain data that needs nothing but the standard library.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
import json
from typing import NamedTuple

from rigs.png_files import PNG, png_of_length

PREFIX = 'data:image/png;base64,'


class Good(NamedTuple):
    """A text that is a message."""

    name: str
    text: str


# ---- fields and messages

def data_uri(data: bytes, prefix: str = PREFIX) -> str:
    """Return the data URI of a file."""
    return prefix + base64.b64encode(data).decode('ascii')


def compose(fields: dict[str, str]) -> str:
    """Return a JSON object whose values are given as JSON text."""
    return '{' + ', '.join(f'{json.dumps(key)}: {text}' for key, text in fields.items()) + '}'


BOX = {
    'boxId': '3', 'rect': '[0.1, 0.25, 0.2, 0.75]', 'objectType': '"person"', 'certainty': '0.87',
    'objectId': '7'}

MESSAGES = {
    'start': {
        'objectId': '7', 'frameId': '1606.0333333333335', 'boxId': '3',
        'image': json.dumps(data_uri(PNG))},
    'stop': {'objectId': '7'},
    'featureMap': {'objectId': '7', 'featureMap': '[0.5, -1, 2.5]'},
    'boundingBoxes': {'frameId': '1606.0333333333335', 'boxes': f'[{compose(BOX)}]'},
}


def message(kind: str, without: tuple[str, ...] = (), **changes: str) -> str:
    """Return a good message, changed: values are JSON text."""
    fields = {'type': json.dumps(kind), **MESSAGES[kind], **changes}
    return compose({key: text for key, text in fields.items() if key not in without})


def start_with(image: str) -> str:
    """Return a start with this text as its image."""
    return message('start', image=json.dumps(image))


def boxes_with(without: tuple[str, ...] = (), **changes: str) -> str:
    """Return boundingBoxes whose second box is changed."""
    box = {key: text for key, text in {**BOX, **changes}.items() if key not in without}
    return message('boundingBoxes', boxes=f'[{compose(BOX)}, {compose(box)}]')


# ---- the table

def _good() -> Iterator[Good]:
    for kind in MESSAGES:
        yield Good(kind, message(kind))
    yield Good('start, image only', message('start', ('frameId', 'boxId')))
    yield Good('start, frame and box only', message('start', ('image',)))
    yield Good('start, integer frame', message('start', frameId='1606'))
    yield Good('start, ids 0', message('start', objectId='0', boxId='0', frameId='0'))
    yield Good('start, greatest ids', message('start', objectId=str(2**63 - 1),
                                              boxId=str(-2**63)))
    yield Good('start, greatest image', start_with(data_uri(png_of_length(15 * 2**19))))
    yield Good('feature map of nothing', message('featureMap', featureMap='{}'))
    yield Good('feature map without numbers', message('featureMap', featureMap='[]'))
    yield Good('feature map of one integer', message('featureMap', featureMap='[0]'))
    yield Good('longest feature map',
               message('featureMap', featureMap='[' + '0.5,' * (2**16 - 1) + '0.5]'))
    yield Good('frame without boxes', message('boundingBoxes', boxes='[]'))
    yield Good('box that is not tracked', boxes_with(('objectId',)))
    yield Good('unknown fields', message(
        'stop', reason='"why"', more='{"a": [null, NaN, 1e999, %s, "\\ud800"]}' % ('9' * 5000)))
    yield Good('white space', '\r\n\t ' + message('stop') + ' \n')


GOOD = tuple(_good())

# What a camera says, and never hears.
UNEXPECTED = (
    message('boundingBoxes'), '{"type": "identifier", "id": "gate"}',
    '{"type": "authenticate", "jwt": "a.b.c"}')
