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

"""The street that a simulated camera draws: who is where, what they look like, and its stream."""

import pathlib
import struct
import threading
import urllib.request
import zlib

from camera_ws_bridge.protocol import png
from camera_ws_bridge.sim.camera.drawing import Drawing, HEIGHT, WIDTH
from camera_ws_bridge.sim.camera.picture import png_of
from camera_ws_bridge.sim.camera.stream import Stream
from camera_ws_bridge.sim.camera.street import Street
import numpy as np
import pytest
from rigs.installed import executable
from rigs.shared import wait_until

TIMES = np.arange(0.0, 60.0, 0.9)


def reid():
    """Return the example of a re-ID node, as far as it is plain Python."""
    path = pathlib.Path(executable('reid_node.py'))
    names = {'__name__': 'reid'}
    exec(compile(path.read_text(), path, 'exec'), names)  # noqa: S102
    return names


def overlap(one, other):
    return (min(one[2], other[2]) - max(one[0], other[0]) > 0
            and min(one[3], other[3]) - max(one[1], other[1]) > 0)


@pytest.mark.parametrize('people', [1, 2, 3, 8])
def test_people_walk_by_in_the_picture_and_do_not_hide_each_other(people):
    street, seen = Street(people, 3), set()
    for time in TIMES:
        view = street.view(time)
        assert len(view.rects) == len(view.types) == len(view.certainties) == len(view.objects)
        assert ((0 <= view.rects) & (view.rects <= 1)).all()
        assert (view.rects[:, 0] < view.rects[:, 2]).all()
        assert not any(overlap(one, other) for index, one in enumerate(view.rects)
                       for other in view.rects[index + 1:])
        seen |= {*view.objects}
    assert seen == {*range(people)}


def test_not_all_are_in_sight_all_the_time():
    street = Street(8)
    assert {len(street.view(time).objects) for time in TIMES} != {8}
    assert Street(0).view(1.0).rects.shape == (0, 4)


def test_a_seed_says_where_people_are_and_not_who_they_are():
    one, other = Street(4, 1), Street(4, 2)
    assert one.place(0, 5.0) != other.place(0, 5.0)
    assert (Drawing(one, 4, 1).palette == Drawing(other, 4, 2).palette).all()


def test_the_reid_example_tells_people_apart_and_knows_them_on_another_street():
    # 0.98 is what it asks for; see SAME.
    names, maps = reid(), {}
    for seed in (1, 2):
        street = Street(6, seed)
        drawing = Drawing(street, 6, seed)
        for time in TIMES:
            pixels = drawing.palette[drawing.at(time)]
            view = street.view(time)
            for person, rect in zip(view.objects, view.rects):
                left, _, right, _ = street.place(person, time)
                if left >= 0 and right <= 1:
                    maps.setdefault(person, []).append(
                        names['feature_map'](names['cut_out'](pixels, rect)))
    assert {*maps} == {*range(6)}
    for person, mine in maps.items():
        mine = np.array(mine)
        assert (mine @ mine.T).min() > names['SAME']
        for other, theirs in maps.items():
            assert other == person or (mine @ np.array(theirs).T).max() < 0.9


def decoded(data):
    """Return the colours of a PNG with a palette."""
    assert data.startswith(png.SIGNATURE)
    chunks, at = {}, len(png.SIGNATURE)
    while at < len(data):
        (size,) = struct.unpack_from('>I', data, at)
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + size]
        assert struct.unpack_from('>I', data, at + 8 + size) == (zlib.crc32(kind + body),)
        chunks[kind] = body
        at += 12 + size
    width, height, depth, kind = struct.unpack_from('>IIBB', chunks[b'IHDR'])
    assert (depth, kind) == (8, 3)
    rows = np.frombuffer(zlib.decompress(chunks[b'IDAT']), np.uint8).reshape(height, width + 1)
    assert (rows[:, 0] == 0).all()
    palette = np.frombuffer(chunks[b'PLTE'], np.uint8).reshape(-1, 3)
    return palette[rows[:, 1:]]


def test_a_picture_as_png_shows_the_same():
    drawing = Drawing(Street(4), 4)
    pixels = drawing.at(7.0)
    assert pixels.shape == (HEIGHT, WIDTH)
    assert (decoded(png_of(pixels, drawing.palette)) == drawing.palette[pixels]).all()


def test_figures_change_as_they_walk():
    drawing = Drawing(Street(2), 2)
    assert len({drawing.at(time).tobytes() for time in (0.0, 0.3, 0.6, 5.0)}) == 4


# ---- the stream

@pytest.fixture
def stream():
    stream = Stream()
    yield stream
    stream.close()


class Looking:
    """A viewer in a thread of its own."""

    def __init__(self, url):
        self.answer = urllib.request.urlopen(url, timeout=30)
        self.parts = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self):
        assert self.answer.readline() == b'--frame\r\n'
        while (line := self.answer.readline()):
            assert line == b'Content-Type: image/png\r\n'
            length = int(self.answer.readline().split()[1])
            assert self.answer.readline() == b'\r\n'
            self.parts.append(self.answer.read(length))
            assert self.answer.read(len('\r\n--frame\r\n')) == b'\r\n--frame\r\n'

    def end(self):
        self._thread.join(30)
        assert not self._thread.is_alive()
        self.answer.close()


def test_viewers_get_pictures_as_they_come_and_other_pages_may_read_them(stream):
    assert not stream.watched
    stream.show(b'nobody looks')
    viewers = [Looking(stream.url), Looking(stream.url)]
    wait_until(lambda: len(stream.viewers) == 2)
    for viewer in viewers:
        headers = viewer.answer.headers
        assert headers['Content-Type'] == 'multipart/x-mixed-replace;boundary=frame'
        assert headers['Access-Control-Allow-Origin'] == '*'
    for picture in (b'one', b'other'):
        stream.show(picture)
        for viewer in viewers:
            wait_until(lambda: viewer.parts[-1:] == [picture])  # noqa: B023
    stream.close()
    for viewer in viewers:
        viewer.end()


def test_a_viewer_that_goes_is_forgotten(stream):
    answer = urllib.request.urlopen(stream.url, timeout=30)
    wait_until(lambda: stream.watched)
    answer.close()

    def forgotten():
        stream.show(b'x')
        return not stream.watched
    wait_until(forgotten)


def test_a_port_that_is_taken_is_an_error(stream):
    with pytest.raises(OSError):
        Stream(int(stream.url.rsplit(':')[-1].strip('/')))
