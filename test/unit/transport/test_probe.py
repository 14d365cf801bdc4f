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

"""Handshakes that tell whether a server that is silent on a connection is still there."""

import asyncio
from contextlib import ExitStack
import socket
import subprocess

from camera_ws_bridge.transport import probe
from camera_ws_bridge.transport.names import Address
from camera_ws_bridge.transport.probe import answers, AT_ONCE, PATIENCE, ROUNDS
import pytest
from rigs.namespace import in_namespace
from rigs.resolver_rig import black_hole, HangingResolver, known_as
from rigs.shared import WAIT
from rigs.websocket_rig import closed_port

TIMES = 1 + ROUNDS * AT_ONCE


@pytest.fixture
def patient(monkeypatch):
    """Let a busy machine have the time for an answer that it needs."""
    monkeypatch.setattr(probe, 'PATIENCE', 5.0)


def run(job):
    return asyncio.run(asyncio.wait_for(job, WAIT))


async def answers_at_last(*arguments):
    while await answers(*arguments) is None:
        pass  # the machine is too busy for an answer at once


def known(host, port):
    return Address(socket.AF_INET, (host, port))


def listening(host='127.0.0.1', port=0, backlog=100):
    return socket.create_server((host, port), backlog=backlog)


def port_of(server):
    return server.getsockname()[1]


def connected(server):
    """Return how many connections have come, all of which have to be closed."""
    server.setblocking(False)
    count = 0
    while True:
        try:
            peer, _ = server.accept()
        except BlockingIOError:
            return count
        with peer:
            peer.settimeout(WAIT)
            assert peer.recv(1) == b''
        count += 1


def test_a_server_that_answers(patient):
    with listening() as server:
        place = '127.0.0.1', port_of(server)
        assert run(answers(*place, known(*place))) >= 0.0
        assert connected(server) == TIMES


def test_one_that_is_gone():
    with closed_port(socket.AF_INET, '127.0.0.1') as holder:
        place = '127.0.0.1', port_of(holder)
        assert run(answers(*place, known(*place))) is None


def test_one_that_swallows_all():
    async def test():
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await answers('127.0.0.1', port, known('127.0.0.1', port)) is None
        return loop.time() - began

    with black_hole('127.0.0.1', 0) as port:
        assert run(test()) < PATIENCE + WAIT / 2


def test_one_that_does_not_answer_each_time():
    with listening(backlog=TIMES // 2) as server:  # then its queue is full
        place = '127.0.0.1', port_of(server)
        assert run(answers(*place, known(*place))) is None
        assert 0 < connected(server) < TIMES


def test_one_that_has_moved_behind_its_name(monkeypatch, patient):
    monkeypatch.setattr(socket, 'getaddrinfo', known_as('127.0.0.2'))
    with listening('127.0.0.2') as server:
        port = port_of(server)
        assert run(answers('orchestrator', port, known('127.0.0.1', port))) is not None


def test_dead_ones_beside_one_that_is_not(monkeypatch):
    # Each has the head start of Happy Eyeballs; what is left for the last is enough.
    monkeypatch.setattr(socket, 'getaddrinfo', known_as('127.0.0.3', '127.0.0.4', '127.0.0.2'))
    with ExitStack() as stack:
        server = stack.enter_context(listening('127.0.0.2'))
        for address in ('127.0.0.3', '127.0.0.4'):
            port = stack.enter_context(black_hole(address, port_of(server)))

        async def test():
            await answers_at_last('orchestrator', port, known('127.0.0.3', port))
        run(test())


@pytest.mark.parametrize('hangs', (False, True))
def test_without_a_resolver_it_is_looked_for_where_it_was(monkeypatch, hangs):
    def fail(*_, **__):
        raise socket.gaierror(socket.EAI_AGAIN, 'Temporary failure in name resolution')

    resolver = HangingResolver(fail) if hangs else fail
    monkeypatch.setattr(socket, 'getaddrinfo', resolver)
    with listening() as server:
        port = port_of(server)

        async def test():
            try:
                await answers_at_last('orchestrator', port, known('127.0.0.1', port))
            finally:
                if hangs:
                    resolver.release()
        run(test())


def test_on_a_slow_link_the_answers_differ(patient):
    def test():
        with listening(backlog=10 * TIMES) as server:
            place = '127.0.0.1', port_of(server)
            fast = min(run(answers(*place, known(*place))) for _ in range(5))  # if it is busy
            limited = subprocess.run(
                ['tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'tbf', 'rate', '64kbit', 'burst',
                 '2000', 'limit', '30000'], check=False, capture_output=True, text=True)
            if limited.returncode:
                return limited.stderr
            return fast, run(answers(*place, known(*place)))

    found = in_namespace(test)
    if isinstance(found, str):
        pytest.skip(f'no slow link: {found.strip()}')
    fast, slow = found
    assert slow > 0.015 > fast  # of 74 bytes at 8000 a second, the fourth waits for three
