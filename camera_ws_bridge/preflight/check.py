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

r"""
Check a camera's way to the orchestrator, step by step, before a bridge goes to work.

  ros2 run camera_ws_bridge check --ros-args \
      -p orchestrator_url:=ws://localhost:8080/processor -p camera_id:=gate

It takes the same parameters, parameter files and environment variables as the bridge, and may run
beside it: it registers under an id of its own. Exit codes: 0 ready, perhaps with warnings; 1 a
step has failed; 2 the command line is wrong, or websockets too old.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
import os
import secrets
import sys
import time

from camera_ws_bridge.config import parameters
from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.node.assembly import connection_options, token_source
from camera_ws_bridge.preflight import metrics, report, ros, sequence, spool
from camera_ws_bridge.preflight.orchestrator import Target
from camera_ws_bridge.preflight.report import Finding, Step
from camera_ws_bridge.protocol import codec, strict_json
from camera_ws_bridge.ros import starting
from camera_ws_bridge.transport.descriptors import shortage
from camera_ws_bridge.transport.url import for_log
import rclpy
from rclpy.node import Node

EXIT_OK = 0
EXIT_FAILED = 1


class Check:
    """The steps that have been taken; text is printed as they are."""

    def __init__(self, show: Callable[[Step], None]) -> None:
        self.steps: list[Step] = []
        self._show = show

    def add(self, step: Step) -> None:
        """Take note of a step."""
        self.steps.append(step)
        self._show(step)

    def take(self, name: str, job: Callable[[], Finding]) -> None:
        """Take a step."""
        began = time.monotonic()
        self.add(Step(name, job(), time.monotonic() - began))

    def run(self, node: Node, time_limit: float, listen: float) -> None:
        """Take all steps."""
        began = time.monotonic()
        boxes_type, frame_id_zero = parameters.BOXES, ''
        try:
            values = parameters.declare(node)
            target = _target(values)
        except ConfigurationError as error:
            self.add(Step('parameters', report.failed(
                str(error), 'correct it in the parameter file, with -p, or in the environment'),
                time.monotonic() - began))
            for name in (*sequence.NEEDS, 'spool', 'metrics'):
                self.add(Step(name, report.skipped('in vain without parameters'), 0.0))
        else:
            boxes_type, frame_id_zero = values.boxes_type, values.frame_id_zero
            self.add(Step('parameters', report.ok(
                f'camera {values.camera_id}, {for_log(values.orchestrator_url)}',
                camera_id=values.camera_id, orchestrator_url=for_log(values.orchestrator_url)),
                time.monotonic() - began))
            sequence.run(target, time_limit, self.add)
            self.take('spool', lambda: spool.check(values.spool_path, values.spool_max_bytes))
            self.take('metrics', lambda: metrics.check(values.metrics_address))
        self.take('ros', lambda: ros.environment(node))
        self.take('boxes', lambda: ros.boxes(
            node, boxes_type, listen, frame_id_zero))


def main(args: list[str] | None = None) -> int:
    """Check, and return the exit code."""
    try:
        return _main(args)
    except BrokenPipeError:  # who read the report has gone, `head` for instance
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes at its end
        return EXIT_FAILED


def _main(args: list[str] | None) -> int:
    given = sys.argv[1:] if args is None else args
    problem = shortage()
    if problem:
        print(f'check: {problem}', file=sys.stderr)
        return EXIT_FAILED
    arguments = _parser().parse_args(starting.own_arguments('check', given))
    starting.init('check', given)
    check = Check((lambda step: None) if arguments.json else (
        lambda step: print(report.as_text(step), flush=True)))
    # The bridge's name, since parameter files name it; without services that would answer for it.
    node = rclpy.create_node(
        'camera_ws_bridge', start_parameter_services=False, enable_rosout=False)
    try:
        check.run(node, arguments.timeout, arguments.listen)
    except KeyboardInterrupt:
        return EXIT_FAILED
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    print(strict_json.dumps(report.as_object(check.steps)) if arguments.json
          else report.summary(check.steps), flush=True)
    return EXIT_OK if report.all_well(check.steps) else EXIT_FAILED


def _target(values: parameters.Parameters) -> Target:
    options, tls = connection_options(values)
    return Target(
        values.orchestrator_url, options, tls, token_source(values),
        f'{values.camera_id}-check-{secrets.token_hex(3)}', values.open_timeout,
        values.heartbeat_timeout, codec.Limits(values.max_image_bytes, values.max_image_pixels))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='check', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--json', action='store_true', help='print one JSON object instead')
    parser.add_argument('--timeout', type=_seconds, default=60.0, metavar='SECONDS',
                        help='limit of all steps on the way to the orchestrator (60)')
    parser.add_argument('--listen', type=_seconds, default=3.0, metavar='SECONDS',
                        help='how long to wait for boxes; discovery alone takes up to two (3)')
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 3600:
        raise argparse.ArgumentTypeError('must be in 0 to 3600')
    return value


if __name__ == '__main__':
    sys.exit(main())
