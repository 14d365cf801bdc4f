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
The bridges of several cameras in one process.

  ros2 run camera_ws_bridge multi_bridge cameras.yaml --ros-args --params-file bridge.yaml

cameras.yaml is the list of cameras as in config/cameras.yaml; what comes after --ros-args holds
for all of them, where the list says nothing else. Each camera is a node of its own, in its own
namespace, below that of the process (`-r __ns:=/site`). A camera that gives up is deactivated, the
others go on. Exit codes: 0 stopped by a signal; once no camera is left that could work, 2 if each
had a parameter that can never work, else 3, or 1 if the rest had a bug; 2 as well for a list that
cannot be used. A camera with autostart:=false is never given up: that is between its node and who
manages it.
"""

from __future__ import annotations

import argparse
from functools import partial
import os
import pathlib
import sys
from typing import Any

from camera_ws_bridge.config import cameras
from camera_ws_bridge.errors import ConfigurationError, LinkFault
from camera_ws_bridge.node.bridge_node import BridgeNode
from camera_ws_bridge.process.run import (
    EXIT_BUG, exit_code, EXIT_CONFIGURATION, EXIT_UNREACHABLE, Process, run)
from camera_ws_bridge.ros import fast_dds
from camera_ws_bridge.ros.starting import own_arguments
from rclpy.parameter import Parameter


def main(args: list[str] | None = None) -> int:
    """Run the bridges until a signal comes or none is left; return the exit code."""
    given = sys.argv[1:] if args is None else args
    parser = argparse.ArgumentParser(
        prog='multi_bridge', description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('cameras_file', help='YAML file with the list of cameras')
    path = parser.parse_args(own_arguments('multi_bridge', given)).cameras_file
    try:
        found = cameras.load(path)
    except ValueError as error:
        print(f'camera_ws_bridge: {error}', file=sys.stderr)
        return EXIT_CONFIGURATION
    os.environ.update(fast_dds.spare(os.environ, pathlib.Path()))
    return run(given, Site(found, _namespace(given)).start)


class Site:
    """The cameras of a process, and which of them have ended by themselves."""

    def __init__(self, found: list[dict[str, Any]], namespace: str = '') -> None:
        """Take a checked list of cameras, and the namespace that theirs are in."""
        self._cameras = found
        self._namespace = namespace
        self._nodes: list[BridgeNode] = []
        self._codes: list[int] = []  # why cameras have ended, as exit codes

    def start(self, process: Process) -> list[BridgeNode]:
        """Make and start a node per camera."""
        for camera in self._cameras:
            try:
                self._nodes.append(BridgeNode(
                    process.host, partial(self._on_end, process, len(self._nodes)),
                    parameter_overrides=_overrides(camera),
                    cli_args=_arguments(camera, self._namespace)))
            except Exception as error:  # rclpy's own, for a params_file that cannot be used
                reason = str(error).splitlines()[0]
                print(f'camera_ws_bridge: {camera["camera_id"]}: {reason}', file=sys.stderr)
        if not self._nodes:
            raise ConfigurationError('cameras_file', 'no camera of it can be used')
        process.add(*self._nodes)
        for node in self._nodes:
            try:
                node.start()
            except ConfigurationError as error:
                node.get_logger().error(str(error))
                self._codes.append(EXIT_CONFIGURATION)
            except RuntimeError as error:  # a bug, or rclpy's own
                node.get_logger().error(str(error))
                self._codes.append(EXIT_BUG)
        self._end_if_none_is_left(process)
        return self._nodes

    def _on_end(self, process: Process, number: int, fault: LinkFault) -> None:
        self._codes.append(exit_code(fault))
        if not self._end_if_none_is_left(process):
            self._nodes[number].give_up()

    def _end_if_none_is_left(self, process: Process) -> bool:
        # Where autostart is false, a manager may activate it again.
        none_is_left = all(node.autostart and node.failed for node in self._nodes)
        if none_is_left:
            process.end(common_exit_code(self._codes))
        return none_is_left


def common_exit_code(codes: list[int]) -> int:
    """Return the exit code of a process whose cameras ended with these; 2 forbids a restart."""
    if {*codes} == {EXIT_CONFIGURATION}:
        return EXIT_CONFIGURATION
    return EXIT_UNREACHABLE if EXIT_UNREACHABLE in codes else EXIT_BUG


def _overrides(camera: dict[str, Any]) -> list[Parameter]:
    values = {key: camera[key] for key in ('camera_id', 'orchestrator_url') if key in camera}
    values.update(camera.get('parameters', {}))
    return [Parameter(name, value=value) for name, value in values.items()]


def _namespace(arguments: list[str]) -> str:
    """Return what the arguments make the process's namespace, as a launch file's group does."""
    given = [word[len('__ns:='):] for word in arguments if word.startswith('__ns:=')]
    return given[0].rstrip('/') if given else ''


def _arguments(camera: dict[str, Any], namespace: str) -> list[str]:
    arguments = ['--ros-args', '-r', f'__ns:={namespace}/{camera["namespace"]}']
    if 'params_file' in camera:
        arguments += ['--params-file', camera['params_file']]
    return arguments
