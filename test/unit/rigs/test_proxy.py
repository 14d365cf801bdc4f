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

"""The proxy that injects faults does what its methods say, on both sides of it."""

import contextlib
import socket
import threading
import time

from camera_ws_bridge.sim.loop_thread import LoopThread
import pytest
from rigs.proxy import Proxy, TO_CLIENT, TO_SERVER
from rigs.shared import wait_until

WAIT = 20.0  # seconds; only a failing test waits so long


@contextlib.contextmanager
def proxied():
    """Yield a proxy and a listening server behind it."""
    loop_thread = LoopThread()
    with socket.create_server(('127.0.0.1', 0)) as server:
        server.settimeout(WAIT)
        proxy = Proxy(loop_thread, server.getsockname()[1])
        try:
            yield proxy, server
        finally:
            proxy.close()
            loop_thread.stop()


@contextlib.contextmanager
def connected(proxy, server):
    """Yield both ends of a connection through the proxy."""
    with socket.create_connection(('127.0.0.1', proxy.port), WAIT) as client:
        end, _ = server.accept()
        with end:
            end.settimeout(WAIT)
            yield client, end


def read(end, size):
    data = b''
    while len(data) < size:
        more = end.recv(size - len(data))
        assert more, f'closed after {len(data)} bytes'
        data += more
    return data


def nothing_comes(end):
    end.settimeout(0.2)
    with pytest.raises(TimeoutError):
        end.recv(1)
    end.settimeout(WAIT)


def send_in_background(end, data):
    def send():
        with contextlib.suppress(OSError):
            end.sendall(data)
    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


def test_bytes_pass_both_ways_and_are_counted():
    with proxied() as (proxy, server), connected(proxy, server) as (client, end):
        data = bytes(range(256)) * 2000
        thread = send_in_background(client, data)
        assert read(end, len(data)) == data
        thread.join()
        end.sendall(b'back')
        assert read(client, 4) == b'back'
        wait_until(lambda: proxy.bytes == {TO_SERVER: len(data), TO_CLIENT: 4})
        assert (proxy.accepted, proxy.connections) == (1, 1)


def test_the_end_of_one_direction_passes_and_leaves_the_other_open():
    with proxied() as (proxy, server), connected(proxy, server) as (client, end):
        client.shutdown(socket.SHUT_WR)
        assert end.recv(1) == b''
        end.sendall(b'still')
        assert read(client, 5) == b'still'
        end.close()
        assert client.recv(1) == b''
        wait_until(lambda: proxy.connections == 0)


def test_a_stalled_link_keeps_what_was_sent_until_it_heals():
    with proxied() as (proxy, server), connected(proxy, server) as (client, end):
        client.sendall(b'before')
        read(end, 6)
        proxy.stall()
        client.sendall(b'during')
        nothing_comes(end)
        assert proxy.connections == 1
        proxy.pass_through()
        assert read(end, 6) == b'during'


def test_a_stalled_link_takes_kilobytes_not_megabytes():
    with proxied() as (proxy, server), connected(proxy, server) as (client, _):
        proxy.stall(TO_SERVER)
        client.setblocking(False)
        taken = 0
        with pytest.raises(BlockingIOError):
            while True:
                taken += client.send(bytes(4096))
        # Mostly the client's own send buffer, which it can shrink: ours is BUFFER.
        assert taken < 6 * 2**20


def test_one_direction_can_stall_alone():
    with proxied() as (proxy, server), connected(proxy, server) as (client, end):
        proxy.stall(TO_CLIENT)
        client.sendall(b'go')
        assert read(end, 2) == b'go'
        end.sendall(b'stop')
        nothing_comes(client)


def test_throttling_holds_the_rate_and_can_end_early():
    with proxied() as (proxy, server), connected(proxy, server) as (client, end):
        proxy.throttle(100_000, TO_SERVER)
        began = time.monotonic()
        thread = send_in_background(client, bytes(50_000))
        read(end, 50_000)
        assert time.monotonic() - began > 0.4
        thread.join()
        proxy.throttle(1, TO_SERVER)
        client.sendall(b'slow')
        proxy.pass_through()
        assert read(end, 4) == b'slow'


def test_reset_is_felt_as_a_reset_on_both_sides():
    with proxied() as (proxy, server), connected(proxy, server) as (client, end):
        with connected(proxy, server) as (other, other_end):
            assert proxy.reset(1) == 1
            for side in (client, end):
                with pytest.raises(ConnectionResetError):
                    side.recv(1)
            other.sendall(b'x')
            assert read(other_end, 1) == b'x'
            assert proxy.reset() == 1
            assert proxy.connections == 0


def test_drop_is_felt_as_an_orderly_end_on_both_sides():
    with proxied() as (proxy, server), connected(proxy, server) as (client, end):
        assert proxy.drop() == 1
        assert client.recv(1) == b'' and end.recv(1) == b''


def test_cut_after_so_many_bytes_resets_once():
    with proxied() as (proxy, server), connected(proxy, server) as (client, end):
        proxy.cut_after(5)
        client.sendall(b'123')
        assert read(end, 3) == b'123'
        client.sendall(b'45678')
        with contextlib.suppress(ConnectionResetError):  # RST overtakes what is unread
            assert read(end, 2) == b'45'
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        wait_until(lambda: proxy.bytes[TO_SERVER] == 5)
        with connected(proxy, server) as (client, end):
            client.sendall(b'123456789')
            assert read(end, 9) == b'123456789'


def test_fragments_are_whole_again_at_the_end():
    with proxied() as (proxy, server), connected(proxy, server) as (client, end):
        proxy.fragment(seed=1, most=3)
        client.sendall(bytes(range(200)))
        assert read(end, 200) == bytes(range(200))


def test_refused_then_accepted_on_the_same_port():
    with proxied() as (proxy, server), connected(proxy, server) as (client, end):
        port = proxy.port
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(('127.0.0.1', port), WAIT)
        client.sendall(b'open')
        assert read(end, 4) == b'open'
        proxy.pass_through()
        assert proxy.port == port
        with connected(proxy, server):
            assert proxy.accepted == 2


def test_not_accepting_connects_and_never_serves_until_it_heals():
    with proxied() as (proxy, server):
        proxy.stop_accepting()
        with socket.create_connection(('127.0.0.1', proxy.port), WAIT) as client:
            client.sendall(b'hello')
            nothing_comes(client)
            assert proxy.accepted == 0
            proxy.pass_through()
            end, _ = server.accept()
            with end:
                assert read(end, 5) == b'hello'


def test_a_server_that_is_gone_resets_the_client():
    with proxied() as (proxy, server):
        server.close()
        with pytest.raises(ConnectionResetError):  # it may come while connecting
            with socket.create_connection(('127.0.0.1', proxy.port), WAIT) as client:
                client.recv(1)
        wait_until(lambda: proxy.connections == 0)


def test_the_target_can_move():
    with proxied() as (proxy, server), socket.create_server(('127.0.0.1', 0)) as second:
        second.settimeout(WAIT)
        proxy.target = second.getsockname()[1]
        with connected(proxy, second) as (client, end):
            client.sendall(b'moved')
            assert read(end, 5) == b'moved'
