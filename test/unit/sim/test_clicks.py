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

"""What the simulated operator does, by what its screen shows."""

import base64

from camera_ws_bridge.protocol import codec, strict_json
from camera_ws_bridge.protocol.start import IMAGE_PREFIX
from camera_ws_bridge.sim.interface.clicks import Clicks, WITH_IMAGE


def boxes(*object_ids, camera_id='gate', frame_id=1.5):
    return {'type': 'boundingBoxes', 'cameraId': camera_id, 'frameId': frame_id, 'boxes': [
        {'boxId': number, **({} if object_id is None else {'objectId': object_id})}
        for number, object_id in enumerate(object_ids)]}


def test_without_a_free_box_there_is_nothing_to_click_on():
    clicks = Clicks('gate', keep=3)
    for message in (None, boxes(), boxes(None, camera_id='other'), boxes(0, 7),
                    {'type': 'unheardOf'}):
        if message is not None:
            clicks.hear(message)
        assert clicks.next() is None, message


def test_it_clicks_on_the_first_box_that_is_not_tracked_on_the_newest_frame():
    clicks = Clicks('gate', keep=3)
    clicks.hear(boxes(None))
    clicks.hear(boxes(7, None, None, frame_id=2.5))
    assert clicks.next() == {
        'type': 'start', 'cameraId': 'gate', 'frameId': 2.5, 'boxId': 1}


def test_when_enough_are_tracked_it_stops_the_oldest():
    clicks = Clicks('gate', keep=2)
    clicks.hear(boxes(None))
    for object_id in (4, 5, 4):  # 4 is told again to those that begin to use images
        clicks.hear({'type': 'newObject', 'objectId': object_id})
    assert clicks.next() == {'type': 'stop', 'objectId': 4}
    for object_id in (4, 9):
        clicks.hear({'type': 'stop', 'objectId': object_id})
    assert clicks.tracked == [5]
    assert clicks.next()['type'] == 'start'


def test_some_starts_show_a_cut_out():
    clicks = Clicks('gate', keep=1)
    clicks.hear(boxes(None))
    images = [clicks.next().get('image') for _ in range(2 * WITH_IMAGE)]
    shown = [index for index, image in enumerate(images, 1) if image]
    assert shown == [WITH_IMAGE, 2 * WITH_IMAGE]
    data = base64.b64decode(images[WITH_IMAGE - 1].removeprefix(IMAGE_PREFIX))
    text = strict_json.dumps({'type': 'start', 'objectId': 1, 'image': images[WITH_IMAGE - 1]})
    assert codec.decode(text).image == data
