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

"""The fuzz targets over their seeds and what was ever found; `make fuzz` goes on from there."""

import dataclasses
import importlib
import pathlib
import sys

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[2] / 'fuzz'
NAMES = sorted(path.stem.removeprefix('fuzz_') for path in FOLDER.glob('fuzz_*.py'))


@pytest.fixture(autouse=True)
def targets_can_be_imported(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name == 'fuzzing' or name.startswith('fuzz_'):
            del sys.modules[name]


def test_the_targets_are_found():
    assert {'cdr', 'jwt', 'png', 'session', 'wire'} <= set(NAMES)


@pytest.mark.parametrize('name', NAMES)
def test_a_target_holds_for_its_seeds_and_all_that_was_found(name):
    target = importlib.import_module(f'fuzz_{name}')
    fuzzing = importlib.import_module('fuzzing')
    inputs = [*target.seeds(), *fuzzing.found(name)]
    assert len(inputs) >= 10
    for data in inputs:
        target.check(data)


def test_a_target_can_fail(monkeypatch):
    target = importlib.import_module('fuzz_wire')
    monkeypatch.setattr(target.codec, 'encode_utf8', lambda message: b'{"type":"stop"}')
    with pytest.raises(Exception):  # noqa: B017
        target.check(b'{"type":"stop","objectId":1}')


@pytest.mark.parametrize('reader, change', [
    ('boxes', lambda found: (
        dataclasses.replace(found[0], frame_id=found[0].frame_id + 1), *found[1:])),
    ('boxes', lambda found: (
        dataclasses.replace(found[0], boxes=found[0].boxes[:-1]), *found[1:])),
    ('update', lambda found: (dataclasses.replace(found[0], object_id=9), found[1])),
    ('update', lambda found: (found[0], found[1] + 1))])
def test_another_reading_than_that_of_rclpy_is_found(monkeypatch, reader, change):
    pytest.importorskip('rclpy')
    target = importlib.import_module('fuzz_cdr')
    right = getattr(target.cdr, reader)
    monkeypatch.setattr(target.cdr, reader, lambda data: change(right(data)))
    with pytest.raises(AssertionError):
        for data in target.seeds():
            target.check(data)
