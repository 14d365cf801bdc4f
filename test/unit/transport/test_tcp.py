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

import re
import shutil
import socket
import subprocess
import time

from camera_ws_bridge.transport import tcp as tcp_module
from camera_ws_bridge.transport.tcp import KEEPALIVE, Tcp
import pytest
from rigs.namespace import in_namespace, ip

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
    tcp.discard()


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


def test_of_a_connection_that_had_ended_at_once_nothing_is_said(pair):
    pair[0].close()
    ended = socket.socket()
    with ended:
        tcp = Tcp(ended)
        assert tcp.has_route() and tcp.peer is None


# ---- silence

FIELDS = ('retransmits', 'probes', 'backoff', 'rto', 'unacked', 'last_data_sent',
          'last_data_recv', 'last_ack_recv', 'total_retrans', 'min_rtt')


@pytest.mark.skipif(shutil.which('cc') is None, reason='no C compiler')
def test_the_layout_is_that_of_the_kernels_header(tmp_path):
    lines = [f'printf("%zu %zu ", offsetof(struct tcp_info, tcpi_{name}), '
             f'sizeof(((struct tcp_info *)0)->tcpi_{name}));' for name in FIELDS]
    source = tmp_path / 'layout.c'
    source.write_text('#include <stddef.h>\n#include <stdio.h>\n#include <linux/tcp.h>\n'
                      'int main(void) { %s return 0; }' % ''.join(lines))
    if subprocess.run(['cc', source, '-o', tmp_path / 'layout'], check=False).returncode:
        pytest.skip('no Linux headers')
    printed = subprocess.run([tmp_path / 'layout'], capture_output=True, text=True, check=True)
    numbers = [*map(int, printed.stdout.split())]
    at, found = 0, []
    for count, code in re.findall(r'(\d*)([xBI])', tcp_module._INFO_SILENCE.format):
        size = {'x': 1, 'B': 1, 'I': 4}[code]
        for _ in range(int(count or 1)):
            found += [] if code == 'x' else [at, size]
            at += size
    assert found == numbers


@linux_only
def test_a_peer_that_answers_is_not_silent(pair):
    tcp = Tcp(pair[0], user_timeout=20.0)
    pair[0].sendall(b'x')
    silence = tcp.silence()
    assert 0.0 <= silence.lasts < 5.0 and silence.unanswered == 0
    assert 0.0 < silence.round_trip_time < 1.0


@linux_only
def test_an_idle_peer_is_asked_by_the_kernel(pair):
    tcp = Tcp(pair[0], user_timeout=20.0)
    end, longest = time.monotonic() + 3.5 * KEEPALIVE, 0.0
    while time.monotonic() < end:
        longest = max(longest, tcp.silence().lasts)
        time.sleep(0.01)
    assert 0.5 * KEEPALIVE < longest < 1.25 * KEEPALIVE


@linux_only
@pytest.mark.parametrize('busy', (False, True))
def test_a_peer_that_does_not_answer(busy):
    def test():
        with socket.create_server(('127.0.0.1', 0)) as server:
            with socket.create_connection(server.getsockname()) as ours, server.accept()[0]:
                tcp = Tcp(ours, user_timeout=20.0)
                ip('link set lo down')
                if busy:
                    ours.sendall(b'x')
                end = time.monotonic() + 20
                while tcp.silence().unanswered < 2:
                    assert time.monotonic() < end
                    time.sleep(0.01)
                return tcp.silence()

    silence = in_namespace(test)
    assert silence.unacknowledged is busy
    assert silence.lasts > (0.5 if busy else 1.9)
    assert silence.resent >= (2 if busy else 0)
    assert 0.1 < silence.retransmission_timeout < 0.4  # though it has been doubled
    assert silence.since_sent < silence.lasts if busy else silence.since_sent > 1.0


@linux_only
@pytest.mark.parametrize('size', (0, 20, 103, 151))
def test_an_old_kernel_that_tells_less(pair, size):
    class Old:
        """A socket of that kernel."""

        def __getattr__(self, name):
            return getattr(pair[0], name)

        def getsockopt(self, *_):
            return bytes(size)

    assert Tcp(Old()).silence() is None and Tcp(Old()).counters() is None


def test_the_limit_may_change_and_a_closed_socket_does_not_mind(pair):
    tcp = Tcp(pair[0], user_timeout=2.0)
    assert tcp.limit(120.0)
    assert pair[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 120_000
    pair[0].close()
    assert not tcp.limit(120.0)


def test_without_the_option_there_is_no_limit(pair, monkeypatch):
    monkeypatch.delattr(socket, 'TCP_USER_TIMEOUT')
    assert not Tcp(pair[0], user_timeout=2.0).limit(120.0)
