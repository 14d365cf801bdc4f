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
Any sequence of messages and registrations: what the re-ID node is told is consistent.

The bytes are lines: `!` begins a registration on a new connection, `=` one on the same, `?` is its
pong, `.` the end of the connection; all else is a message's text.
"""

from __future__ import annotations

from collections.abc import Iterator

import fuzzing

with fuzzing.instrumented():
    from camera_ws_bridge.errors import DecodeError
    from camera_ws_bridge.protocol import codec
    from camera_ws_bridge.protocol.start import Start
    from camera_ws_bridge.protocol.stop import Stop
    from camera_ws_bridge.protocol.update import Update
    from camera_ws_bridge.tracking.tracked_objects import Session

WORDS = [b'\n!\n', b'\n=\n', b'\n?\n', b'\n.\n',
         b'{"type":"start","objectId":1,"frameId":1,"boxId":0}\n',
         b'{"type":"stop","objectId":1}\n', b'"objectId":2', b'[2.5]',
         b'{"type":"featureMap","objectId":1,"featureMap":{}}\n',
         b'{"type":"featureMap","objectId":1,"featureMap":[1]}\n']


def check(data: bytes) -> None:
    """Follow the commands as a re-ID node does: it tracks what the session says is tracked."""
    session = Session()
    sequence = 0
    tracked: dict[int, tuple[float, ...]] = {}
    for line in data.split(b'\n'):
        if line in (b'!', b'='):
            session.begin_registration(line == b'!')
            continue
        if line in (b'?', b'.'):
            commands = session.registered() if line == b'?' else session.broken_off()
        else:
            try:
                message = codec.decode(line)
            except DecodeError:
                session.doubt_registration()
                continue
            commands = session.receive(message)
        number = commands[0].session if commands else session.number
        for command in commands:
            sequence += 1
            assert command.sequence == sequence
            if command.session != number:
                assert not tracked, 'a session begins with nothing'
                assert command.session == number + 1
                number = command.session
            told = command.message
            if isinstance(told, Stop):
                assert told.object_id in tracked or not command.reconciled
                tracked.pop(told.object_id, None)
            elif isinstance(told, Start):
                tracked[told.object_id] = ()
            else:
                assert isinstance(told, Update)
                tracked[told.object_id] = told.feature_map
        assert number == session.number or not tracked
        assert {object_id: known.feature_map for object_id, known in session.tracked.items()} == (
            tracked)


def seeds() -> Iterator[bytes]:
    """Return a recorded session, and words in some orders."""
    said = [text for direction, text in fuzzing.recorded() if direction == 'from_orchestrator']
    yield b'!\n' + b'\n'.join(said) + b'\n?\n'
    for start in range(0, len(said), 3):
        yield b'!\n' + b'\n'.join(said[start:start + 6]) + b'\n?\n!\n?'
    for first in WORDS:
        for second in WORDS:
            yield first + second + b'\n!\n?\n' + first


if __name__ == '__main__':
    fuzzing.run('session', check, seeds(), WORDS)
