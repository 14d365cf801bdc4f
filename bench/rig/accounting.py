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

"""What the operating system accounts to a process: CPU time, memory, whether it sleeps."""

from __future__ import annotations

from collections.abc import Iterable
import pathlib
import time

import psutil

MIB = 2**20


def cpu_seconds(pid: int) -> float:
    """
    Return the CPU time of a process and its children, user and system, of all their threads.

    From the process's own clock (nanoseconds), since /proc/PID/stat counts in ticks of 10 ms. As
    psutil's, it counts the threads that have ended; children that have ended are not counted.
    """
    family = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    return sum(time.clock_gettime(_process_clock(member)) for member in family)


def _process_clock(pid: int) -> int:
    # What clock_getcpuclockid(3) returns on Linux: CPUCLOCK_SCHED of all threads of the process.
    return (~pid << 3) | 2


def rss(pids: Iterable[int]) -> float:
    """Return the resident memory of processes in MiB; shared pages count in each."""
    return sum(psutil.Process(pid).memory_info().rss for pid in pids) / MIB


def pss(pids: Iterable[int]) -> float:
    """Return the proportional memory of processes in MiB: shared pages are divided."""
    return sum(psutil.Process(pid).memory_full_info().pss for pid in pids) / MIB


def asleep(pid: int) -> bool:
    """Return whether every thread of a process waits for something."""
    for task in pathlib.Path(f'/proc/{pid}/task').iterdir():
        try:
            state = (task / 'stat').read_text().rpartition(')')[2].split()[0]
        except OSError:  # a thread that has just ended
            continue
        if state != 'S':
            return False
    return True


def wait_until_asleep(pid: int) -> None:
    """Return when a process has nothing left to do: all threads sleep on two looks in a row."""
    looks = 0
    while looks < 2:
        looks = looks + 1 if asleep(pid) else 0
        time.sleep(0.0005)
