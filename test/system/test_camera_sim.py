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

"""The simulated camera as a process, with a ROS node in the bridge's place."""

import math
import os
import signal
import subprocess

from camera_ws_bridge.sim.camera.world import FEATURES, World
from camera_ws_bridge_msgs.msg import Start, Stop, Update
import pytest
from rigs import process_rig as rigs
from rigs.camera_rig import Bridge, Camera, running
from rigs.installed import executable

NOT_TRACKED = -1


@pytest.fixture(scope='module', name='camera')
def shared_camera(tmp_path_factory):
    """One camera of five boxes for all tests that leave it as they found it."""
    folder = tmp_path_factory.mktemp('camera')
    with running(folder, '--rate', '100', '--boxes', '5', '--seed', '3') as camera:
        camera.wait_until_connected()
        yield camera
        assert camera.end() == 0


def started(camera, object_id, **fields):
    """Have an object tracked; return the feature map that answers it."""
    camera.bridge.tell(Start(object_id=object_id, **fields))
    answers = camera.bridge.feature_maps
    camera.wait(lambda: any(answer.object_id == object_id for answer in answers),
                'the start is answered')
    answer = next(answer for answer in answers if answer.object_id == object_id)
    answers.clear()
    return answer.feature_map.tolist()


def shows(camera, *ids):
    """Wait until frames show these ids."""
    camera.wait(lambda: camera.bridge.ids() == list(ids), f'boxes show {ids}')


def stopped(camera, *object_ids):
    for object_id in object_ids:
        camera.bridge.tell(Stop(object_id=object_id))
    shows(camera, *[NOT_TRACKED] * 5)


def the_map(box):
    return World(5, 3).feature_map(box).tolist()


def test_boxes_say_of_which_session_their_ids_are(camera):
    camera.bridge.tell(Update(object_id=4, session=5, feature_map=[0.5]))
    camera.wait(lambda: 4 in camera.bridge.ids() and camera.bridge.frames[-1].session == 5)
    camera.bridge.tell(Stop(object_id=4, session=5))
    camera.wait(lambda: 4 not in camera.bridge.ids())
    camera.bridge.tell(Start(object_id=4, session=6, has_frame=True, box_id=0))
    camera.wait(lambda: 4 in camera.bridge.ids() and camera.bridge.frames[-1].session == 6)
    camera.bridge.feature_maps.clear()
    stopped(camera, 4)


# ---- frames

def test_the_asked_number_of_frames_with_the_asked_number_of_boxes(tmp_path):
    with running(tmp_path, '--frames', '40', '--boxes', '7', '--rate', '200') as camera:
        assert camera.ended() == 0
        camera_frames = camera.bridge.frames
        # It has ended: everything was acknowledged, so everything is in the queue.
        for _ in range(50):
            camera.bridge.spin()
            if len(camera_frames) == 40:
                break
        assert [len(frame.boxes) for frame in camera_frames] == 40 * [7]
        ids = [frame.frame_id for frame in camera_frames]
        assert ids == sorted({*ids})
        assert camera.report() == {'published': 40, 'frame_ids': ids}
        assert 'camera_sim: published 40' in camera.log


@pytest.mark.parametrize('boxes', [0, 1])
def test_few_boxes(tmp_path, boxes):
    with running(tmp_path, '--frames', '3', '--boxes', str(boxes), '--rate', '50') as camera:
        assert camera.ended() == 0
        assert camera.report()['published'] == 3
        assert {len(frame.boxes) for frame in camera.bridge.frames} <= {boxes}


def test_frames_are_those_of_the_world(camera):
    camera.bridge.frames.clear()
    camera.wait(lambda: len(camera.bridge.frames) >= 5)
    for frame in camera.bridge.frames[:5]:
        view = World(5, 3).view(frame.frame_id)
        assert [box.box_id for box in frame.boxes] == list(range(5))
        assert [box.rect.tolist() for box in frame.boxes] == view.rects.tolist()
        assert [box.certainty for box in frame.boxes] == view.certainties.tolist()
        assert tuple(box.object_type for box in frame.boxes) == view.types
        assert [box.object_id for box in frame.boxes] == 5 * [NOT_TRACKED]
        stamp = frame.header.stamp
        assert math.isclose(stamp.sec + 1e-9 * stamp.nanosec, frame.frame_id, abs_tol=1.0)


