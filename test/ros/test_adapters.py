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

"""Which adapter takes a type: those built in, those installed, and what else is said."""

from importlib import invalidate_caches
import sys
from types import ModuleType

from camera_ws_bridge.config.parameters import BOXES, DETECTION2D
from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.inputs import adapters, detection2d, yolo
from geometry_msgs.msg import PointStamped, PolygonStamped
import pytest

POLYGON = 'geometry_msgs/msg/PolygonStamped'
THEIRS = """
def one(message):
    return []

def two(message, size):
    return []

def three(message, size, more):
    return []

number = 3
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return what installs a package that offers adapters, given as `type = their_code:name`."""
    (tmp_path / 'their_code.py').write_text(THEIRS)
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda *offers, package='theirs': _write(tmp_path, package, offers)
    sys.modules.pop('their_code', None)


def _write(folder, package, offers):
    info = folder / f'{package}-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text('\n'.join([f'[{adapters.GROUP}]', *offers, '']))
    invalidate_caches()


@pytest.fixture
def vision_msgs(monkeypatch):
    """Let there be vision_msgs and yolo_msgs, as far as names go."""
    for package, names in (('vision_msgs', ('Point2D', 'Detection2DArray', 'Detection3DArray')),
                           ('yolo_msgs', ('DetectionArray',))):
        module = ModuleType(f'{package}.msg')
        vars(module).update({name: type(name, (), {}) for name in names})
        monkeypatch.setitem(sys.modules, package, ModuleType(package))
        monkeypatch.setitem(sys.modules, f'{package}.msg', module)


def refusal(boxes_type):
    """Return why there is no adapter for it."""
    with pytest.raises(ConfigurationError) as caught:
        adapters.find(boxes_type)
    assert caught.value.parameter == 'boxes_type'
    return caught.value.reason


def test_boxes_need_none():
    assert adapters.find(BOXES) is None


def test_those_built_in(vision_msgs):
    for boxes_type, function in (
            (DETECTION2D, detection2d.boxes), (adapters.YOLO, yolo.boxes)):
        found = adapters.find(boxes_type)
        assert (found.boxes, found.in_pixels, found.source) == (function, True, '')
        assert found.message_type.__name__ == boxes_type.rpartition('/')[2]


def test_those_installed_are_told_the_size_if_they_take_it(install):
    install(f'{POLYGON} = their_code:two', 'geometry_msgs/msg/PointStamped = their_code:one')
    found = adapters.find(POLYGON)
    assert found.message_type is PolygonStamped and found.in_pixels
    assert found.boxes.__name__ == 'two' and found.source == 'theirs: their_code:two'
    found = adapters.find('geometry_msgs/msg/PointStamped')
    assert found.message_type is PointStamped and not found.in_pixels


def test_one_that_is_built_in_is_not_replaced(install, vision_msgs):
    install(f'{DETECTION2D} = their_code:two', f'{BOXES} = their_code:two')
    assert adapters.find(DETECTION2D).boxes is detection2d.boxes
    assert adapters.find(BOXES) is None
    assert adapters.known() == [BOXES, DETECTION2D, adapters.YOLO]


def test_an_unknown_type_lists_what_there_is(install):
    assert refusal('a/msg/B') == (
        "'a/msg/B': there is no adapter for it; there are "
        f'{BOXES}, {DETECTION2D}, {adapters.YOLO}')
    install(f'{POLYGON} = their_code:two')
    assert refusal('').endswith(f'{adapters.YOLO}, {POLYGON}')


def test_boxes_in_metres_are_refused_with_what_to_do(install, vision_msgs):
    (name,) = adapters.INSTEAD
    assert 'as the camera sees them' in refusal(name) and DETECTION2D in refusal(name)


def test_who_has_an_adapter_for_them_may_use_it(install, monkeypatch, vision_msgs):
    (name,) = adapters.INSTEAD
    sys.modules['vision_msgs.msg'].Detection3DArray.get_fields_and_field_types = classmethod(
        lambda cls: {'header': 'std_msgs/Header'})
    install(f'{name} = their_code:two')
    assert adapters.find(name).boxes.__name__ == 'two'


def test_two_offers_for_one_type_are_named(install):
    install(f'{POLYGON} = their_code:two', package='theirs')
    install(f'{POLYGON} = their_code:one', package='others')
    assert '(others: their_code:one, theirs: their_code:two)' in refusal(POLYGON)


@pytest.mark.parametrize('offer, says', [
    (f'{POLYGON} = their_code:none', 'cannot be loaded (AttributeError'),
    (f'{POLYGON} = nowhere:boxes', 'cannot be loaded (ModuleNotFoundError'),
    (f'{POLYGON} = their_code:number', 'cannot be loaded (TypeError'),
    (f'{POLYGON} = their_code:three', 'takes 3 arguments'),
    ('Polygon = their_code:one', "'Polygon' is not PACKAGE/msg/TYPE"),
    ('geometry_msgs/msg/Polygons = their_code:one', 'geometry_msgs has no message Polygons'),
    ('geometry_msgs/msg/Polygon = their_code:one', 'geometry_msgs/msg/Polygon has no header'),
    ('nowhere_msgs/msg/Polygon = their_code:one', 'nowhere_msgs cannot be imported'),
])
def test_an_offer_that_cannot_work_is_refused(install, offer, says):
    install(offer)
    assert says in refusal(offer.partition(' ')[0])


def test_a_vision_msgs_of_old_is_refused(vision_msgs):
    del sys.modules['vision_msgs.msg'].Point2D
    assert refusal(DETECTION2D) == 'this vision_msgs is older than version 4'


def test_how_vision_msgs_is_installed_is_said(monkeypatch):
    for package in 'vision_msgs', 'yolo_msgs':
        monkeypatch.setitem(sys.modules, package, None)
        monkeypatch.setitem(sys.modules, f'{package}.msg', None)  # it may be imported already
    assert 'ros-$ROS_DISTRO-vision-msgs' in refusal(DETECTION2D)
    assert 'yolo_msgs cannot be imported' in refusal(adapters.YOLO)
