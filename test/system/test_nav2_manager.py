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

"""Two bridges under a manager that does what Nav2's lifecycle manager does, in its order."""

from __future__ import annotations

from camera_ws_bridge_msgs.msg import Status
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
import pytest
from rigs import process_rig as rigs

CAMERAS = ('gate', 'hall')
LEADS_TO = {  # as nav2_lifecycle_manager has it
    Transition.TRANSITION_CONFIGURE: State.PRIMARY_STATE_INACTIVE,
    Transition.TRANSITION_ACTIVATE: State.PRIMARY_STATE_ACTIVE,
    Transition.TRANSITION_DEACTIVATE: State.PRIMARY_STATE_INACTIVE,
    Transition.TRANSITION_CLEANUP: State.PRIMARY_STATE_UNCONFIGURED,
    Transition.TRANSITION_UNCONFIGURED_SHUTDOWN: State.PRIMARY_STATE_FINALIZED,
}


class Nav2Manager:
    """Drives nodes by their names, as nav2_lifecycle_manager with bond_timeout 0.0."""

    def __init__(self, probe: rigs.Probe, *names: str) -> None:
        self._probe = probe
        self._clients = {name: (
            probe.node.create_client(ChangeState, f'{name}/change_state'),
            probe.node.create_client(GetState, f'{name}/get_state')) for name in names}
        for clients in self._clients.values():
            for client in clients:
                probe.wait(client.service_is_ready, f'{client.srv_name} is there')
        for name in names:  # an answer may get lost until both sides know of each other
            probe.wait(lambda: self._state(name) is not None, f'{name} tells its state')

    def _call(self, client, request, patience=rigs.PATIENCE):
        future = client.call_async(request)
        self._probe.wait(future.done, f'{client.srv_name} answers', patience)
        return future.result()

    def _state(self, name):
        try:
            return self._call(self._clients[name][1], GetState.Request(), 2.0).current_state.id
        except AssertionError:
            return None

    def change(self, name: str, transition: int) -> bool:
        """Ask a node, by the transition's number only, and look at its state at once."""
        request = ChangeState.Request()
        request.transition.id = transition
        return self._call(self._clients[name][0], request).success and (
            self._state(name) == LEADS_TO[transition])

    def change_all(self, *transitions: int) -> bool:
        """Ask all nodes, for each transition in turn; backwards for those that lead down."""
        for transition in transitions:
            up = transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)
            for name in list(self._clients) if up else reversed(self._clients):
                if not self.change(name, transition):
                    return False
        return True

    def startup(self) -> bool:
        return self.change_all(
            Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)

    def pause(self) -> bool:
        return self.change_all(Transition.TRANSITION_DEACTIVATE)

    def resume(self) -> bool:
        return self.change_all(Transition.TRANSITION_ACTIVATE)

    def reset(self) -> bool:
        return self.change_all(Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)

    def shutdown(self) -> bool:
        return self.change_all(
            Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP,
            Transition.TRANSITION_UNCONFIGURED_SHUTDOWN)


@pytest.fixture(name='site')
def two_bridges(tmp_path):
    """Return a manager of two bridges, their probes and the orchestrator."""
    with rigs.serving() as orchestrator, rigs.own_domain() as domain:
        processes = [
            rigs.Process(
                domain, tmp_path / camera_id, '-r', f'__ns:=/{camera_id}', autostart=False,
                orchestrator_url=orchestrator.sim.url, camera_id=camera_id, **rigs.FAST)
            for camera_id in CAMERAS]
        probes = [rigs.Probe(domain, namespace=camera_id) for camera_id in CAMERAS]
        # Absolute names, as in its parameter node_names.
        manager = Nav2Manager(
            probes[0], *(f'/{camera_id}/camera_ws_bridge' for camera_id in CAMERAS))
        yield manager, probes, orchestrator
        for process in processes:
            assert process.end() == 0, process.log
            assert 'rror' not in process.log, process.log


def registered(probes):
    for probe in probes:
        probe.wait_until_registered()
    return True


def told(probes, lifecycle):
    """Wait until each bridge tells of this state."""
    for probe in probes:
        probe.wait_for_status(lambda status: status.lifecycle == lifecycle)
    return True


def test_startup_pause_resume_reset_startup_shutdown(site):
    manager, probes, orchestrator = site
    assert manager.startup() and registered(probes)
    assert manager.pause() and told(probes, Status.INACTIVE)
    assert not orchestrator.sim.connections
    assert manager.resume() and registered(probes)
    assert manager.reset() and told(probes, Status.UNCONFIGURED)
    assert not orchestrator.sim.connections
    assert manager.startup() and registered(probes)
    for number, probe in enumerate(probes):
        probe.publish_frames([5.0 + number])
        probe.wait(lambda: 5.0 + number in orchestrator.frame_ids())
    assert manager.shutdown() and told(probes, Status.FINALIZED)
    assert not orchestrator.sim.connections


def test_a_transition_that_does_not_fit_is_refused_and_changes_nothing(site):
    manager, probes, _ = site
    assert not manager.change_all(Transition.TRANSITION_ACTIVATE)
    assert manager.startup() and registered(probes)
    assert not manager.startup()
    assert not manager.change_all(Transition.TRANSITION_CLEANUP)
    registered(probes)
    assert manager.shutdown()
