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

"""The list of cameras: what is accepted, and what is refused with file, entry and reason."""

from __future__ import annotations

import pathlib
import re

from ament_index_python.packages import get_package_share_directory
from camera_ws_bridge.config import cameras
import pytest

EXAMPLE = pathlib.Path(get_package_share_directory('camera_ws_bridge'), 'config', 'cameras.yaml')


def test_the_example_is_accepted():
    found = cameras.load(str(EXAMPLE))
    assert [(camera['camera_id'], camera['namespace']) for camera in found] == [
        ('gate', 'gate'), ('hall', 'main_hall'), ('yard', 'yard')]


def test_what_the_example_comments_out_is_accepted_too(tmp_path):
    path = tmp_path / 'cameras.yaml'
    path.write_text(re.sub('# (params_file:)', r'\1', EXAMPLE.read_text(encoding='utf-8')))
    assert cameras.load(str(path))[2]['params_file'].endswith('.yaml')


@pytest.mark.parametrize(('camera_id', 'namespace'), [
    ('gate', 'gate'), ('back door/2', 'back_door_2'), ('a-b.c', 'a_b_c'),
    ('12', 'camera_12'), ('Tür öö', 'T_r_'), ('a__b', 'a_b'), ('/gate', 'camera_gate')])
def test_the_default_namespace_holds_only_what_ros_allows(camera_id, namespace):
    assert cameras.checked({'cameras': [{'camera_id': camera_id}]}, 'a.yaml') == [
        {'camera_id': camera_id, 'namespace': namespace}]


def test_everything_given_is_kept():
    camera = {'camera_id': 'a', 'namespace': 'b', 'orchestrator_url': 'ws://c:1/d',
              'params_file': 'e.yaml',
              'parameters': {'reconcile': False, 'boxes_max_age': 2.5, 'command_rate': 10}}
    assert cameras.checked({'cameras': [camera]}, 'a.yaml') == [camera]


@pytest.mark.parametrize(('content', 'says'), [
    (None, "needs a list 'cameras'"),
    ([], "needs a list 'cameras'"),
    ('cameras', "needs a list 'cameras'"),
    ({'cameras': None}, "needs a list 'cameras'"),
    ({'cameras': {'camera_id': 'a'}}, "needs a list 'cameras'"),
    ({'cameras': []}, 'at least one entry'),
    ({'cameras': ['gate']}, 'camera 1: needs a camera_id'),
    ({'cameras': [{'camera_id': 'a'}, None]}, 'camera 2: needs a camera_id'),
    ({'cameras': [{'namespace': 'a'}]}, 'camera 1: needs a camera_id'),
    ({'cameras': [{'camera_id': 'a', 'url': 'ws://b'}]}, "camera 1: unknown key 'url'"),
    ({'cameras': [{'camera_id': 'a'}, {'camera_id': 'a'}]}, "camera 2: namespace 'a' is taken"),
    ({'cameras': [{'camera_id': 'a b'}, {'camera_id': 'a-b'}]},
     "camera 2: namespace 'a_b' is taken"),
    ({'cameras': [{'camera_id': 'a'}, {'camera_id': 'b', 'namespace': '/a'}]},
     "camera 2: namespace 'a' is taken"),
    ({'cameras': [{'camera_id': 'a'}, {'camera_id': 'a', 'namespace': 'b'}]},
     "camera 2: camera_id 'a' is taken"),
    ({'cameras': [{'camera_id': None}]}, 'camera 1: camera_id must be text'),
    ({'cameras': [{'camera_id': ''}]}, 'camera 1: camera_id must be text'),
    ({'cameras': [{'camera_id': 8}]}, 'camera 1: camera_id must be text'),
    ({'cameras': [{'camera_id': 'a', 'orchestrator_url': None}]},
     'camera 1: orchestrator_url must be text'),
    ({'cameras': [{'camera_id': 'a', 'parameters': ['reconcile']}]},
     'camera 1: parameters must be a mapping'),
    ({'cameras': [{'camera_id': 'a', 'parameters': {1: 2}}]}, 'parameters: 1 is not a name'),
    ({'cameras': [{'camera_id': 'a', 'parameters': {'camera_id': 'b'}}]},
     'parameters: camera_id belongs beside parameters'),
    ({'cameras': [{'camera_id': 'a', 'parameters': {'spool_path': None}}]},
     'parameters: spool_path must be text, a number, true or false'),
    ({'cameras': [{'camera_id': 'a', 'namespace': '1st'}]}, "camera 1: '1st' is not a namespace"),
    ({'cameras': [{'camera_id': 'a', 'namespace': 'a b'}]}, "camera 1: 'a b' is not a namespace"),
])
def test_a_bad_list_is_refused_with_file_and_entry(content, says):
    with pytest.raises(ValueError, match=f'^a[.]yaml: .*{re.escape(says)}'):
        cameras.checked(content, 'a.yaml')


def test_what_is_no_yaml_is_refused_with_the_file(tmp_path):
    path = tmp_path / 'cameras.yaml'
    path.write_text('cameras: [')
    with pytest.raises(ValueError, match='cameras.yaml: not YAML'):
        cameras.load(str(path))


def test_what_cannot_be_read_is_refused_with_the_file(tmp_path):
    path = tmp_path / 'cameras.yaml'
    with pytest.raises(ValueError, match='^cameras_file: .*cameras.yaml: No such file'):
        cameras.load(str(path))
    path.write_bytes(b'cameras: \xff')
    with pytest.raises(ValueError, match='cameras.yaml: not YAML'):
        cameras.load(str(path))
