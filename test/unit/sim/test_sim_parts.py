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

"""The parts of the stand-ins that do no I/O but to files: world, tracker, picture and account."""

import base64
import math
import struct
import zlib

from camera_ws_bridge.errors import DecodeError
from camera_ws_bridge.protocol import codec, png
from camera_ws_bridge.sim.account import quantile, Received
from camera_ws_bridge.sim.camera.picture import a_picture
from camera_ws_bridge.sim.camera.tracker import Tracker
from camera_ws_bridge.sim.camera.world import FEATURES, TYPES, World
from camera_ws_bridge.sim.orchestrator.journal import Journal
import numpy as np
import pytest

CAMERA = 'cam-1'
TIMES = [*np.linspace(-30, 300, 2000), 0.0, 1e6, 1.7e9, 1.7e9 + 1 / 3, -1e9]


# ---- world

@pytest.mark.parametrize('seed', range(5))
def test_boxes_stay_within_the_image_and_have_a_size(seed):
    world = World(50, seed)
    for time in TIMES:
        rects = world.view(time).rects
        assert rects.shape == (50, 4)
        assert ((0 <= rects) & (rects <= 1)).all()
        assert (rects[:, 0] < rects[:, 2]).all() and (rects[:, 1] < rects[:, 3]).all()


@pytest.mark.parametrize('seed', range(5))
def test_certainties_are_probabilities_and_types_are_known(seed):
    world = World(50, seed)
    for time in TIMES:
        view = world.view(time)
        assert view.certainties.shape == (50,)
        assert ((0 <= view.certainties) & (view.certainties <= 1)).all()
        assert len(view.types) == 50 and {*view.types} == {*TYPES}


def test_boxes_keep_their_size_and_type_and_move_steadily():
    world = World(20)
    before = world.view(1.7e9)
    moved = np.zeros(20, bool)
    for frame in range(1, 300):
        view = world.view(1.7e9 + frame / 30)
        assert view.types == before.types
        size = view.rects[:, 2:] - view.rects[:, :2]
        assert np.allclose(size, before.rects[:, 2:] - before.rects[:, :2])
        step = np.abs(view.rects - before.rects).max(axis=1)
        assert (step < 0.2 / 30 + 1e-6).all()  # also where they turn at an edge
        moved |= step > 0
        before = view
    assert moved.all()


def test_a_seed_gives_one_world():
    one, same, other = World(20, 3), World(20, 3), World(20, 4)
    for time in (0.0, 12.5, 1.7e9):
        assert (one.view(time).rects == same.view(time).rects).all()
        assert (one.view(time).certainties == same.view(time).certainties).all()
        assert not (one.view(time).rects == other.view(time).rects).any()
    assert (one.view(1.0).rects == one.view(1.0).rects).all()  # looking changes nothing
    assert (one.feature_map(5) == same.feature_map(5)).all()
    assert not (one.feature_map(5) == other.feature_map(5)).any()


def test_feature_maps_are_unit_vectors_and_tell_objects_apart():
    world = World(20)
    maps = np.array([world.feature_map(index) for index in range(20)])
    assert maps.shape == (20, FEATURES) and maps.dtype == np.float64
    assert np.allclose(np.linalg.norm(maps, axis=1), 1.0)
    likeness = maps @ maps.T - np.eye(20)
    assert np.abs(likeness).max() < 0.6
    assert (world.feature_map(7) == maps[7]).all()


def test_a_world_can_be_empty():
    view = World(0).view(1.0)
    assert view.rects.shape == (0, 4) and view.types == () and view.certainties.shape == (0,)


# ---- tracker

def shown(tracker, boxes):
    return [tracker.object_id(box) for box in range(boxes)]


def test_at_first_nothing_is_tracked():
    tracker = Tracker(3)
    assert shown(tracker, 3) == [None] * 3
    assert not tracker.knows(0)
    tracker.stop(0)


def test_a_box_that_is_named_is_taken_and_others_get_free_ones():
    tracker = Tracker(3)
    assert tracker.track(7, 1) == 1
    assert tracker.track(0) == 0  # object id 0 is one like any other
    assert tracker.track(9) == 2
    assert shown(tracker, 3) == [0, 7, 9]
    assert tracker.knows(0) and tracker.knows(7) and tracker.knows(9) and not tracker.knows(1)


