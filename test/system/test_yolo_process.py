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

"""The detections of yolo_ros's own messages, where they are installed."""

from camera_ws_bridge.inputs.adapters import YOLO
import pytest
from rigs import detector_rig

try:
    from yolo_msgs.msg import Detection, DetectionArray
except ImportError:
    DetectionArray = None


@pytest.mark.skipif(DetectionArray is None, reason='yolo_msgs is not installed')
def test_detections_of_yolo_ros_arrive_as_boxes(tmp_path):
    with detector_rig.running(
            tmp_path, DetectionArray, boxes_type=YOLO, image_width=640, image_height=480) as rig:
        rig.connect()
        found = Detection(class_name='person', score=0.75, id='7')
        found.bbox.center.position.x, found.bbox.center.position.y = 320.0, 240.0
        found.bbox.size.x, found.bbox.size.y = 64.0, 48.0
        message = DetectionArray(detections=[found])
        message.header.stamp.sec = 5
        rig.probe.boxes.publish(message)
        assert rig.frame(5.0)['boxes'] == [{
            'boxId': 0, 'rect': [0.45, 0.45, 0.55, 0.55], 'objectType': 'person',
            'certainty': 0.75, 'objectId': 7}]
        assert 'set detection_ids to false' in rig.process.log
