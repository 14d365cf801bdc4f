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
"""Connections to names with several addresses, of which some are dead."""

import asyncio
import errno
import gc
import os
import resource
import socket
import time

from camera_ws_bridge.transport import causes, dial as dialing, names
from camera_ws_bridge.transport.dial import dial
from camera_ws_bridge.transport.names import Address
import pytest
from rigs.raw_peer import Peer, serving
from rigs.resolver_rig import black_hole, known_as
from rigs.shared import run, WAIT
from rigs.websocket_rig import closed_port, fault_of, idle, open_link

SOON = 1.0  # seconds within which the second address must be there


def v4(port, host='127.0.0.1'):
    return Address(socket.AF_INET, (host, port))


def v6(port, host='::1'):
    return Address(socket.AF_INET6, (host, port, 0, 0))


def descriptors():
    gc.collect()
    return len(os.listdir('/proc/self/fd'))


@pytest.mark.parametrize('dead', ('127.0.0.2', '::1'))
def test_a_dead_first_address_does_not_lock_out(monkeypatch, dead):
    async def test():
        async def behave(peer):
            await peer.upgrade()
            await idle(peer)

        async with serving(behave) as server:
            with black_hole(dead, server.port):
                monkeypatch.setattr(socket, 'getaddrinfo', known_as(dead, '127.0.0.1'))
                began = time.monotonic()
                connection = await open_link(f'ws://orchestrator:{server.port}/processor')
                assert time.monotonic() - began < SOON
                connection.abort()
    run(test())


def test_nothing_is_left_of_the_address_that_was_slower():
    async def test():
        async with serving(idle) as server:
            with black_hole('127.0.0.2', server.port):
                before = descriptors()
                outcome = await dial([v4(server.port, '127.0.0.2'), v4(server.port)], WAIT)
                assert outcome.address == v4(server.port)
                assert [*outcome.failures] == ['127.0.0.2']
                assert isinstance(outcome.failures['127.0.0.2'], TimeoutError)
                outcome.result().close()
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                # The server's end of the one that was connected may be closed by now.
                assert descriptors() <= before + 1
    run(test())


def test_an_address_that_refuses_costs_no_time():
    async def test():
        async with serving(idle) as server:
            with closed_port(socket.AF_INET, '127.0.0.2', server.port):
                began = time.monotonic()
                outcome = await dial([v4(server.port, '127.0.0.2'), v4(server.port)], WAIT)
                assert time.monotonic() - began < dialing.HEAD_START
                assert isinstance(outcome.failures['127.0.0.2'], ConnectionRefusedError)
                outcome.result().close()
    run(test())


def test_the_first_that_answers_has_no_failures_beside_it():
    async def test():
        async with serving(idle) as server:
            outcome = await dial([v4(server.port), v4(server.port, '127.0.0.2')], WAIT)
            assert (outcome.address, outcome.failures) == (v4(server.port), {})
            outcome.result().close()
    run(test())


def test_silence_everywhere_is_no_answer(monkeypatch):
    async def test():
        with black_hole('127.0.0.2', 0) as port, black_hole('127.0.0.3', port):
            monkeypatch.setattr(socket, 'getaddrinfo', known_as('127.0.0.2', '127.0.0.3'))
            fault = await fault_of(open_link(f'ws://orchestrator:{port}/', timeout=0.6))
            assert (fault.cause, fault.reached) == ('timeout', False)
    run(test())


def test_who_gives_up_leaves_nothing_behind():
    async def test():
        with black_hole('127.0.0.2', 0) as port:
            before = descriptors()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(dial([v4(port, '127.0.0.2')], WAIT), 0.1)
            await asyncio.sleep(0)
            assert descriptors() == before
    run(test())


def test_when_all_are_silent_each_is_tried_once_more(monkeypatch):
    """At once, while the kernel would wait to repeat the packets of the first tries."""
    monkeypatch.setattr(dialing, 'SILENCE', 0.2)
    connect, tried = dialing._connect, []

    async def silent_at_first(address):
        tried.append(address)
        if len(tried) <= 2:
            await asyncio.Event().wait()
        return await connect(address)

    monkeypatch.setattr(dialing, '_connect', silent_at_first)

    async def test():
        async with serving(idle) as server:
            both = [v4(server.port, '127.0.0.2'), v4(server.port)]
            outcome = await dial(both, WAIT)
            assert tried == [*both, *both] and outcome.address == both[1]
            assert [*outcome.failures] == ['127.0.0.2']
            outcome.result().close()
    run(test())


