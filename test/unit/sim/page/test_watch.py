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

"""What the operator's page shows of cameras and objects, without a server."""

from camera_ws_bridge.sim.page.watch import Camera, REMEMBERED, SPANS, Watch
import pytest

EPOCH = 1.79e9  # frame ids are seconds of the day, or since a stream began


@pytest.fixture(params=[EPOCH, 0.0], ids=['clock', 'stream'])
def camera(request):
    """Return a registered camera whose first 90 frames came at once, from 100 s on."""
    camera = Camera()
    camera.present(True, 100.0)
    camera.begin = request.param
    for number in range(90):
        camera.frame(request.param + number / 30, 100.0 + number / 30 + 0.01)
    return camera


def frames(camera, first, last, at):
    """Let frames come; at: when, given the time at which one was taken."""
    for number in range(first, last):
        camera.frame(camera.begin + number / 30, at(100.0 + number / 30))


def shown(camera, now=200.0):
    return camera.shown(now)


def test_frames_that_come_at_once_are_only_counted(camera):
    assert shown(camera) == {
        'registered': True, 'frames': 90, 'again': 0, 'buffered': 0, 'outages': 0,
        'awayFor': None, 'backAfter': None}


def test_an_outage_is_counted_and_so_is_what_was_taken_in_it(camera):
    camera.present(False, 103.0)
    assert shown(camera, 104.0)['awayFor'] == 1.0 and not shown(camera)['registered']
    camera.present(True, 105.0)
    frames(camera, 80, 90, lambda taken: 105.1)  # were in flight
    frames(camera, 90, 153, lambda taken: max(taken, 105.1) + 0.01)
    frames(camera, 153, 400, lambda taken: taken + 0.01)
    found = shown(camera)
    assert (found['outages'], found['backAfter'], found['awayFor']) == (1, 2.0, None)
    assert (found['again'], found['frames']) == (10, 410)
    # Of 103 to 105 s, but for those of the last tenth of a second.
    assert 54 <= found['buffered'] <= 60


def test_frames_that_waited_without_an_outage_are_counted(camera):
    frames(camera, 90, 150, lambda taken: 106.0)  # a stall; 5 s are 103 to 105
    assert shown(camera)['buffered'] == 60
    frames(camera, 180, 300, lambda taken: taken + 0.01)
    assert shown(camera)['buffered'] == 60


def test_a_detector_that_became_slower_is_not_an_outage(camera):
    frames(camera, 90, 30 * 200, lambda taken: taken + 0.9)
    before = shown(camera)['buffered']
    frames(camera, 30 * 200, 30 * 210, lambda taken: taken + 0.9)
    assert shown(camera)['buffered'] == before


def test_a_stream_that_begins_anew_is_no_backlog(camera):
    for number in range(1, 30):
        camera.frame(camera.begin - 1000 + number / 30, 300.0 + number / 30)
    assert shown(camera)['buffered'] == 0


def test_a_frame_id_that_is_no_number_is_counted_only():
    camera = Camera()
    for frame_id in (None, 'x', [1], {}, True):
        camera.frame(frame_id, 1.0)
    assert shown(camera)['frames'] == 5 and shown(camera)['again'] == 0


def test_only_so_many_frames_are_remembered():
    camera = Camera()
    for number in range(REMEMBERED + 10):
        camera.frame(number, float(number))
    camera.frame(10, 1.0)
    assert shown(camera)['again'] == 1
    assert len(camera._ids) == REMEMBERED


def test_being_told_twice_changes_nothing():
    camera = Camera()
    camera.present(False, 1.0)  # was never there: no outage
    camera.present(True, 2.0)
    camera.present(True, 3.0)
    camera.present(False, 4.0)
    camera.present(False, 5.0)
    found = shown(camera, 6.0)
    assert (found['outages'], found['awayFor'], found['backAfter']) == (1, 2.0, None)


# ---- the whole

def test_cameras_that_are_registered_or_send_boxes_are_shown():
    watch = Watch()
    watch.presence({'gate': 1}, 1.0)
    watch.frame('yard', 1.5, 1.0)
    watch.frame(None, 1.5, 1.0)  # before an identifier: of nobody
    watch.presence([7], 3.0)
    cameras = watch.shown({}, 4.0)['cameras']
    assert {name: camera['registered'] for name, camera in cameras.items()} == {
        'gate': False, 'yard': False, '7': True}
    assert (cameras['gate']['awayFor'], cameras['yard']['awayFor']) == (1.0, None)
    assert cameras['yard']['frames'] == 1


def test_who_has_a_feature_map():
    watch = Watch()
    watch.extracted(1, 'gate')
    watch.told(1, 'gate')
    watch.told(1, 'yard')
    watch.told(2, 'yard')
    objects = watch.shown({1: [0.5], 2: [1], 3: {}}, 1.0)['objects']
    assert objects == {
        '1': {'extractedBy': 'gate', 'maps': ['gate', 'yard'], 'seen': []},
        '2': {'extractedBy': None, 'maps': ['yard'], 'seen': []},
        '3': {'extractedBy': None, 'maps': [], 'seen': []}}
    watch.extracted(1, 'yard')  # another map: nobody else has it yet
    assert watch.shown({1: [0.5]}, 1.0)['objects']['1']['maps'] == ['yard']


def test_sightings_of_a_camera_that_follow_each_other_are_one_span():
    watch = Watch()
    for now in (1.0, 1.1, 2.5, 6.0, 6.5):
        watch.seen(1, 'gate', now)
        watch.seen(1, 'yard', now + 0.25)
    assert watch.shown({1: {}}, 9.0)['objects']['1']['seen'] == [
        ['gate', 1.0, 2.5], ['yard', 1.25, 2.75], ['gate', 6.0, 6.5], ['yard', 6.25, 6.75]]


def test_only_so_many_spans_are_kept():
    watch = Watch()
    for number in range(SPANS + 5):
        watch.seen(1, 'gate', 10.0 * number)
    seen = watch.shown({1: {}}, 1e5)['objects']['1']['seen']
    assert len(seen) == SPANS and seen[0][1] == 50.0


def test_an_object_that_is_stopped_is_forgotten():
    watch = Watch()
    watch.seen(1, 'gate', 1.0)
    assert watch.shown({}, 1.0)['objects'] == {}
    assert watch.shown({1: {}}, 1.0)['objects']['1']['seen'] == []
