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

"""The kernel's side of a TCP connection, on loopback."""

import socket

from camera_ws_bridge.transport.tcp import Tcp
import pytest

linux_only = pytest.mark.skipif(not hasattr(socket, 'TCP_INFO'), reason='needs TCP_INFO of Linux')


@pytest.fixture(name='pair')
def connected():
    with socket.create_server(('127.0.0.1', 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    with ours, theirs:
        yield ours, theirs


def receive(peer, size):
    while size:
        size -= len(peer.recv(size))


@linux_only
def test_bytes_are_counted_both_ways(pair):
    ours, theirs = pair
    tcp = Tcp(ours)
    ours.sendall(b'x' * 1000)
    receive(theirs, 1000)
    theirs.sendall(b'y' * 300)  # carries the acknowledgement of all that came before
    receive(ours, 300)
    acknowledged, received = tcp.counters()
    # Linux counts the SYN in one of them, by version.
    assert acknowledged - 1000 in (0, 1) and received == 300
    assert tcp.written() == acknowledged


@linux_only
def test_what_nobody_reads_is_written_all_the_same(pair):
    ours, theirs = pair
    tcp = Tcp(ours)
    begin = tcp.written()
    ours.setblocking(False)
    sent = 0
    with pytest.raises(BlockingIOError):
        while True:
            sent += ours.send(b'x' * 65536)
    assert tcp.written() - begin == sent
    assert tcp.counters()[0] - begin < sent


def test_a_closed_socket_tells_nothing_and_raises_nothing(pair):
    tcp = Tcp(pair[0])
    pair[0].close()
    assert tcp.counters() is None and tcp.written() is None
    tcp.quick_ack()


@linux_only
def test_a_system_without_the_queues_length(pair, monkeypatch):
    tcp = Tcp(pair[0])
    monkeypatch.delattr('termios.TIOCOUTQ')
    assert tcp.counters() is not None and tcp.written() is None


def test_a_system_without_any_of_it(pair, monkeypatch):
    for name in ('TCP_INFO', 'TCP_QUICKACK', 'TCP_USER_TIMEOUT'):
        monkeypatch.delattr(socket, name, raising=False)
    tcp = Tcp(pair[0], user_timeout=12.5)
    assert tcp.counters() is None and tcp.written() is None
    tcp.quick_ack()


@pytest.mark.skipif(not hasattr(socket, 'TCP_USER_TIMEOUT'), reason='needs Linux')
@pytest.mark.parametrize('given, option', ((12.5, 12500), (0.0, 0)))
def test_the_limit_for_unacknowledged_data(pair, given, option):
    Tcp(pair[0], given)
    assert pair[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == option


@pytest.mark.skipif(not hasattr(socket, 'TCP_QUICKACK'), reason='needs Linux')
def test_what_has_come_is_acknowledged_at_once(pair):
    pair[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    Tcp(pair[0]).quick_ack()
    assert pair[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK) == 1


def test_a_connection_on_loopback_has_its_route(pair):
    assert Tcp(pair[0]).has_route()


def test_of_a_connection_that_had_ended_at_once_nothing_is_said_of_its_route(pair):
    pair[0].close()
    ended = socket.socket()
    with ended:
        assert Tcp(ended).has_route()