def test_the_rate_is_about_the_asked_one(camera):
    camera.bridge.frames.clear()
    camera.wait(lambda: len(camera.bridge.frames) >= 100)
    ids = [frame.frame_id for frame in camera.bridge.frames]
    assert (len(ids) - 1) / (ids[-1] - ids[0]) < 110  # never faster; slower if the machine is


def test_nothing_is_published_while_nobody_listens(tmp_path):
    with running(tmp_path, '--rate', '100', boxes='somewhere_else') as camera:
        camera.wait(lambda: camera.bridge.commands[Start].get_subscription_count())
        started(camera, 1)
        assert camera.end() == 0
        assert camera.report() == {
            'published': 0, 'frame_ids': [], 'starts': 1, 'feature_maps': 1}


# ---- commands

def test_a_start_on_a_box_is_answered_with_its_feature_map_and_marks_it(camera):
    frame = camera.bridge.frames[-1]
    numbers = started(camera, 11, has_frame=True, frame_id=frame.frame_id, box_id=2)
    assert numbers == the_map(2) and len(numbers) == FEATURES
    shows(camera, -1, -1, 11, -1, -1)
    stopped(camera, 11)


def test_object_and_box_number_0_are_like_any_other(camera):
    assert started(camera, 0, has_frame=True, box_id=0) == the_map(0)
    shows(camera, 0, -1, -1, -1, -1)
    stopped(camera, 0)


def test_a_start_with_an_image_finds_a_free_box(camera):
    assert started(camera, 21, has_frame=True, box_id=0) == the_map(0)
    # box_id means nothing without has_frame.
    assert started(camera, 22, has_frame=False, box_id=4) == the_map(1)
    shows(camera, 21, 22, -1, -1, -1)
    stopped(camera, 21, 22)


def test_a_start_again_moves_the_object(camera):
    started(camera, 31, has_frame=True, box_id=1)
    assert started(camera, 31, has_frame=True, box_id=3) == the_map(3)
    shows(camera, -1, -1, -1, 31, -1)
    stopped(camera, 31)


def test_a_start_on_a_box_that_is_not_there_is_said_and_not_answered(camera):
    camera.bridge.tell(Start(object_id=41, has_frame=True, box_id=5))
    camera.wait(lambda: 'object 41: no such box' in camera.log)
    started(camera, 42, has_frame=True, box_id=0)
    assert camera.bridge.feature_maps == []
    shows(camera, 42, -1, -1, -1, -1)
    stopped(camera, 42)


def test_an_update_makes_it_find_the_object_and_is_not_answered(camera):
    camera.bridge.tell(Update(object_id=51, feature_map=[0.25, 1.0]))
    shows(camera, 51, -1, -1, -1, -1)
    camera.bridge.tell(Update(object_id=51, feature_map=[0.5]))  # it has found it already
    camera.bridge.tell(Update(object_id=52))  # nothing known yet: nothing to look for
    camera.bridge.tell(Update(object_id=53, feature_map=[1.0]))
    shows(camera, 51, 53, -1, -1, -1)
    assert camera.bridge.feature_maps == []
    stopped(camera, 51, 53)


def test_more_objects_than_boxes(camera):
    for object_id in range(60, 67):
        camera.bridge.tell(Update(object_id=object_id, feature_map=[1.0]))
    shows(camera, 60, 61, 62, 63, 64)
    camera.bridge.tell(Start(object_id=67))
    camera.wait(lambda: 'object 67: no such box' in camera.log)
    stopped(camera, *range(60, 67))


def test_a_stop_ends_one_object_only(camera):
    for object_id in (71, 72):
        started(camera, object_id)
    camera.bridge.tell(Stop(object_id=71))
    camera.bridge.tell(Stop(object_id=999))  # never heard of: also those get stops
    shows(camera, -1, 72, -1, -1, -1)
    stopped(camera, 72)


def test_commands_from_before_it_came_up_reach_it(tmp_path):
    with rigs.own_domain() as domain:
        bridge = Bridge(domain)
        try:
            bridge.tell(Start(object_id=1, has_frame=True, box_id=1))
            camera = Camera(domain, tmp_path, ('--boxes', '2'), name='another')
            try:
                camera.wait(lambda: camera.bridge.ids() == [-1, 1], 'the start is obeyed')
                assert camera.end() == 0
            finally:
                camera.process.kill()
                camera.process.wait()
                camera.bridge.close()
        finally:
            bridge.close()


