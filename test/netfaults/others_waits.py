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
How long others let a bridge wait after a mend, and what it adds to that: where nobody can hurry.

    python3 test/netfaults/others_waits.py [--times 20]

A cable that was out: from then on until the kernel has its neighbour again, and until boxes flow.
It asks once a second (`retrans_time_ms`), or here four times. A bridge that was stopped: until the
detector's DDS looks for what was lost (every 3 s, or here 0.25 s), or has forgotten it, and boxes
flow. It remembers 100 messages, or here 1000. Needs root.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from network import ROUTER, why_not  # noqa: E402, I100, I202
from rigs.process_rig import own_domain  # noqa: E402, I100, I202
from stage import REMEMBERED, Stage  # noqa: E402, I100, I202

OUT, STOPPED = 2.0, 4.0  # seconds without the cable, without the processor, and
STEP = 0.13  # more each time, so that the waits of others begin anywhere
MANY = 1000  # messages that a detector remembers: half a minute of them
ASKS_OFTEN = 'echo 250 > /proc/sys/net/ipv4/neigh/up0/retrans_time_ms'
LOOKS_OFTEN = """<?xml version="1.0" encoding="UTF-8"?>
<profiles xmlns="http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles">
  <publisher profile_name="often" is_default_profile="true">
    <times><heartbeatPeriod><sec>0</sec><nanosec>250000000</nanosec></heartbeatPeriod></times>
  </publisher>
</profiles>
"""


def cables(stage: Stage, times: int) -> Iterator[tuple[float, float]]:
    """Yield seconds until the kernel has its neighbour, and until boxes flow."""
    found: list[float] = []
    monitor = subprocess.Popen(
        stage.network.command('bridge', 'ip', 'monitor', 'neigh', 'dev', 'up0'),
        stdout=subprocess.PIPE, text=True)

    def hear() -> None:
        assert monitor.stdout is not None
        for line in monitor.stdout:
            if line.startswith(ROUTER[0]) and 'REACHABLE' in line:
                found.append(time.time())
    threading.Thread(target=hear, daemon=True).start()
    try:
        for index in range(times):
            stage.network.ip('router', 'link set to0 down')
            time.sleep(OUT + STEP * index)
            mended = time.time()
            stage.network.ip('router', 'link set to0 up')
            stage.wait(lambda: stage.arrived_since(mended), 'boxes flow again')
            stage.wait(lambda: found and found[-1] > mended, 'the kernel has its neighbour')
            first = next(at for at in found if at > mended)
            yield first - mended, (stage.arrived_since(mended) or 0.0) - mended
            stage.wait_until_settled()
    finally:
        monitor.kill()
        monitor.wait()


def stops(stage: Stage, times: int) -> Iterator[float]:
    """Yield how long no boxes came at the longest, afterwards."""
    for index in range(times):
        stage.process.suspend()
        time.sleep(STOPPED + STEP * index)
        mended = time.time()
        stage.process.resume()
        stage.wait(lambda: stage.arrived_since(mended), 'boxes flow again')
        stage.wait_until_settled()  # what had come before the stop may come first
        moments = [mended, *(at for at, _ in stage.arrivals if at > mended)]
        yield max(after - before for before, after in zip(moments, moments[1:]))


def measure(domain: int, times: int, often: bool, remembered: int) -> None:
    """Print a row for the cable, unless much is remembered, and one for the stops."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        (folder / 'often.xml').write_text(LOOKS_OFTEN)
        if often:
            stack.enter_context(mock.patch.dict(os.environ, {
                f'{prefix}_DEFAULT_PROFILES_FILE': str(folder / 'often.xml')
                for prefix in ('FASTRTPS', 'FASTDDS')}))
        stage = stack.enter_context(Stage(folder, domain, remembered))
        if often:
            stage.network.shell('bridge', ASKS_OFTEN)
        stage.tell_detector('go')
        stage.wait_until_settled()
        if remembered != MANY:
            pairs = [*cables(stage, times)]
            added = max(flows - neighbour for neighbour, flows in pairs)
            print(f'cable, asked {"four times" if often else "once"} a second: neighbour after '
                  f'{max(pairs)[0]:.2f} s at most, boxes {added:.2f} s later at most', flush=True)
        waits = sorted(stops(stage, times))
        print(f'stopped, {remembered} remembered and looked for every {"0.25" if often else "3"} '
              f's: boxes after {waits[len(waits) // 2]:.2f} s (median), {waits[-1]:.2f} s at most',
              flush=True)


def main() -> int:
    """Measure as it is, where others hurry, and where they remember much."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--times', type=int, default=20)
    arguments = parser.parse_args()
    reason = why_not()
    if reason:
        print(f'skipped: {reason}')
        return 0
    with own_domain() as domain:
        for often, remembered in ((False, REMEMBERED), (True, REMEMBERED), (False, MANY)):
            measure(domain, arguments.times, often, remembered)
    return 0


if __name__ == '__main__':
    sys.exit(main())
