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

"""
What the tests in test/launch share: a ROS domain, a simulated orchestrator, launched files.

The launched processes see the site's domain and the given environment; this process does not.
"""

from __future__ import annotations

import contextlib
import pathlib
import sys
import tempfile
from typing import Any

from launch import Action, LaunchDescription
from launch.actions import (
    ExecuteProcess, GroupAction, IncludeLaunchDescription, SetEnvironmentVariable,
    UnsetEnvironmentVariable)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare
from launch_testing.actions import ReadyToTest
from launch_testing.asserts import assertExitCodes
from rclpy.parameter import parameter_value_to_python
from rigs import process_rig
from rigs.parameter_client import ParameterClient
import yaml

LAUNCH = """
import sys
from ament_index_python import get_package_share_directory
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
service = LaunchService(noninteractive=True)
service.include_launch_description(LaunchDescription([IncludeLaunchDescription(
    PythonLaunchDescriptionSource(
        get_package_share_directory('camera_ws_bridge') + '/launch/' + sys.argv[1]),
    launch_arguments=[argument.split(':=', 1) for argument in sys.argv[2:]])]))
sys.exit(service.run())
"""

# Whatever rclpy itself declares; the rest is the bridge's own.
OF_RCLPY = {'start_type_description_service', 'use_sim_time'}


class Site:
    """Where the processes under test live; close it when they have ended."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self.domain = self._stack.enter_context(process_rig.own_domain())
        self.folder = pathlib.Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.orchestrator = self._stack.enter_context(process_rig.serving())
        self._probes: dict[str, process_rig.Probe] = {}

    def description(
            self, *actions: Action, **arguments: Any) -> tuple[LaunchDescription, dict[str, Any]]:
        """Return what generate_test_description does; tests get the site and the arguments."""
        return LaunchDescription([*actions, ReadyToTest()]), {'site': self, **arguments}

    def bridge(self, **arguments: str) -> GroupAction:
        """Return bridge.launch.py for a camera of this site; arguments replace its own."""
        if 'params_file' not in arguments:
            arguments['params_file'] = self.parameters_file()
        return self.launched('bridge.launch.py', **{
            'orchestrator_url': self.orchestrator.sim.url, 'camera_id': 'gate', **arguments})

    def launched(
            self, launch_file: str, *, environment: dict[str, str] | None = None,
            **arguments: str) -> GroupAction:
        """Return one of the installed launch files, included with these arguments."""
        return self.surrounded(included(launch_file, **arguments), environment=environment)

    def surrounded(
            self, *actions: Action, environment: dict[str, str] | None = None) -> GroupAction:
        """Return actions whose processes see this site, and the environment that is given."""
        variables = {
            'ROS_DOMAIN_ID': str(self.domain), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
            'PYTHONUNBUFFERED': '1', **(environment or {})}
        return GroupAction([
            UnsetEnvironmentVariable('ORCHESTRATOR_URL'),
            UnsetEnvironmentVariable('CAMERA_ID'),
            *(SetEnvironmentVariable(name, value) for name, value in variables.items()),
            *actions])

    def launch_of_its_own(self, launch_file: str, **arguments: str) -> ExecuteProcess:
        """Return a launch file in a process of its own, for an error that ends the launch."""
        return ExecuteProcess(
            cmd=[sys.executable, '-c', LAUNCH, launch_file,
                 *(f'{name}:={value}' for name, value in arguments.items())],
            name='launch_of_its_own', additional_env={'ROS_DOMAIN_ID': str(self.domain)})

    def assert_refused(self, says: str, proc_info: Any, proc_output: Any) -> None:
        """Fail unless launch_of_its_own says so and has started nothing."""
        proc_info.assertWaitForStartup('launch_of_its_own', timeout=30)
        proc_info.assertWaitForShutdown('launch_of_its_own', timeout=30)
        assertExitCodes(proc_info, [1])
        self.probe().wait(lambda: says in text_of(proc_output), 'it says what is wrong')
        assert 'process started' not in text_of(proc_output)

    def probe(self, namespace: str = '') -> process_rig.Probe:
        """Return the detector and re-ID node of a namespace."""
        if namespace not in self._probes:
            probe = process_rig.Probe(self.domain, namespace=namespace)
            self._stack.callback(probe.close)
            self._probes[namespace] = probe
        return self._probes[namespace]

    def write(self, name: str, content: Any) -> str:
        """Write a file, a YAML file if the content is no text, and return its path."""
        path = self.folder / name
        path.write_text(
            content if isinstance(content, str) else yaml.safe_dump(content), encoding='utf-8')
        return str(path)

    def parameters_file(self, name: str = 'parameters.yaml', **parameters: Any) -> str:
        """Write a params_file and return its path; it makes reconnects fast."""
        return self.write(name, {'/**': {'ros__parameters': {**process_rig.FAST, **parameters}}})

    def close(self) -> None:
        """Give everything back."""
        self._stack.close()


class Afterwards:
    """Mixed into the tests that run when all has ended: closes the site."""

    @classmethod
    def tearDownClass(cls, site: Site) -> None:
        site.close()

    def test_no_tracebacks(self, proc_output: Any) -> None:
        assert 'Traceback' not in text_of(proc_output)


class AllEndWith0(Afterwards):
    """The same, where no process may have failed."""

    def test_all_end_with_0(self, proc_info: Any) -> None:
        assertExitCodes(proc_info)


def included(launch_file: str, **arguments: str) -> IncludeLaunchDescription:
    """Return one of the installed launch files, as a parent includes it."""
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(PathJoinSubstitution(
            [FindPackageShare('camera_ws_bridge'), 'launch', launch_file])),
        launch_arguments=arguments.items())


def parameters_of(probe: process_rig.Probe, node: str = 'camera_ws_bridge') -> dict[str, Any]:
    """Return a node's own parameters, as its services tell them."""
    client = ParameterClient(probe.node, node)
    probe.wait(client.services_are_ready, f'{node} has its parameter services')
    listed = client.list_parameters()
    probe.wait(listed.done, f'{node} lists its parameters')
    names = [name for name in listed.result().result.names
             if '.' not in name and name not in OF_RCLPY]
    got = client.get_parameters(names)
    probe.wait(got.done, f'{node} tells its parameters')
    return dict(zip(names, map(parameter_value_to_python, got.result().values)))


def text_of(proc_output: Any, process: str = '') -> str:
    """Return what the processes of this name, or all of them, have printed so far."""
    return ''.join(
        io.text.decode(errors='replace') for io in list(proc_output)
        if process in io.process_name)
