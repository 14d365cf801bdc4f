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

"""What the kernel is asked of a connection's route, and what follows from the answer."""

import pathlib
import socket

from camera_ws_bridge.transport.route import judge, Route
import pytest
from rigs.namespace import in_namespace, ip


@pytest.mark.parametrize('ours, left_from, leaves_from, holds', [
    (True, '10.0.0.1', '10.0.0.1', True),
    (False, '10.0.0.1', '10.0.0.1', False),  # the address is gone
    (True, '10.0.0.1', '10.0.0.2', False),   # another link leads there
    (True, '10.0.0.1', '', False),           # none does
    (None, '10.0.0.1', '10.0.0.1', True),    # no descriptor left to ask with
    (True, '10.0.0.1', None, True),
    (None, None, None, True),
    (True, None, '10.0.0.2', True),          # it could not be asked at first
    (True, '', '10.0.0.2', True),
    (False, '', '', False),
])
def test_only_what_is_known_ends_a_connection(ours, left_from, leaves_from, holds):
    assert judge(ours, left_from, leaves_from) is holds


def test_a_connection_on_loopback_has_its_route():
    with socket.create_server(('127.0.0.1', 0)) as server:
        with socket.create_connection(server.getsockname()) as ours:
            assert Route(ours.family, ours.getsockname(), ours.getpeername()).holds()


def test_without_a_socket_to_ask_with_nothing_is_said(monkeypatch):
    route = Route(socket.AF_INET, ('127.0.0.1', 1234), ('127.0.0.1', 80))

    def refuse(*_):
        raise OSError(24, 'Too many open files')

    monkeypatch.setattr('camera_ws_bridge.transport.route.socket.socket', refuse)
    assert route.holds()


def test_an_address_that_is_not_ours():
    assert not Route(socket.AF_INET, ('192.0.2.1', 1234), ('127.0.0.1', 80)).holds()


# ---- real links

def two_links(four=True):
    """Make two links, one and two; the peer is behind the first."""
    ip('link add one type veth peer name one2; link add two type veth peer name two2')
    ip('link set one up; link set one2 up; link set two up; link set two2 up')
    if four:
        ip('addr add 10.7.1.1/24 dev one; addr add 10.7.2.1/24 dev two')
        ip('route add 10.9.0.0/16 via 10.7.1.2')
        return Route(socket.AF_INET, ('10.7.1.1', 40000), ('10.9.0.1', 8080))
    ip('addr add fd07:1::1/64 dev one nodad; addr add fd07:2::1/64 dev two nodad')
    ip('-6 route add fd09::/16 via fd07:1::2')
    return Route(socket.AF_INET6, ('fd07:1::1', 40000, 0, 0), ('fd09::1', 8080, 0, 0))


@pytest.mark.parametrize('change, holds', [
    ('link set two down', True),
    ('addr add 10.7.3.1/24 dev two; addr del 10.7.2.1/24 dev two', True),
    ('route add default via 10.7.2.2', True),
    ('addr add 10.7.1.9/24 dev one', True),
    ('addr del 10.7.1.1/24 dev one', False),
    ('link set one down', False),
    ('link del one', False),
    ('route del 10.9.0.0/16', False),
    ('route del 10.9.0.0/16; route add default via 10.7.2.2', False),
    ('route add 10.9.0.1/32 via 10.7.2.2', False),
    ('route add unreachable 10.9.0.1/32', False),
    ('route add blackhole 10.9.0.1/32', False),
    ('route add prohibit 10.9.0.1/32', False),
    ('addr del 10.7.1.1/24 dev one; addr add 10.7.1.5/24 dev one; route replace 10.9.0.0/16 via '
     '10.7.1.2', False),
])
def test_a_change_of_the_network(change, holds):
    def test():
        route = two_links()
        assert route.holds()
        ip(change)
        return route.holds()

    assert in_namespace(test) is holds


@pytest.mark.parametrize('change, holds', [
    ('link set two down', True),
    ('addr del fd07:1::1/64 dev one', False),
    ('link set one down', False),
    ('-6 route add fd09::1/128 via fd07:2::2', False),
])
@pytest.mark.skipif(not pathlib.Path('/proc/net/if_inet6').exists(), reason='no IPv6 here')
def test_a_change_of_the_network_for_ipv6(change, holds):
    def test():
        route = two_links(four=False)
        assert route.holds()
        ip(change)
        return route.holds()

    assert in_namespace(test) is holds


@pytest.mark.skipif(not pathlib.Path('/proc/net/if_inet6').exists(), reason='no IPv6 here')
def test_link_local_addresses_keep_their_link():
    def test():
        ip('link add one type veth peer name one2; link set one up; link set one2 up')
        ip('addr add fe80::7/64 dev one nodad')
        scope = socket.if_nametoindex('one')
        route = Route(
            socket.AF_INET6, ('fe80::7', 40000, 0, scope), ('fe80::8', 8080, 0, scope))
        assert route.holds()
        ip('addr del fe80::7/64 dev one')
        return route.holds()

    assert in_namespace(test) is False


def test_loopback_does_not_mind_other_links():
    def test():
        two_links()
        route = Route(socket.AF_INET, ('127.0.0.1', 40000), ('127.0.0.1', 8080))
        ip('link set one down; link set two down; link del one')
        return route.holds()

    assert in_namespace(test)