def test_when_all_boxes_are_taken_there_is_none():
    tracker = Tracker(2)
    tracker.track(1)
    tracker.track(2)
    assert tracker.track(3) is None
    assert not tracker.knows(3)
    assert shown(tracker, 2) == [1, 2]
    tracker.stop(1)
    assert tracker.track(3) == 0
    assert shown(tracker, 2) == [3, 2]
    assert Tracker(0).track(1) is None


@pytest.mark.parametrize('box', [-1, 3, 2**32 - 1])
def test_a_box_that_does_not_exist_is_not_tracked(box):
    tracker = Tracker(3)
    assert tracker.track(1, box) is None
    assert not tracker.knows(1)
    assert shown(tracker, 3) == [None] * 3
    assert tracker.object_id(box) is None


def test_an_object_is_in_one_box_only():
    tracker = Tracker(3)
    tracker.track(1, 0)
    assert tracker.track(1, 2) == 2
    assert shown(tracker, 3) == [None, None, 1]
    tracker.stop(1)
    assert shown(tracker, 3) == [None] * 3


def test_a_box_shows_the_newest_object():
    tracker = Tracker(2)
    tracker.track(1, 0)
    assert tracker.track(2, 0) == 0
    assert shown(tracker, 2) == [2, None]
    assert not tracker.knows(1)
    tracker.stop(1)
    assert shown(tracker, 2) == [2, None]


# ---- picture

@pytest.mark.parametrize('width, height', [(24, 48), (1, 1), (640, 480)])
def test_a_picture_is_a_png_file_of_its_size(width, height):
    data = a_picture(width, height)
    png.check(data, width * height)
    with pytest.raises(ValueError):
        png.check(data, width * height - 1)
    chunks, rest = [], data[len(png.SIGNATURE):]
    while rest:
        size, = struct.unpack('>I', rest[:4])
        kind, content, crc = rest[4:8], rest[8:8 + size], rest[8 + size:12 + size]
        assert struct.unpack('>I', crc) == (zlib.crc32(kind + content),)
        chunks.append((kind, content))
        rest = rest[12 + size:]
    (_, header), (_, pixels), (_, end) = chunks
    assert [kind for kind, _ in chunks] == [b'IHDR', b'IDAT', b'IEND']
    assert struct.unpack('>IIBBBBB', header) == (width, height, 8, 2, 0, 0, 0) and end == b''
    rows = zlib.decompress(pixels)
    assert len(rows) == height * (1 + 3 * width)
    assert {rows[row * (1 + 3 * width)] for row in range(height)} == {0}


def test_a_picture_by_seed():
    assert a_picture() == a_picture(24, 48, 0)
    assert a_picture(seed=1) != a_picture(seed=2)


def test_a_picture_passes_the_wire():
    text = codec.dumps({'type': 'start', 'objectId': 1, 'image': _data_uri(a_picture())})
    assert codec.decode(text).image == a_picture()
    broken = bytearray(a_picture())
    broken[3] ^= 1
    with pytest.raises(DecodeError):
        codec.decode(codec.dumps(
            {'type': 'start', 'objectId': 1, 'image': _data_uri(bytes(broken))}))


def _data_uri(data):
    return codec.IMAGE_PREFIX + base64.b64encode(data).decode()


# ---- account

def entry(
        at, frame_id, connection=CAMERA, direction='to_orchestrator', kind='boundingBoxes',
        boxes=()):
    message = {'type': kind, 'frameId': frame_id, 'boxes': boxes}
    if kind == 'featureMap':
        message = {'type': kind, 'objectId': frame_id, 'featureMap': [0.5]}
    return codec.dumps({'t': at, 'connection': connection, 'direction': direction,
                       'text': codec.dumps(message)})


@pytest.fixture(name='received')
def reading(tmp_path):
    def received(*lines, end='\n'):
        path = tmp_path / 'journal.jsonl'
        path.write_bytes(b'\n'.join(
            line if isinstance(line, bytes) else line.encode() for line in lines) + end.encode())
        return Received.from_journal(path, CAMERA)
    return received


def test_frames_are_counted_with_the_time_they_came_at(received):
    result = received(entry(10.5, 10.25), entry(11.5, 11.25), entry(12.5, 12))
    assert result == Received({10.25: 10.5, 11.25: 11.5, 12: 12.5})
    assert result.lost([10.25, 11.25, 12.0]) == []


def test_an_empty_journal_is_one(received):
    result = received(end='')
    assert result == Received()
    assert result.lost([1.0, 2.0]) == [1.0, 2.0]
    assert result.latencies() == []


