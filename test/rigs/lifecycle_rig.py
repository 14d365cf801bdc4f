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

"""A lifecycle manager for process tests, and a bridge that waits for it."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import pathlib
import sys
import time
from typing import Any

from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rigs import process_rig as rigs

IDS = {'configure': Transition.TRANSITION_CONFIGURE, 'activate': Transition.TRANSITION_ACTIVATE,
       'deactivate': Transition.TRANSITION_DEACTIVATE, 'cleanup': Transition.TRANSITION_CLEANUP}
WAY_TO = {  # the transitions from unconfigured
    State.PRIMARY_STATE_UNCONFIGURED: [],
    State.PRIMARY_STATE_INACTIVE: ['configure'],
    State.PRIMARY_STATE_ACTIVE: ['configure', 'activate'],
    State.PRIMARY_STATE_FINALIZED: ['shutdown'],
}


class Manager:
    """Asks a node for transitions, as `ros2 lifecycle set` and lifecycle managers do."""

    def __init__(self, probe: rigs.Probe) -> None:
        self._probe = probe
        self._change = probe.node.create_client(ChangeState, f'{probe.bridge}/change_state')
        self._get = probe.node.create_client(GetState, f'{probe.bridge}/get_state')
        probe.wait(lambda: self._change.service_is_ready() and self._get.service_is_ready(),
                   'the lifecycle services are there')
        # They may not know these clients yet, and then their answers get lost.
        self._wait_until_answered(self._get, GetState.Request())
        self._wait_until_answered(
            self._change, ChangeState.Request(transition=Transition(label='none of all')))

    def _wait_until_answered(self, client: Any, request: Any) -> None:
        """Send a request that changes nothing again and again, until an answer gets through."""
        futures: list[Any] = []
        sent = 0.0

        def answered() -> bool:
            nonlocal sent
            if time.monotonic() - sent > 1.0:
                sent = time.monotonic()
                futures.append(client.call_async(request))
            return any(future.done() for future in futures)
        self._probe.wait(answered, f'{client.srv_name} answers')

    def ask(self, transition: str) -> Any:
        """Ask for a transition; return the future of the answer."""
        request = ChangeState.Request()
        request.transition.id = IDS.get(transition, 0)
        request.transition.label = transition
        return self._change.call_async(request)

    def change(self, *transitions: str) -> bool:
        """Ask for transitions one after the other; return whether the last one succeeded."""
        done = True
        for transition in transitions:
            future = self.ask(transition)
            self._probe.wait(future.done, f'{transition} is answered')
            done = future.result().success
        return done

    def state(self) -> str:
        """Return the label of the node's state."""
        future = self._get.call_async(GetState.Request())
        self._probe.wait(future.done, 'the state is told')
        return str(future.result().current_state.label)


class Managed:
    """An orchestrator, a probe, and a bridge that waits to be configured."""

    def __init__(
            self, domain: int, folder: pathlib.Path, orchestrator: rigs.Orchestrator,
            parameters: dict[str, Any]) -> None:
        self.domain = domain
        self.folder = folder
        self.orchestrator = orchestrator
        self.probe = rigs.Probe(domain)
        self._parameters = {
            'orchestrator_url': orchestrator.sim.url, 'camera_id': rigs.CAMERA_ID,
            'autostart': False, **rigs.FAST, **parameters}
        self.process = self.start('bridge.log')
        self.manager = Manager(self.probe)
        self.wait = self.probe.wait

    def start(self, log: str, *ros_arguments: str, **parameters: Any) -> rigs.Process:
        """Start a bridge with the same parameters, but for those given."""
        return rigs.Process(
            self.domain, self.folder / log, *ros_arguments, **{**self._parameters, **parameters})

    def wait_for_lifecycle(self, state: int) -> None:
        """Wait until `~/status` tells of the state."""
        self.probe.wait_for_status(lambda status: status.lifecycle == state)


@contextlib.contextmanager
def managed(folder: pathlib.Path, **parameters: Any) -> Iterator[Managed]:
    """Run a bridge with autostart:=false; whoever does not end it with code 0 fails."""
    with rigs.serving() as orchestrator, rigs.own_domain() as domain:
        found = Managed(domain, folder, orchestrator, parameters)
        try:
            yield found
            assert found.process.end() == 0, found.process.log
            assert 'Traceback' not in found.process.log
            assert 'never awaited' not in found.process.log
        except BaseException:
            print(found.process.log, file=sys.stderr)
            raise
        finally:
            found.process.kill()
            found.probe.close()
