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

"""What a process adds to its environment for Fast DDS, and when it does not."""

from xml.etree import ElementTree

from camera_ws_bridge.ros import fast_dds
import pytest

UDP = {'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4'}
WAYS = {  # to ask for either
    'spare': lambda environment, folder: fast_dds.spare(environment, folder),
    'by_udp': lambda environment, folder: fast_dds.by_udp(
        {**UDP, **environment}, folder, 'LOCALHOST')}


@pytest.fixture(params=sorted(WAYS))
def ask(request):
    """Return the function that is asked what to add."""
    return WAYS[request.param]


@pytest.mark.parametrize('way, profiles', [
    ('spare', fast_dds.PROFILES), ('by_udp', fast_dds.UDP_PROFILES)])
def test_both_generations_of_fast_dds_are_told(tmp_path, way, profiles):
    found = WAYS[way]({'HOME': '/var/empty'}, tmp_path)
    names = {'FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'}
    assert {found.pop(name) for name in names} == {str(profiles)}
    assert not found


@pytest.mark.parametrize('name, told', [
    ('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SYSTEM_DEFAULT'), ('ROS_LOCALHOST_ONLY', '0')])
def test_how_far_to_look_is_told_by_the_variable_that_has_told_it(tmp_path, name, told):
    found = fast_dds.by_udp({**UDP, name: 'as it was'}, tmp_path, 'LOCALHOST')
    assert {*found} == {name, *fast_dds.VARIABLES} and found[name] == told


def test_an_empty_variable_is_none(tmp_path, ask):
    assert ask({'FASTDDS_DEFAULT_PROFILES_FILE': ''}, tmp_path)


@pytest.mark.parametrize('name', fast_dds.VARIABLES)
def test_profiles_of_the_user_stay(tmp_path, ask, name):
    assert ask({name: '/etc/mine.xml'}, tmp_path) == {}


@pytest.mark.parametrize('name', fast_dds.FILES)
def test_a_file_of_the_user_in_the_working_directory_stays(tmp_path, ask, name):
    (tmp_path / name).touch()
    assert ask({}, tmp_path) == {}


@pytest.mark.parametrize('profiles', [fast_dds.PROFILES, fast_dds.UDP_PROFILES])
def test_those_of_a_parent_process_are_not_the_users(tmp_path, ask, profiles):
    assert ask(dict.fromkeys(fast_dds.VARIABLES, str(profiles)), tmp_path) == ask({}, tmp_path)


@pytest.mark.parametrize('environment, discovery', [
    ({}, 'LOCALHOST'), ({'FASTDDS_BUILTIN_TRANSPORTS': 'DEFAULT'}, 'LOCALHOST'),
    (UDP, 'SUBNET'), (UDP, 'OFF'), (UDP, 'SYSTEM_DEFAULT'),
    *(({**UDP, name: '192.0.2.7'}, 'LOCALHOST') for name in fast_dds.NAMED)])
def test_the_transports_are_left_alone(tmp_path, environment, discovery):
    assert fast_dds.by_udp(environment, tmp_path, discovery) == {}


SPACE = {'dds': 'http://www.eprosima.com'}


@pytest.mark.parametrize('path', [fast_dds.PROFILES, fast_dds.UDP_PROFILES])
def test_the_profiles_are_for_all_readers_and_writers(path):
    root = ElementTree.parse(path).getroot()
    for kind in ('data_reader', 'data_writer'):
        profile, = root.findall(f'dds:profiles/dds:{kind}', SPACE)
        assert profile.get('is_default_profile') == 'true'
        assert profile.findtext('.//dds:allocated_samples', namespaces=SPACE) == '1'


def test_the_profiles_with_udp_alone_are_for_all_participants_and_of_this_machine():
    root = ElementTree.parse(fast_dds.UDP_PROFILES).getroot()
    participant, = root.findall('dds:profiles/dds:participant', SPACE)
    assert participant.get('is_default_profile') == 'true'
    assert participant.findtext('.//dds:useBuiltinTransports', namespaces=SPACE) == 'false'
    assert [element.text for element in root.iterfind('.//dds:type', SPACE)] == ['UDPv4']
    assert {element.text for element in root.iterfind('.//dds:address', SPACE)} == {'127.0.0.1'}