def test_once_more_is_enough_and_only_where_there_is_silence(monkeypatch):
    monkeypatch.setattr(dialing, 'SILENCE', 0.1)
    tried = []

    async def fail(address):
        tried.append(address)
        if address.place[0] == '127.0.0.1':
            raise ConnectionRefusedError(errno.ECONNREFUSED, 'x')
        await asyncio.Event().wait()

    monkeypatch.setattr(dialing, '_connect', fail)

    async def test():
        refusing, silent = v4(9), v4(9, '127.0.0.2')
        await dial([refusing], WAIT)
        assert tried == [refusing]
        tried.clear()
        outcome = await dial([refusing, silent], 1.0)
        assert tried == 2 * [refusing, silent]
        with pytest.raises(ConnectionRefusedError):
            outcome.result()
    run(test())


def test_no_time_at_all():
    async def test():
        with pytest.raises(TimeoutError):
            (await dial([v4(9)], 0.0)).result()
    run(test())


@pytest.mark.parametrize('errors, told', (
    ([OSError(errno.ENETUNREACH, 'x'), ConnectionRefusedError(errno.ECONNREFUSED, 'y')],
     'refused'),
    ([ConnectionRefusedError(errno.ECONNREFUSED, 'y'), OSError(errno.EADDRNOTAVAIL, 'x')],
     'refused'),
    ([OSError(errno.ENETUNREACH, 'x'), OSError(errno.EHOSTUNREACH, 'y')], 'unreachable'),
    ([OSError(errno.ENETUNREACH, 'x'), TimeoutError()], 'timeout'),
    ([OSError(errno.EMFILE, 'x')], 'descriptors')))
def test_which_failure_is_told(monkeypatch, errors, told):
    left = [*errors]

    async def fail(address):
        raise left.pop(0)

    monkeypatch.setattr(dialing, '_connect', fail)

    async def test():
        outcome = await dial([v4(9, f'127.0.0.{index}') for index, _ in enumerate(errors)], WAIT)
        with pytest.raises(OSError) as caught:
            outcome.result()
        assert causes.classify(caught.value).cause == told
    run(test())


def test_families_take_turns():
    mixed = [v6(1, '::1'), v6(1, '::2'), v6(1, '::3'), v4(1, '1.1.1.1'), v4(1, '1.1.1.2')]
    assert [address.place[0] for address in dialing._interleaved(mixed)] == [
        '::1', '1.1.1.1', '::2', '1.1.1.2', '::3']
    assert [*dialing._interleaved([])] == []


def test_a_bug_is_not_taken_for_a_dead_address(monkeypatch):
    async def fail(address):
        raise KeyError('a bug')

    monkeypatch.setattr(dialing, '_connect', fail)

    async def test():
        with pytest.raises(KeyError):
            await dial([v4(9)], WAIT)
    run(test())


def test_a_zone_is_connected_to_and_not_told(monkeypatch):
    """No zone but that of a link-local address is the kernel's: ::1 stands in for one here."""
    requests = []

    async def serve(reader, writer):
        peer = Peer(reader, writer)
        await peer.upgrade()
        requests.append(peer.request)
        writer.close()

    async def test():
        try:
            server = await asyncio.start_server(serve, '::1', 0)
        except OSError:
            pytest.skip('no IPv6 here')
        async with server:
            port = server.sockets[0].getsockname()[1]
            for percent in ('%', '%25'):
                connection = await open_link(f'ws://[::1{percent}lo]:{port}/processor')
                connection.abort()
        for request in requests:
            assert f'host: [::1]:{port}\r\n' in request.lower()
        assert len(requests) == 2
        (address,) = await names.look_up('fe80::5%lo', port, WAIT)
        assert address.place[3] == socket.if_nametoindex('lo')
    run(test())


def test_no_descriptors_left_is_the_cause():
    async def test():
        async with serving(idle) as server:
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            free = os.dup(0)  # the lowest that is free
            os.close(free)
            resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
            try:
                fault = await fault_of(open_link(server.url))
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            assert (fault.cause, fault.reached) == ('descriptors', False)
            assert 'ulimit -n' in fault.reason
    run(test())
