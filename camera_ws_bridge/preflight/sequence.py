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

"""All steps on the way to the orchestrator, in order, and which are in vain without which."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from camera_ws_bridge.errors import as_fault
from camera_ws_bridge.preflight import advice, network
from camera_ws_bridge.preflight.orchestrator import Probe, Target
from camera_ws_bridge.preflight.report import failed, Finding, skipped, Status, Step
from camera_ws_bridge.transport import url as urls
from camera_ws_bridge.transport.daemon_executor import DaemonExecutor
from camera_ws_bridge.transport.names import Address

NEEDS: dict[str, tuple[str, ...]] = {
    'resolve': (), 'connect': ('resolve',), 'tls': ('connect',), 'upgrade': ('tls',), 'token': (),
    'authenticate': ('upgrade', 'token'), 'register': ('authenticate',),
    'round_trip': ('register',)}

TIME_IS_UP = 'the time for the whole check is up'


def run(target: Target, time_limit: float, on_step: Callable[[Step], None]) -> None:
    """Do what check() does; what stalls beyond its time limit is left behind."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(DaemonExecutor())
    try:
        loop.run_until_complete(check(target, time_limit, on_step))
    finally:
        loop.close()


async def check(target: Target, time_limit: float, on_step: Callable[[Step], None]) -> None:
    """Take all steps in time_limit seconds; on_step hears of each when it is done."""
    loop = asyncio.get_running_loop()
    end = loop.time() + time_limit
    in_vain: set[str] = set()
    probe = Probe(target)
    try:
        for name, job in _jobs(target, probe).items():
            began = loop.time()
            missing = [needed for needed in NEEDS[name] if needed in in_vain]
            if missing:
                finding = skipped(f'in vain without {" and ".join(missing)}')
            elif began >= end:
                finding = skipped(TIME_IS_UP)
            else:
                finding = await _take(job, end - began, probe.without_token)
            if missing or began >= end or finding.status is Status.FAILED:
                in_vain.add(name)
            on_step(Step(name, finding, loop.time() - began))
    finally:
        await probe.close()


def _jobs(target: Target, probe: Probe) -> dict[str, Callable[[], Awaitable[Finding]]]:
    host, port = urls.address(target.url)
    addresses: list[Address] = []

    async def resolve() -> Finding:
        finding, addresses[:] = await network.resolve(host, port, target.open_timeout)
        return finding

    return {
        'resolve': resolve,
        'connect': lambda: network.connect(addresses, port, target.open_timeout),
        'tls': lambda: network.handshake(
            addresses, host, target.tls, target.options, target.open_timeout),
        'upgrade': probe.upgrade,
        'token': probe.token,
        'authenticate': probe.authenticate,
        'register': probe.register,
        'round_trip': probe.round_trip,
    }


async def _take(
        job: Callable[[], Awaitable[Finding]], time_left: float,
        without_token: Callable[[str], str]) -> Finding:
    try:
        return await asyncio.wait_for(job(), time_left)
    except asyncio.TimeoutError:
        return failed(TIME_IS_UP, 'give it more with --timeout',
                      cause='timeout')
    except Exception as error:
        fault = as_fault(error)
        return failed(
            without_token(fault.reason), advice.of_fault(fault), cause=fault.cause)
