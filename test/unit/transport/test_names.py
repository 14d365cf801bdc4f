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
"""A host's addresses: one look-up at a time for each name, and a limit for each."""

import asyncio
import socket
import threading
import time

from camera_ws_bridge.transport import causes, names
import pytest
from rigs.resolver_rig import HangingResolver, known_as
from rigs.shared import run, WAIT
from rigs.websocket_rig import fault_of, open_link


@pytest.mark.parametrize('host, family, place', (
    ('127.0.0.1', socket.AF_INET, ('127.0.0.1', 8080)),
    ('::1', socket.AF_INET6, ('::1', 8080, 0, 0)),
    ('fe80::5%1', socket.AF_INET6, ('fe80::5', 8080, 0, 1)),
    ('fe80::5%lo', socket.AF_INET6, ('fe80::5', 8080, 0, socket.if_nametoindex('lo')))))
def test_addresses_need_no_resolver(monkeypatch, host, family, place):
    monkeypatch.setattr(socket, 'getaddrinfo', None)
    assert asyncio.run(names.look_up(host, 8080, 1.0)) == [(family, place)]


@pytest.mark.parametrize('zone', ('nowhere', '9' * 30))
def test_a_zone_that_is_no_interface(zone):
    with pytest.raises(OSError, match=f'no interface {zone}$'):
        asyncio.run(names.look_up(f'fe80::5%{zone}', 8080, 1.0))


def test_all_addresses_of_a_name_in_order(monkeypatch):
    monkeypatch.setattr(socket, 'getaddrinfo', known_as('fe80::7%lo', '10.0.0.1'))
    assert asyncio.run(names.look_up('orchestrator', 80, 1.0)) == [
        (socket.AF_INET6, ('fe80::7', 80, 0, socket.if_nametoindex('lo'))),
        (socket.AF_INET, ('10.0.0.1', 80))]


@pytest.mark.parametrize('host', ('x' * 64 + '.example', 'a..b'))
def test_names_that_no_name_server_can_be_asked_for(host):
    with pytest.raises(socket.gaierror, match='not a host name'):
        asyncio.run(names.look_up(host, 80, 1.0))


def test_a_resolver_that_hangs_is_the_cause_and_is_asked_once(monkeypatch):
    resolver = HangingResolver(known_as('127.0.0.1'))
    monkeypatch.setattr(socket, 'getaddrinfo', resolver)

    async def test():
        threads = threading.active_count()
        for _ in range(3):
            fault = await fault_of(open_link('ws://orchestrator.invalid:8080/', timeout=0.1))
            assert (fault.cause, fault.fatal, fault.reached) == ('dns', False, False)
            assert 'no name server answers within 0.1 s' in fault.reason
        assert resolver.asked == ['orchestrator.invalid']
        assert threading.active_count() == threads + 1
        # Whoever is still waiting gets what comes late, and the next asks anew.
        late = asyncio.ensure_future(names.look_up('orchestrator.invalid', 80, WAIT))
        await asyncio.sleep(0)
        resolver.release()
        assert await late == [(socket.AF_INET, ('127.0.0.1', 80))]
        await names.look_up('orchestrator.invalid', 80, WAIT)
        assert len(resolver.asked) == 2
    run(test())


def test_a_name_has_a_limit_of_its_own(monkeypatch):
    resolver = HangingResolver(known_as('127.0.0.1'))
    monkeypatch.setattr(socket, 'getaddrinfo', resolver)
    monkeypatch.setattr(names, 'PATIENCE', 0.1)

    async def test():
        began = time.monotonic()
        fault = await fault_of(open_link('ws://orchestrator.invalid:8080/', timeout=WAIT))
        assert fault.cause == 'dns' and time.monotonic() - began < WAIT / 2
        resolver.release()
    run(test())


def test_a_failure_that_comes_too_late_bothers_nobody(monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')

    resolver = HangingResolver(fail)
    monkeypatch.setattr(socket, 'getaddrinfo', resolver)

    async def test():
        with pytest.raises(socket.gaierror, match='no name server'):
            await names.look_up('orchestrator.invalid', 80, 0.05)
        resolver.release()
        while names._under_way:
            await asyncio.sleep(0.01)
    run(test())


def test_who_gives_up_does_not_take_others_along(monkeypatch):
    resolver = HangingResolver(known_as('127.0.0.1'))
    monkeypatch.setattr(socket, 'getaddrinfo', resolver)

    async def test():
        one, other = (asyncio.ensure_future(names.look_up('name', 80, WAIT)) for _ in range(2))
        await asyncio.sleep(0)
        one.cancel()
        resolver.release()
        assert await other == [(socket.AF_INET, ('127.0.0.1', 80))]
        assert resolver.asked == ['name']
    run(test())


def test_a_name_that_does_not_exist_is_the_cause():
    fault = causes.classify(socket.gaierror(socket.EAI_NONAME, 'Name or service not known'))
    assert (fault.cause, fault.reached) == ('dns', False)
