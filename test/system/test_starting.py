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

"""What ROS needs to start: where it is missing, one line says what to set, with exit code 2."""

import os
import pathlib
import subprocess

from camera_ws_bridge.ros.starting import log_folder_problem
import pytest
from rigs import process_rig as rigs
from rigs.installed import executable

OURS = ('--ros-args', '-p', 'camera_id:=a', '-p', 'orchestrator_url:=ws://127.0.0.1:1/processor')
NO_FOLDER = '/proc/nowhere'  # nobody can make it, not even root


@pytest.fixture
def cameras(tmp_path):
    path = tmp_path / 'cameras.yaml'
    path.write_text('cameras:\n- {camera_id: a, namespace: a}\n')
    return str(path)


def refused(program, cameras, *arguments, **environment):
    """Run a program that has to end with 2; return its one line."""
    mine = {key: value for key, value in os.environ.items()
            if key not in ('HOME', 'ROS_HOME', 'ROS_LOG_DIR')}
    with rigs.own_domain() as domain:
        done = subprocess.run(
            [executable(program), *([cameras] if program == 'multi_bridge' else []), *arguments],
            text=True, env={**mine, 'ROS_DOMAIN_ID': str(domain), **environment},
            capture_output=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ''
    (line,) = done.stderr.splitlines()
    return line


PROGRAMS = pytest.mark.parametrize('program', [
    'bridge', 'multi_bridge', 'check', 'camera_sim', 'demo'])


@PROGRAMS
def test_a_level_of_the_log_that_is_none(program, cameras):
    line = refused(program, cameras, '--ros-args', '--log-level', 'verbose', HOME='/')
    assert '--log-level verbose' in line and 'debug, info, warn, error or fatal' in line
    assert '.c:' not in line, 'where in the sources of ROS is no news'


@pytest.mark.parametrize('program', ['orchestrator_sim', 'operator_sim'])
def test_a_level_of_the_log_that_is_none_for_what_is_no_ros_node(program, cameras):
    line = refused(program, cameras, '--ros-args', '--log-level', 'verbose')
    assert line.startswith(f'{program}: ') and '--log-level verbose' in line


def test_a_level_of_the_log_that_is_none_for_an_example():
    done = subprocess.run(
        [executable('reid_node.py'), '--ros-args', '--log-level', 'verbose'], text=True,
        capture_output=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith('reid_node: ')  # ROS has a line of its own
    assert 'Traceback' not in done.stderr


@PROGRAMS
def test_no_home(program, cameras):
    arguments = () if program in ('camera_sim', 'demo') else OURS
    line = refused(program, cameras, *arguments)
    assert 'HOME is not set: set ROS_LOG_DIR' in line


@PROGRAMS
def test_a_home_that_cannot_be_written(program, cameras):
    arguments = () if program in ('camera_sim', 'demo') else OURS
    line = refused(program, cameras, *arguments, HOME=NO_FOLDER)
    assert f'{NO_FOLDER}/.ros/log' in line and 'set ROS_LOG_DIR' in line


def test_a_log_folder_that_cannot_be_made(cameras):
    assert NO_FOLDER in refused('bridge', cameras, *OURS, HOME='/tmp', ROS_LOG_DIR=NO_FOLDER)


def test_without_a_log_file_no_folder_is_needed(tmp_path):
    with rigs.serving() as orchestrator, rigs.own_domain() as domain:
        process = rigs.Process(
            domain, tmp_path / 'log', '--disable-external-lib-logs',
            environment={'HOME': NO_FOLDER}, orchestrator_url=orchestrator.sim.url, camera_id='a')
        probe = rigs.Probe(domain)
        probe.wait_until_registered()
        assert process.end() == 0, process.log


@pytest.mark.parametrize('environment, folder', [
    ({'HOME': '{0}/home'}, 'home/.ros/log'),
    ({'HOME': '{0}/home', 'ROS_HOME': '{0}/ros'}, 'ros/log'),
    ({'HOME': '{0}/home', 'ROS_HOME': '{0}/ros', 'ROS_LOG_DIR': '{0}/logs'}, 'logs'),
    ({'HOME': '{0}/home', 'ROS_LOG_DIR': '~/logs'}, 'home/logs'),
    ({'ROS_LOG_DIR': '{0}/logs'}, 'logs')])
def test_the_folder_is_the_one_that_ros_takes(tmp_path, environment, folder):
    given = {key: value.format(tmp_path) for key, value in environment.items()}
    assert log_folder_problem(given) == ''
    made = [path for path in tmp_path.rglob('*') if not [*path.iterdir()]]
    assert made == [tmp_path / pathlib.Path(folder)]
    subprocess.run(
        ['python3', '-c', 'import rclpy; rclpy.init()'], check=True, timeout=60,
        env={**{key: value for key, value in os.environ.items() if key != 'HOME'}, **given})
    assert [*made[0].iterdir()], 'ROS has its log file there'
