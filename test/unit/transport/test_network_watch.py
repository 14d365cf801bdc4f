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

"""Changes of the machine's network: heard of all, told once a burst, shared by all who listen."""

import asyncio
import socket

from camera_ws_bridge.transport import network_watch
from camera_ws_bridge.transport.network_watch import NetworkWatch, SETTLE, watch
import pytest
from rigs.link_rig import virtual
from rigs.namespace import in_namespace, ip

linux_only = pytest.mark.skipif(not hasattr(socket, 'AF_NETLINK'), reason='needs Linux')


@pytest.mark.parametrize('change', [
    'link add two type veth peer name two2', 'link set one down', 'addr add 10.7.1.2/24 dev one',
    'addr del 10.7.1.1/24 dev one', 'route add 10.9.0.0/16 via 10.7.1.9',
    'route del 10.8.0.0/16', '-6 addr add fd07::2/64 dev one',
    '-6 route add fd09::/16 via fd07::9', 'link del one',
])
def test_what_the_kernel_tells(change):
    async def test():
        loop, told = asyncio.get_running_loop(), asyncio.Event()
        leave = watch(loop, told.set)
        await asyncio.sleep(2 * SETTLE)
        assert not told.is_set()
        ip(change)
        await asyncio.wait_for(told.wait(), 10.0)
        leave()

    def prepare_and_test():
        ip('link add one type veth peer name one2')
        # No addresses that come late by themselves.
        ip('link set one addrgenmode none; link set one2 addrgenmode none')
        ip('link set one up; link set one2 up')
        ip('addr add 10.7.1.1/24 dev one; -6 addr add fd07::1/64 dev one nodad')
        ip('route add 10.8.0.0/16 via 10.7.1.9')
        until_quiet()
        asyncio.run(test())

    in_namespace(prepare_and_test)


def until_quiet():
    """Wait until new links have told of their own addresses."""
    async def listen():
        told = asyncio.Event()
        leave = watch(asyncio.get_running_loop(), told.set)
        try:
            while True:
                told.clear()
                await asyncio.wait_for(told.wait(), 5 * SETTLE)
        except asyncio.TimeoutError:
            leave()

    asyncio.run(listen())


def a_watch(listener):
    """Return a watch of this loop, and the socket that plays the kernel."""
    ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.setblocking(False)
    kernel.setblocking(False)
    watching = NetworkWatch(asyncio.get_running_loop(), ours)
    network_watch._watches[asyncio.get_running_loop()] = watching
    return watching.add(listener), kernel


@virtual
async def test_a_burst_is_told_once_and_when_it_is_over():
    loop, told = asyncio.get_running_loop(), []
    leave, kernel = a_watch(lambda: told.append(loop.time()))
    for _ in range(10):
        kernel.send(b'news')
        await asyncio.sleep(0.005)
    await asyncio.sleep(10)
    kernel.send(b'news')
    await asyncio.sleep(10)
    assert told == pytest.approx([SETTLE, 10.05 + SETTLE])
    leave()
    kernel.close()


@virtual
async def test_a_storm_costs_a_few_turns_a_second_and_its_end_is_told():
    loop, told = asyncio.get_running_loop(), []
    leave, kernel = a_watch(lambda: told.append(loop.time()))
    end = loop.time() + 10
    while loop.time() < end:
        try:
            while True:
                kernel.send(b'news')
        except BlockingIOError:
            pass
        await asyncio.sleep(0.01)
    await asyncio.sleep(100)
    assert 10 / SETTLE * 0.8 <= len(told) <= 10 / SETTLE + 20
    assert told[-1] > end
    leave()
    kernel.close()


@virtual
async def test_what_overflows_the_kernels_buffer_is_news_as_well():
    class Overflowing:
        """A netlink socket whose buffer has run over."""

        def __init__(self):
            self.reads = iter([OSError(105, 'No buffer space available'), BlockingIOError()])

        def recv(self, size):
            raise next(self.reads)

        def fileno(self):
            return ours.fileno()

        def close(self):
            ours.close()

    ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    told = []
    loop = asyncio.get_running_loop()
    watching = network_watch._watches[loop] = NetworkWatch(loop, Overflowing())
    leave = watching.add(lambda: told.append(1))
    kernel.send(b'news')
    await asyncio.sleep(SETTLE * 1.5)
    assert told == [1]
    leave()
    kernel.close()


@virtual
async def test_nobody_hears_of_it_who_has_left():
    told = []
    leave, kernel = a_watch(lambda: told.append(1))
    stay = network_watch.watch(asyncio.get_running_loop(), lambda: told.append(2))
    kernel.send(b'news')
    await asyncio.sleep(SETTLE / 2)
    leave()
    leave()  # once more does no harm
    await asyncio.sleep(1)
    assert told == [2]
    kernel.send(b'news')
    await asyncio.sleep(SETTLE / 2)
    stay()
    await asyncio.sleep(1)
    assert told == [2]
    with pytest.raises(ConnectionRefusedError):
        kernel.send(b'news')  # the socket is closed with the last who listens
    kernel.close()


@linux_only
@virtual
async def test_all_of_a_loop_share_one_socket_which_comes_back_when_it_is_wanted_again():
    loop = asyncio.get_running_loop()
    for _ in range(2):
        leaving = [watch(loop, lambda: None) for _ in range(60)]
        shared = network_watch._watches[loop]
        assert all(network_watch._watches[loop] is shared for _ in leaving)
        for leave in leaving:
            leave()
        assert loop not in network_watch._watches


@linux_only
@pytest.mark.parametrize('method', ('setsockopt', 'bind'))
def test_where_it_is_forbidden_that_is_said_and_no_socket_stays(monkeypatch, method):
    made = []

    class Forbidding(socket.socket):
        """A sandbox's."""

        def __init__(self, *args):
            super().__init__(*args)
            made.append(self)

    def refuse(*_):
        raise PermissionError(1, 'Operation not permitted')

    loop = asyncio.new_event_loop()
    setattr(Forbidding, method, refuse)
    monkeypatch.setattr(network_watch.socket, 'socket', Forbidding)
    with pytest.raises(PermissionError):
        watch(loop, lambda: None)
    assert [each.fileno() for each in made] == [-1] and loop not in network_watch._watches
    monkeypatch.undo()
    loop.close()


def test_a_system_without_netlink(monkeypatch):
    monkeypatch.delattr(socket, 'AF_NETLINK', raising=False)
    loop = asyncio.new_event_loop()
    with pytest.raises(OSError, match='no netlink'):
        watch(loop, lambda: None)
    loop.close()
