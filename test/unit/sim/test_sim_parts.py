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

"""The parts of the simulators that do no I/O but to files: world, tracker, picture, journal."""

import base64
import math
import struct
import zlib

from camera_ws_bridge.protocol import codec, png, strict_json
from camera_ws_bridge.protocol.start import IMAGE_PREFIX
from camera_ws_bridge.sim.camera.picture import a_picture
from camera_ws_bridge.sim.camera.tracker import Tracker
from camera_ws_bridge.sim.camera.world import FEATURES, TYPES, World
from camera_ws_bridge.sim.demo.account import quantile
from camera_ws_bridge.sim.orchestrator.journal import Entry, Journal, received
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
    text = strict_json.dumps({'type': 'start', 'objectId': 1, 'image': _data_uri(a_picture())})
    assert codec.decode(text).image == a_picture()
    broken = bytearray(a_picture())
    broken[3] ^= 1
    text = strict_json.dumps(
        {'type': 'start', 'objectId': 1, 'image': _data_uri(bytes(broken))})
    assert codec.decode(text).image is None


def _data_uri(data):
    return IMAGE_PREFIX + base64.b64encode(data).decode()


# ---- journal

def entry(at, text, connection=CAMERA, direction='to_orchestrator'):
    return strict_json.dumps(
        {'t': at, 'connection': connection, 'direction': direction, 'text': text}).encode()


@pytest.fixture(name='read')
def reading(tmp_path):
    def read(*lines, end=b'\n', connection=CAMERA):
        path = tmp_path / 'journal.jsonl'
        path.write_bytes(b'\n'.join(lines) + end)
        return [(found.t, found.text) for found in received(path, connection)]
    return read


def test_what_one_connection_has_sent_is_read(read):
    lines = (entry(1, 'a'), entry(2.5, 'b', connection='cam-12'), entry(3, 'c', direction='ping'),
             entry(4, 'd', direction='from_orchestrator'), entry(5, 'e'))
    assert read(*lines) == [(1, 'a'), (5, 'e')]
    assert read(*lines, connection=None) == [(1, 'a'), (2.5, 'b'), (5, 'e')]


def test_an_empty_journal_is_one(read):
    assert read(end=b'') == []


def test_a_last_line_that_is_cut_off_anywhere_is_left_out(read):
    last = entry(2, '{"objectType": "Fußgänger"}')
    assert len(read(entry(1, 'a'), last, end=b'')) == 2
    for cut in range(len(last)):
        assert read(entry(1, 'a'), last[:cut], end=b'') == [(1, 'a')], cut


def test_what_is_no_entry_is_left_out(read):
    assert read(b'', b'not json', b'{"t": 1}', entry(1, 'a')) == [(1, 'a')]


def test_a_text_is_given_as_its_fields():
    for text, fields in (('{"a": 1}', {'a': 1}), ('not json', {}), ('[1]', {})):
        assert Entry(1.0, CAMERA, 'to_orchestrator', text).fields == fields


def test_what_a_journal_writes_is_read(tmp_path):
    path, name = tmp_path / 'journal.jsonl', 'Kamera Süd\r\n\u2028'
    journal = Journal(path)
    journal.write(name, 'to_orchestrator', 'x\ny')
    journal.write('other', 'to_orchestrator', 'z')
    journal.close()
    assert [found.text for found in received(path, name)] == ['x\ny']


# ---- the demo's figures

@pytest.mark.parametrize('share, value', [
    (0.0, 0), (0.005, 0), (0.01, 1), (0.5, 50), (0.99, 99), (0.999, 99), (1.0, 99)])
def test_quantile(share, value):
    assert quantile(list(range(100)), share) == value


def test_quantile_of_few_and_none():
    assert quantile([7.5], 0.0) == quantile([7.5], 0.5) == quantile([7.5], 1.0) == 7.5
    assert math.isnan(quantile([], 0.5))
