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

"""What a re-ID node is told of objects, whatever it has been told before."""

from camera_ws_bridge.reid.events import Command, Event, Kind, Listed
from camera_ws_bridge.reid.objects import Objects


def told(objects, kind, object_id, feature_map=(), session=1):
    """Return what is told of a command, in short."""
    return short(objects.follow(
        Command(kind, 1, session, object_id, 0, feature_map, message='its own')))


def short(events):
    return [(event.kind.value, event.object_id if event.kind is not Kind.SESSION
             else event.session) for event in events]


def listed(objects, maps=False, session=1, **found):
    return objects.compare(
        Listed(session, 0, {int(key[1:]): value for key, value in found.items()}), maps)


def test_the_first_session_is_told_as_well():
    objects = Objects()
    assert objects.session is None
    assert told(objects, Kind.START, 7) == [('session', 1), ('start', 7)]
    assert told(objects, Kind.UPDATE, 7, (0.5,)) == [('update', 7)]
    assert objects.session == 1


def test_a_command_is_told_with_its_message():
    event, = Objects().follow(Command(Kind.UPDATE, 3, 1, 7, 0, (0.5,), 'its own'))[1:]
    assert event == Event(Kind.UPDATE, 1, 7, (0.5,), 'its own')


def test_a_stop_is_told_once_and_not_of_what_is_unknown():
    objects = Objects()
    told(objects, Kind.START, 7)
    assert told(objects, Kind.STOP, 8) == []
    assert told(objects, Kind.STOP, 7) == [('stop', 7)]
    assert told(objects, Kind.STOP, 7) == []


def test_before_a_session_ends_all_its_objects_are_stopped():
    objects = Objects()
    for object_id in (3, 1, 2):
        told(objects, Kind.START, object_id)
    told(objects, Kind.STOP, 2)
    assert told(objects, Kind.UPDATE, 1, (0.5,), session=2) == [
        ('stop', 1), ('stop', 3), ('session', 2), ('update', 1)]
    assert objects.follow(Command(Kind.STOP, 1, 3, 9, 0))[0] == Event(Kind.STOP, 2, 1)


def test_a_list_tells_what_was_missed():
    objects = Objects()
    for object_id in (1, 2):
        told(objects, Kind.UPDATE, object_id, (0.5,))
    assert listed(objects, _2=(0.5,), _3=(), _4=(0.25,)) == [
        Event(Kind.STOP, 1, 1), Event(Kind.UPDATE, 1, 3, ()), Event(Kind.UPDATE, 1, 4, (0.25,))]
    assert listed(objects, _2=(0.5,), _3=(), _4=(0.25,)) == []
    assert short(listed(objects, session=2, _2=())) == [
        ('stop', 2), ('stop', 3), ('stop', 4), ('session', 2), ('update', 2)]


def test_feature_maps_are_compared_only_in_doubt():
    objects = Objects()
    told(objects, Kind.UPDATE, 1, (0.5,))
    assert listed(objects, _1=(0.25,)) == []  # the node's own, which it need not be told
    assert listed(objects, maps=True, _1=()) == []
    assert listed(objects, maps=True, _1=(0.5,)) == []
    assert listed(objects, maps=True, _1=(0.25,)) == [Event(Kind.UPDATE, 1, 1, (0.25,))]


def test_a_late_start_is_told_as_long_as_nobody_has_extracted_its_object():
    objects = Objects()
    late = Command(Kind.START, 1, 1, 7, 0, (), 'its own')
    assert objects.follow_late(late) == []  # it is not tracked
    listed(objects, _7=())
    assert objects.follow_late(Command(Kind.START, 1, 2, 7, 0)) == []  # another session's
    assert objects.follow_late(Command(Kind.UPDATE, 1, 1, 7, 0)) == []
    assert objects.follow_late(late) == [Event(Kind.START, 1, 7, (), 'its own')]
    assert objects.extracted(1, 7, (0.5,))
    assert objects.follow_late(late) == []


def test_what_the_node_has_extracted_itself_is_known():
    objects = Objects()
    told(objects, Kind.START, 7)
    assert not objects.extracted(1, 8, (0.5,)) and not objects.extracted(2, 7, (0.5,))
    assert objects.extracted(1, 7, (0.5,))
    assert listed(objects, maps=True, _7=(0.5,)) == []
    told(objects, Kind.START, 7)  # once more: what is known of it is
    assert listed(objects, maps=True, _7=(0.5,)) == []
    told(objects, Kind.STOP, 7)
    assert not objects.extracted(1, 7, (0.5,))
