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

"""multi_camera.launch.py: a bad list starts nothing, and says which entry of which file."""

import unittest

import launch_testing
import launch_testing.asserts
import launch_testing.markers
import pytest
from rigs.launch_rig import Afterwards, Site

CASES = {  # what is wrong: the file, what launch says
    'no list': ({'camera': []}, "the_cameras.yaml: needs a list 'cameras'"),
    'an empty list': ({'cameras': []}, 'the_cameras.yaml: needs a list'),
    'no camera_id': (
        {'cameras': [{'camera_id': 'a'}, {'namespace': 'b'}]},
        'the_cameras.yaml: camera 2: needs a camera_id'),
    'not text': (
        {'cameras': [{'camera_id': 8}]}, 'the_cameras.yaml: camera 1: camera_id must be text'),
    'an unknown key': (
        {'cameras': [{'camera_id': 'a', 'camera_url': 'ws://localhost'}]},
        "the_cameras.yaml: camera 1: unknown key 'camera_url'"),
    'one namespace twice': (
        {'cameras': [{'camera_id': 'a b'}, {'camera_id': 'a_b'}]},
        "the_cameras.yaml: camera 2: namespace 'a_b' is taken"),
    'no such params_file': (
        {'cameras': [{'camera_id': 'a', 'params_file': 'nowhere.yaml'}]}, 'nowhere.yaml'),
}


@pytest.mark.launch_test
@launch_testing.parametrize('case', [*CASES])
@launch_testing.markers.keep_alive
def generate_test_description(case):
    site = Site()
    cameras_file = site.write('the_cameras.yaml', CASES[case][0])
    return site.description(site.launch_of_its_own(
        'multi_camera.launch.py', cameras_file=cameras_file))


class TestBadList(unittest.TestCase):

    def test_it_names_file_and_entry(self, site, case, proc_info, proc_output):
        site.assert_refused(CASES[case][1], proc_info, proc_output)


@launch_testing.post_shutdown_test()
class TestAfterwards(Afterwards, unittest.TestCase):
    """It has ended by itself."""
