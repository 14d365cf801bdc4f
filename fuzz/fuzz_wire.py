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

"""Any bytes on the wire: a message that encodes and decodes to itself, or a DecodeError."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import fuzzing

with fuzzing.instrumented('json', 'base64'):
    from camera_ws_bridge.errors import DecodeError
    from camera_ws_bridge.protocol import codec
    from camera_ws_bridge.protocol.start import Start
    from rigs.codec_rig import LIBRARIES, library

CAUSES = {'malformed', 'invalid_field', 'unknown_type', 'too_big'}
WORDS = [
    b'"type":', b'"start"', b'"stop"', b'"featureMap"', b'"boundingBoxes"', b'"identifier"',
    b'"authenticate"', b'"objectId":', b'"frameId":', b'"boxId":', b'"boxes":[{', b'"rect":[',
    b'"objectType":', b'"certainty":', b'"image":', b'"id":', b'"jwt":', b'NaN', b'-Infinity',
    b'1e999', b'9223372036854775807', b'9007199254740993', b'-0.0', b'\\ud800', b'\\u0000',
    b'\xed\xa0\x80', b'data:image/png;base64,', b'null', b'true', b'{}', b'[]']


def check(data: bytes) -> None:
    """Decode; what is a message survives another round, whatever is not is refused in words."""
    try:
        message = codec.decode(data)
    except DecodeError as error:
        assert error.cause in CAUSES, error.cause
        fuzzing.assert_in_words(error)
        return
    for problem in message.left_out():
        assert problem.cause in ('frame_unusable', 'image_unusable'), problem.cause
        fuzzing.assert_in_words(problem)
    if isinstance(message, Start):
        message = replace(message, frame_problem='', image_problem='')
    # The standard library alone is what a device without orjson has.
    for name in LIBRARIES:
        with library(name):
            again = codec.decode(codec.encode_utf8(message))
        if isinstance(again, Start):
            again = replace(again, frame_problem='')  # of a start that shows nothing
        # repr tells integers from doubles, and every double from every other.
        assert repr(again) == repr(message), name


def seeds() -> Iterator[bytes]:
    """Return what the tests know to be good and bad, and a recorded session."""
    from rigs.bad_inputs import REJECTED
    from rigs.damaged_starts import DAMAGED
    from rigs.texts import GOOD

    for entry in (*GOOD, *REJECTED, *DAMAGED):
        yield entry.text.encode('utf-8', 'surrogatepass')
    for _, text in fuzzing.recorded():
        yield text


if __name__ == '__main__':
    fuzzing.run('wire', check, seeds(), WORDS)