# ---- the executable

@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_0_and_a_true_report(tmp_path, number):
    with running(tmp_path, '--rate', '100', '--boxes', '2') as camera:
        camera.wait_until_connected()
        started(camera, 1)
        camera.bridge.tell(Update(object_id=2, feature_map=[1.0]))
        camera.wait(lambda: camera.bridge.ids() == [1, 2])
        camera.bridge.tell(Stop(object_id=1))
        camera.wait(lambda: camera.bridge.ids() == [-1, 2])
        assert camera.end(number) == 0
        report = camera.report()
        received = [frame.frame_id for frame in camera.bridge.frames]
        frame_ids = report.pop('frame_ids')
        assert received == frame_ids[:len(received)]
        assert report == {'published': len(frame_ids), 'starts': 1, 'stops': 1, 'updates': 1,
                          'feature_maps': 1}
        words = camera.log.splitlines()[-1]
        assert words.startswith(f'camera_sim: published {len(frame_ids)}')
        for word in ('starts 1', 'stops 1', 'updates 1', 'feature_maps 1'):
            assert word in words


def test_a_signal_before_anybody_listens_ends_it_too(tmp_path):
    with running(tmp_path, boxes='somewhere_else') as camera:
        camera.wait(lambda: camera.bridge.commands[Stop].get_subscription_count())
        assert camera.end() == 0
        assert camera.report() == {'published': 0, 'frame_ids': []}


def test_topics_can_be_remapped(tmp_path):
    arguments = ('--rate', '100', '--boxes', '2', '--ros-args', '-r', 'boxes:=/found',
                 '-r', 'feature_map:=/extracted', '-r', 'camera_ws_bridge/start:=/other/start',
                 '-r', '__node:=gate_camera')
    with running(tmp_path, *arguments, boxes='/found', feature_map='/extracted',
                 name='other') as camera:
        camera.wait(lambda: camera.bridge.frames)
        assert started(camera, 1, has_frame=True, box_id=1) == World(2).feature_map(1).tolist()
        camera.wait(lambda: camera.bridge.ids() == [-1, 1])
        # Endpoints are discovered one by one, and the node's name may come last.
        camera.wait(lambda: 'gate_camera' in camera.bridge.node.get_node_names())
        assert camera.end() == 0


def test_namespaces_keep_cameras_apart(tmp_path):
    arguments = ('--rate', '100', '--boxes', '2', '--bridge', 'the_bridge', '--ros-args',
                 '-r', '__ns:=/gate')
    with running(tmp_path, *arguments, namespace='/gate', name='the_bridge') as camera:
        elsewhere = Bridge(camera.domain)
        try:
            camera.wait_until_connected()
            elsewhere.tell(Start(object_id=9))
            started(camera, 1)
            camera.wait(lambda: camera.bridge.ids() == [1, -1])
            elsewhere.spin()
            assert not elsewhere.frames and not elsewhere.feature_maps
            assert elsewhere.commands[Start].get_subscription_count() == 0
            assert camera.end() == 0
            assert camera.report()['starts'] == 1
        finally:
            elsewhere.close()


def test_help_explains_every_option():
    help_text = subprocess.run(
        [executable('camera_sim'), '--help'], check=True, capture_output=True, text=True).stdout
    for word in ('--rate', '--boxes', '--frames', '--bridge', '--seed', '--report', '__ns:=',
                 '--pictures', '--picture-port', '--detector'):
        assert word in help_text


@pytest.mark.parametrize('arguments', [
    ('--rate', '0'), ('--rate', '-1'), ('--rate', 'nan'), ('--boxes', '-1'),
    ('--seed', '-1'), ('--fly',), ('--rate', 'x')])
def test_bad_arguments_are_named_without_a_traceback(arguments):
    with rigs.own_domain() as domain:
        ended = subprocess.run(
            [executable('camera_sim'), *arguments], capture_output=True, text=True,
            timeout=rigs.PATIENCE, env={**os.environ, 'ROS_DOMAIN_ID': str(domain)})
    assert ended.returncode == 2
    assert arguments[0] in ended.stderr and 'Traceback' not in ended.stderr
