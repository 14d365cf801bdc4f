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
The `bridge` executable with every bytecode instruction counted: COUNTER_FILE, then its arguments.

Slot 0 of the counter: instructions of this package's own code; slot 1: those of all Python code,
rclpy's executor and the websockets library included. Counting makes it slow, and is exact. What is
not 0 in slot 2 ends the counting: Python 3.11 hangs when a signal comes to a traced process.
"""

from __future__ import annotations

from collections.abc import Callable
import importlib.util
import os
import sys
import threading
from types import CodeType, FrameType
from typing import Any

from rig.counter import open_counter

Tracer = Callable[[FrameType, str, Any], Any]


def install(slots: memoryview, folder: str) -> None:
    """Count from now on, in this thread and those that start; own code is what is in `folder`."""
    if hasattr(sys, 'monitoring'):
        _monitor(slots, folder)
    else:
        _trace(slots, folder)


def remove() -> None:
    """Count no more in this thread."""
    if hasattr(sys, 'monitoring'):
        sys.monitoring.set_events(sys.monitoring.PROFILER_ID, 0)
        sys.monitoring.free_tool_id(sys.monitoring.PROFILER_ID)
    else:
        sys.settrace(None)


def _monitor(slots: memoryview, folder: str) -> None:
    # Python 3.12 and later; there, tracing misses the instructions of frames that have begun.
    own: dict[CodeType, bool] = {}
    monitoring = sys.monitoring

    def count(code: CodeType, offset: int) -> None:
        if slots[2]:
            monitoring.set_events(monitoring.PROFILER_ID, 0)
            return
        is_own = own.get(code)
        if is_own is None:
            is_own = own[code] = code.co_filename.startswith(folder)
        slots[0] += is_own
        slots[1] += 1
    monitoring.use_tool_id(monitoring.PROFILER_ID, 'guard')
    monitoring.register_callback(
        monitoring.PROFILER_ID, monitoring.events.INSTRUCTION, count)
    monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.INSTRUCTION)


def _trace(slots: memoryview, folder: str) -> None:
    own: dict[CodeType, bool] = {}

    def count_own(frame: FrameType, event: str, arg: Any) -> Tracer | None:
        if slots[2]:
            sys.settrace(None)
            return None
        if event == 'opcode':
            slots[0] += 1
            slots[1] += 1
        return count_own

    def count_other(frame: FrameType, event: str, arg: Any) -> Tracer | None:
        if slots[2]:
            sys.settrace(None)
            return None
        if event == 'opcode':
            slots[1] += 1
        return count_other

    def begin(frame: FrameType, event: str, arg: Any) -> Tracer:
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        code = frame.f_code
        is_own = own.get(code)
        if is_own is None:
            is_own = own[code] = code.co_filename.startswith(folder)
        return count_own if is_own else count_other
    threading.settrace(begin)
    sys.settrace(begin)


def package_folder() -> str:
    """Return where the installed package lies, without importing it."""
    spec = importlib.util.find_spec('camera_ws_bridge')
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError('camera_ws_bridge is not installed')
    return os.path.join(spec.submodule_search_locations[0], '')


def main() -> int:
    """Run the bridge."""
    slots = open_counter(sys.argv[1])
    sys.argv[:2] = ['bridge']
    install(slots, package_folder())
    from camera_ws_bridge.process.start import bridge
    return bridge()


if __name__ == '__main__':
    sys.exit(main())
