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

"""What `start` is on the wire, and what becomes of it where a part is unusable."""

import time

from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.start import Start
from rigs.codec_rig import exact, HUGE, in_words, not_decoded, refused, round_trip
from rigs.damaged_starts import DAMAGED, MAX_IMAGE
from rigs.png_files import chunk, header, JPEG, PNG, png_file, png_of_length, SIGNATURE
from rigs.texts import data_uri, message as text_of, PREFIX, start_with


# ---- whole ones

def test_on_the_wire():
    assert round_trip(Start(7, 1606, 0, PNG)) == {
        'type': 'start', 'objectId': 7, 'frameId': 1606, 'boxId': 0, 'image': data_uri(PNG)}


def test_starts_lose_nothing():
    for start in (
            Start(7, image=PNG), Start(7, 1606.0333333333335, 3), Start(7, 1606, 0),
            Start(7, 1606.5, 0, PNG), Start(0, 0, 0, png_file()),
            Start(2**63 - 1, -0.0, -2**63, png_of_length(MAX_IMAGE))):
        value = round_trip(start)
        assert ('image' in value) == (start.image is not None), start
        assert ('frameId' in value) == ('boxId' in value) == (start.frame_id is not None), start


def test_frame_ids_keep_type_and_bits():
    for digits, number in (
            ('1606', 1606), ('1606.0', 1606.0), ('-0.0', -0.0), ('1e-999', 0.0),
            ('0.1000000000000000055511151231257827021181583404541015625' + '0' * 1000, 0.1)):
        assert exact(codec.decode(text_of('start', frameId=digits)).frame_id) == exact(number)


def test_what_the_protocol_cannot_carry():
    for message, field in (
            (Start(-1, 0.5, 0), 'start.objectId'), (Start(7, HUGE, 0), 'start.frameId'),
            (Start(7, 2**63, 0), 'start.frameId'), (Start(7, float('nan'), 0), 'start.frameId'),
            (Start(7, 0.5, 2**63), 'start.boxId')):
        assert refused(message)[0] == field


# ---- damaged ones: what is usable counts

def test_what_is_unusable_is_left_out_and_named():
    assert len({bad.name for bad in DAMAGED}) == len(DAMAGED)
    for bad in DAMAGED:
        start = codec.decode(bad.text)
        (problem,) = start.left_out()
        assert in_words(problem, type(problem)), bad.name
        assert problem.cause == bad.cause, bad.name
        if bad.part == 'image':
            assert (start.image, start.frame_problem) == (None, ''), bad.name
            assert (start.object_id, start.frame_id, start.box_id) == (
                7, 1606.0333333333335, 3), bad.name
            assert start.image_problem.startswith(bad.problem), bad.name
            assert problem.field == 'start.image', bad.name
        else:
            assert (start.object_id, start.image, start.image_problem) == (7, PNG, ''), bad.name
            assert (start.frame_id, start.box_id) == (None, None), bad.name
            assert start.frame_problem.startswith(bad.problem), bad.name
            assert problem.field == f'start.{bad.problem.partition(":")[0]}', bad.name


def test_it_is_enough_that_the_object_is_named():
    for without, frame_problem, image_problem, changes in (
            (('frameId', 'boxId'), '', 'invalid_field: a JSON null is not a data URI',
             {'image': 'null'}),
            (('image',), 'boxId: missing', '', {}),
            (('image',), 'frameId: missing', '', {}),
            (('image', 'frameId', 'boxId'), 'frameId: missing', '', {}),
            ((), 'frameId: a JSON null is not a number',
             'invalid_field: a JSON null is not a data URI',
             {'frameId': 'null', 'boxId': 'null', 'image': 'null'})):
        missing = (frame_problem.partition(':')[0],) if 'missing' in frame_problem else ()
        start = codec.decode(text_of('start', without + missing, **changes))
        assert start == Start(7, frame_problem=frame_problem, image_problem=image_problem)
        assert len(start.left_out()) == bool(frame_problem) + bool(image_problem)


def test_but_the_object_must_be_named():
    for object_id in 'null', '-1', '7.0', '"7"':
        assert not_decoded(text_of('start', objectId=object_id))[0] == 'start.objectId'


def test_what_a_canvas_gives_is_named():
    for uri, begin in (
            ('data:,', 'data:,'), (data_uri(JPEG, 'data:image/jpeg;base64,'), 'data:image/jpeg;'),
            (data_uri(JPEG, 'data:image/webp;base64,'), 'data:image/webp;'),
            ('what the peer wrote', 'something else')):
        assert codec.decode(start_with(uri)).image_problem == (
            f'invalid_field: begins with {begin} instead of {PREFIX}')


def test_a_problem_says_nothing_of_a_foreign_text():
    # It is published, and the peer may have sent back what must stay secret.
    secret = 'a-secret-token'
    for uri in secret, f'data:image/jpeg;{secret}', PREFIX + secret, f'data:,{secret}':
        start = codec.decode(text_of(
            'start', image=f'"{uri}"', frameId=f'"{secret}"', boxId=f'"{secret}"'))
        assert start.frame_problem and start.image_problem
        assert secret not in repr(start)
    assert codec.decode(text_of('start', boxId=f'"{secret}"')).frame_problem == (
        'boxId: a JSON string is not a number')


# ---- limits

def test_the_image_limit_is_the_greatest_that_is_let_through():
    for length in range(90, 102):
        text = start_with(data_uri(png_of_length(length)))
        assert len(codec.decode(text, codec.Limits(image_bytes=length)).image) == length
        for limit in (length - 1, length - 2, length - 3, length - 30, 0):
            start = codec.decode(text, codec.Limits(image_bytes=limit))
            assert start.image_problem == (
                f'too_big: a file of {length} bytes; {limit} are allowed (max_image_bytes)')


def test_the_pixel_limit_is_the_greatest_that_is_let_through():
    text = start_with(data_uri(PNG))
    assert codec.decode(text, codec.Limits(image_pixels=6)).image == PNG
    assert codec.decode(text, codec.Limits(image_pixels=5)).image_problem == (
        'too_big: PNG file of 2 x 3 pixels; 5 are allowed (max_image_pixels)')


def test_pictures_of_a_sharp_camera_are_accepted():
    for megabytes in 4.4, 7.3:
        text = start_with(data_uri(png_of_length(int(megabytes * 2**20))))
        assert codec.decode(text).image_problem == ''
    large = SIGNATURE + header(5000, 4000) + chunk(b'IDAT', bytes(80_000)) + chunk(b'IEND')
    assert codec.decode(start_with(data_uri(large))).image == large


def test_the_greatest_message_takes_milliseconds():
    texts = [start_with(data_uri(png_of_length(MAX_IMAGE))), start_with(PREFIX + '?' * 10**7),
             start_with(PREFIX + '=' * 10**7), start_with(PREFIX + 'A' * (10**7 - 1) + '?')]
    for text in texts:
        began = time.process_time()  # a busy machine does not count
        codec.decode(text)
        assert time.process_time() - began < 1.0, text[:200]
