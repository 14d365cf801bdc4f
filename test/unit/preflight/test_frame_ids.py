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

"""What check says of frame ids that no video's time will ever reach."""

from camera_ws_bridge.config.parameters import BOXES, DETECTION2D
from camera_ws_bridge.preflight.report import failed, ok, Status
from camera_ws_bridge.preflight.ros import with_frame_ids

ARRIVES = ok('/detector publishes /boxes, and it arrives', topic='/boxes')


def test_it_warns_of_detections_that_count_from_1970():
    for boxes_type in DETECTION2D, 'theirs_msgs/msg/Found':
        found = with_frame_ids(ARRIVES, boxes_type, 'epoch')
        assert found.status is Status.WARNING and found.data == ARRIVES.data
        assert found.detail.startswith(ARRIVES.detail)
        assert 'frame_id_zero' in found.advice


def test_it_says_nothing_where_they_do_not_or_something_is_worse():
    for finding, boxes_type, zero in (
            (ARRIVES, DETECTION2D, 'first_frame'), (ARRIVES, DETECTION2D, '1764000000.25'),
            (ARRIVES, BOXES, 'epoch'), (ARRIVES, DETECTION2D, ''),
            (failed('nothing', 'do something'), DETECTION2D, 'epoch')):
        assert with_frame_ids(finding, boxes_type, zero) is finding
