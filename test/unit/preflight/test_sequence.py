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

"""The steps of a check, one after the other."""

from camera_ws_bridge.preflight import sequence
from camera_ws_bridge.preflight.orchestrator import Target
from camera_ws_bridge.preflight.report import Status
from camera_ws_bridge.transport.websocket import Options
from rigs.raw_peer import serving
from rigs.shared import run


def test_a_bug_in_a_step_costs_that_step_only(monkeypatch):
    def broken(*arguments):
        raise RuntimeError('a bug')
    monkeypatch.setattr(sequence.network, 'handshake', broken)
    steps = []

    async def test():
        async with serving(lambda peer: peer.upgrade()) as server:
            await sequence.check(
                Target(server.url, Options(), None, None, 'probe', 5.0, 5.0), 10.0, steps.append)
    run(test())
    found = {step.name: step.finding for step in steps}
    assert [*found] == [*sequence.NEEDS]
    assert found['connect'].status is Status.OK
    assert found['tls'].status is Status.FAILED and 'RuntimeError: a bug' in found['tls'].detail
    assert found['upgrade'].status is Status.SKIPPED
