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

"""What multi_bridge adds to its environment for Fast DDS, and when it does not."""

from xml.etree import ElementTree

from camera_ws_bridge.ros import fast_dds
import pytest


def test_both_generations_of_fast_dds_are_told(tmp_path):
    found = fast_dds.spare({'HOME': '/var/empty'}, tmp_path)
    assert {*found} == {'FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'}
    assert {*found.values()} == {str(fast_dds.PROFILES)}


def test_an_empty_variable_is_none(tmp_path):
    assert fast_dds.spare({'FASTDDS_DEFAULT_PROFILES_FILE': ''}, tmp_path)


@pytest.mark.parametrize('name', fast_dds.VARIABLES)
def test_profiles_of_the_user_stay(tmp_path, name):
    assert fast_dds.spare({name: '/etc/mine.xml'}, tmp_path) == {}


@pytest.mark.parametrize('name', fast_dds.FILES)
def test_a_file_of_the_user_in_the_working_directory_stays(tmp_path, name):
    (tmp_path / name).touch()
    assert fast_dds.spare({}, tmp_path) == {}


def test_the_profiles_are_for_all_readers_and_writers():
    root = ElementTree.parse(fast_dds.PROFILES).getroot()
    space = {'dds': 'http://www.eprosima.com'}
    for kind in ('data_reader', 'data_writer'):
        profile, = root.findall(f'dds:profiles/dds:{kind}', space)
        assert profile.get('is_default_profile') == 'true'
        assert profile.findtext('.//dds:allocated_samples', namespaces=space) == '1'