def test_what_has_not_come_is_lost(received):
    result = received(entry(1, 1.0), entry(3, 3.0))
    assert result.lost([1.0, 2.0, 3.0, 4.0]) == [2.0, 4.0]
    assert result.lost(iter([2.0])) == [2.0]


def test_a_frame_id_that_is_off_by_the_last_bit_is_another(received):
    frame_id = 1764000000.1234567
    result = received(entry(1, frame_id))
    assert result.lost([frame_id]) == []
    assert result.lost([math.nextafter(frame_id, 0)]) != []


def test_repeats_are_no_disorder_and_the_first_time_counts(received):
    result = received(entry(1, 1.0), entry(2, 2.0), entry(3, 1.0), entry(4, 2.0), entry(5, 3.0))
    assert result == Received({1.0: 1, 2.0: 2, 3.0: 5}, repeats=2)


def test_disorder_is_each_frame_that_comes_behind_a_later_one(received):
    result = received(
        entry(1, 1.0), entry(2, 4.0), entry(3, 2.0), entry(4, 3.0), entry(5, 5.0))
    assert (result.disorder, result.repeats) == (2, 0)
    assert result.lost([1.0, 2.0, 3.0, 4.0, 5.0]) == []


def test_feature_maps_are_counted(received):
    result = received(entry(1, 1, kind='featureMap'), entry(1, 1, kind='featureMap'),
                      entry(1, 1, kind='featureMap', direction='from_orchestrator'),
                      entry(1, 1, kind='featureMap', connection='neighbour'))
    assert result == Received(feature_maps=2)


def test_only_this_cameras_frames_to_the_orchestrator_count(received):
    result = received(
        entry(1, 1.0, connection='operator', direction='from_orchestrator'),
        entry(1, 2.0, direction='from_orchestrator'), entry(1, 3.0, connection='cam-12'),
        entry(1, 4.0, direction='ping'), entry(1, 5.0, kind='identifier'), entry(1, 6.0))
    assert result == Received({6.0: 1})


def test_a_last_line_that_is_cut_off_anywhere_is_left_out(received):
    last = entry(2, 2.0, boxes=[{'objectType': 'Fußgänger'}]).encode()
    assert received(entry(1, 1.0), last, end='') == Received({1.0: 1, 2.0: 2})
    for cut in range(len(last)):
        assert received(entry(1, 1.0), last[:cut], end='') == Received({1.0: 1}), cut


def test_what_was_no_json_is_left_out(received):
    bad = codec.dumps({'t': 1, 'connection': CAMERA, 'direction': 'to_orchestrator',
                      'text': 'not json'})
    assert received(bad, entry(1, 1.0), '', 'not json either') == Received({1.0: 1})


def test_boxes_that_the_orchestrator_ignores_are_left_out(received):
    bad = codec.dumps({'t': 1, 'connection': CAMERA, 'direction': 'to_orchestrator',
                      'text': '{"type": "boundingBoxes", "boxes": []}'})
    assert received(bad, entry(1, 1.0)) == Received({1.0: 1})


def test_what_a_journal_writes_is_read(tmp_path):
    journal = Journal(tmp_path / 'journal.jsonl')
    journal.write('Kamera Süd\r\n\u2028', 'to_orchestrator',
                  '{"type": "boundingBoxes", "frameId": 1.5, "boxes": []}')
    journal.write('other', 'to_orchestrator', 'x\ny')
    journal.close()
    result = Received.from_journal(tmp_path / 'journal.jsonl', 'Kamera Süd\r\n\u2028')
    assert list(result.first_at) == [1.5]


def test_latencies_are_sorted_and_leave_out_what_is_skipped():
    result = Received({10.0: 10.5, 20.0: 20.25, 30.0: 33.0, 40.0: 40.125})
    assert result.latencies() == [0.125, 0.25, 0.5, 3.0]
    assert result.latencies(skip=(25.0, 35.0)) == [0.125, 0.25, 0.5]
    assert result.latencies(skip=(20.0, 30.0)) == [0.125, 0.5]  # both ends belong to it
    assert result.latencies(skip=(0.0, 100.0)) == []


@pytest.mark.parametrize('share, value', [
    (0.0, 0), (0.005, 0), (0.01, 1), (0.5, 50), (0.99, 99), (0.999, 99), (1.0, 99)])
def test_quantile(share, value):
    assert quantile(list(range(100)), share) == value


def test_quantile_of_few_and_none():
    assert quantile([7.5], 0.0) == quantile([7.5], 0.5) == quantile([7.5], 1.0) == 7.5
    assert math.isnan(quantile([], 0.5))
