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

"""The faults of a soak; each does harm for a while, and leaves all as it was."""

from __future__ import annotations

from collections.abc import Callable
import random
import time

from rigs import process_rig as rigs
from rigs.bad_inputs import REJECTED
from rigs.proxy import BOTH
from stage import Stage

Fault = Callable[[Stage, random.Random], None]


def drop(stage: Stage, chance: random.Random) -> None:
    """Close the connection, some times in a row."""
    for _ in range(chance.randint(1, 5)):
        stage.proxy.drop()
        time.sleep(chance.uniform(0.0, 0.5))


def reset(stage: Stage, chance: random.Random) -> None:
    """Break the connection with RST, some times in a row."""
    for _ in range(chance.randint(1, 5)):
        stage.proxy.reset()
        time.sleep(chance.uniform(0.0, 0.5))


def cut(stage: Stage, chance: random.Random) -> None:
    """Break the connection in the middle of a frame."""
    stage.proxy.cut_after(chance.randint(1, 20000))
    time.sleep(2.0)


def stall(stage: Stage, chance: random.Random) -> None:
    """Let nothing through, in one direction or both; longer than the heartbeat allows, or not."""
    stage.proxy.stall(*chance.choice((BOTH, BOTH[:1], BOTH[1:])))
    time.sleep(chance.uniform(0.5, 4.0))


def throttle(stage: Stage, chance: random.Random) -> None:
    """Let 3 to 10 kB/s through, less than is published."""
    stage.proxy.throttle(chance.uniform(3000, 10000))
    stage.publisher.burst += 100
    time.sleep(chance.uniform(1.0, 5.0))


def fragment(stage: Stage, chance: random.Random) -> None:
    """Forward in pieces of a few bytes."""
    stage.proxy.fragment(chance.getrandbits(32))
    time.sleep(chance.uniform(1.0, 3.0))


def refuse(stage: Stage, chance: random.Random) -> None:
    """Refuse connections for a while."""
    stage.proxy.refuse()
    stage.proxy.reset()
    time.sleep(chance.uniform(0.5, 5.0))


def accept_nothing(stage: Stage, chance: random.Random) -> None:
    """Let the kernel accept connections that nobody serves."""
    stage.proxy.stop_accepting()
    stage.proxy.reset()
    time.sleep(chance.uniform(0.5, 4.0))


def restart_orchestrator(stage: Stage, chance: random.Random) -> None:
    """Let the orchestrator forget everything."""
    stage.orchestrator.die()
    time.sleep(chance.uniform(0.0, 3.0))
    stage.orchestrator.come_back()


def _buffer_feature_maps(stage: Stage) -> None:
    """Let the orchestrator die, and the bridge keep some feature maps for it."""
    stage.orchestrator.die()
    stage.wait(lambda: stage.publisher.probe.status.updates_queued > 3, 'feature maps are kept')


def reuse_ids_in_memory(stage: Stage, chance: random.Random) -> None:
    """Restart the orchestrator while the memory of a bridge without a spool holds feature maps."""
    stage.settle()
    stage.terminate()
    stage.start_bridge(spool=False)
    stage.wait(lambda: stage.publisher.probe.status.acknowledged > 10, 'messages arrive')
    _buffer_feature_maps(stage)
    stage.orchestrator.come_back()
    stage.settle()
    stage.terminate()
    stage.start_bridge()


def reuse_ids_in_spool(stage: Stage, chance: random.Random) -> None:
    """Restart the orchestrator, and the bridge as well, while its spool holds feature maps."""
    _buffer_feature_maps(stage)
    chance.choice((stage.terminate, stage.kill))()
    stage.orchestrator.come_back()
    stage.start_bridge()


def stall_orchestrator(stage: Stage, chance: random.Random) -> None:
    """Let the orchestrator neither read nor answer."""
    stage.orchestrator.do('stall')
    time.sleep(chance.uniform(0.5, 4.0))
    stage.orchestrator.do('resume')


def overload_orchestrator(stage: Stage, chance: random.Random) -> None:
    """Let the orchestrator refuse with 503, or accept and close at once."""
    if chance.random() < 0.5:
        stage.orchestrator.do('refuse', status=503, retry_after=chance.choice((None, 1)))
    else:
        stage.orchestrator.do('accept_then_close', code=chance.choice((None, 1011)))
    stage.orchestrator.do('drop')
    time.sleep(chance.uniform(0.5, 3.0))
    stage.orchestrator.do('accept')


def garbage(stage: Stage, chance: random.Random) -> None:
    """Let the orchestrator send what is no message."""
    for entry in chance.sample(REJECTED, 20):
        if len(entry.text) < 10**5:
            try:
                stage.orchestrator.do('send', camera=rigs.CAMERA_ID, text=entry.text)
            except ValueError:  # not registered at this moment
                time.sleep(0.1)


def burst(stage: Stage, chance: random.Random) -> None:
    """Publish as fast as DDS takes it."""
    stage.publisher.burst += chance.randint(100, 300)


def overflow(stage: Stage, chance: random.Random) -> None:
    """Publish more than the buffer holds, while the link is away."""
    stage.proxy.refuse()
    stage.proxy.reset()
    stage.publisher.burst += 800
    stage.wait(lambda: not stage.publisher.burst, 'the burst is over')


def clear(stage: Stage, chance: random.Random) -> None:
    """Clear the buffer while it holds something."""
    stage.proxy.refuse()
    stage.proxy.reset()
    stage.wait(lambda: stage.publisher.probe.status.boxes_queued > 10, 'something is queued')
    stage.publisher.clear()


def terminate(stage: Stage, chance: random.Random) -> None:
    """Restart the bridge with SIGTERM, with the link up or away."""
    if chance.random() < 0.5:
        stage.proxy.refuse()
        stage.proxy.reset()
        time.sleep(chance.uniform(0.0, 2.0))
    stage.terminate()
    stage.start_bridge()


def kill(stage: Stage, chance: random.Random) -> None:
    """Restart the bridge with SIGKILL, with the link up, stalled or away."""
    harm = chance.choice(('none', 'refuse', 'stall'))
    if harm == 'refuse':
        stage.proxy.refuse()
        stage.proxy.reset()
    elif harm == 'stall':
        stage.proxy.stall()
    time.sleep(chance.uniform(0.0, 3.0))
    stage.kill()
    stage.start_bridge()


FAULTS: tuple[Fault, ...] = (
    drop, reset, cut, stall, throttle, fragment, refuse, accept_nothing, restart_orchestrator,
    reuse_ids_in_memory, reuse_ids_in_spool, stall_orchestrator, overload_orchestrator, garbage,
    burst, overflow, clear, terminate, kill)
