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

"""Object ids are cut out of encoded boxes; nothing else changes, whatever the texts hold."""

from camera_ws_bridge.protocol.boxes import Boxes, flat_box, NOT_TRACKED
from camera_ws_bridge.protocol.codec import encode_utf8
from camera_ws_bridge.protocol.object_ids import without_object_ids
from hypothesis import given, strategies as st
from rigs.codec_rig import LIBRARIES, library

TRAP = ',"objectId":7'
BOXES = st.builds(Boxes, st.floats(allow_nan=False, allow_infinity=False), st.lists(st.builds(
    flat_box, st.integers(0, 2**40), st.just((0.1, 0.2, 0.3, 0.4)),
    st.text(st.characters(blacklist_categories=['Cs'])) | st.sampled_from([
        TRAP, 'x' + TRAP, TRAP + '}', '\\' + TRAP, '\\\\' + TRAP, '"' + TRAP, 'objectId']),
    st.floats(0, 1), st.integers(NOT_TRACKED, 2**63 - 1)), max_size=5).map(tuple))


def bare(boxes):
    """Return the same boxes, of no tracked object."""
    return Boxes(boxes.frame_id, tuple((*box[:9], NOT_TRACKED) for box in boxes.boxes))


@given(BOXES)
def test_what_is_left_is_what_would_have_been_written_without(boxes):
    for name in LIBRARIES:
        with library(name):
            assert without_object_ids(encode_utf8(boxes)) == encode_utf8(bare(boxes)), name


def test_with_and_without():
    for object_id in NOT_TRACKED, 0, 12, 2**63 - 1:
        boxes = Boxes(1.5, 2 * (flat_box(1, (0.0, 0.0, 1.0, 1.0), 'person', 0.5, object_id),))
        assert without_object_ids(encode_utf8(boxes)) == encode_utf8(bare(boxes)), object_id
