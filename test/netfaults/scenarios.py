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

"""
What goes wrong: each scenario is the fault, a `yield` while it lasts, and the mend.

One that lasts for no time has no mend: what counts is how long it takes from the fault on. What
comes after another `yield` is for the next scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
import contextlib
from dataclasses import dataclass, replace
import resource
import signal
import sys

from network import BRIDGE, MOVED, ROUTER, SERVER
from stage import PORT, Stage

TOLD = 1.0  # seconds within which boxes flow again where the kernel tells
UNTOLD = 3.0  # and elsewhere
ASKED = 10.0  # where the server has asked for more patience than that
# The kernel asks for a neighbour that was away once a second, and cannot be hurried
# (others_waits.py measures that): what the bridge adds must be as good as nothing.
PLUGGED = 1.0 + 0.2

Fault = Callable[[Stage], Iterator[None]]


@dataclass(frozen=True)
class Scenario:
    """A fault, and what is asked of the bridge."""

    name: str
    inflict: Fault
    limit: float  # seconds until boxes flow again
    lasts: float = 0.0  # seconds; 0: the fault has no end
    reconnects: int | None = None  # if it matters how many there are while it lasts
    idle: bool = False  # whether no boxes are published meanwhile
    quick: bool = False  # whether it belongs to the short suite
    fresh: bool = False  # whether it needs a bridge that has had no fault yet


SCENARIOS: list[Scenario] = []


def scenario(
        name: str, limit: float, lasts: float = 0.0, *, idle: bool = True, quick: bool = False,
        fresh: bool = False, reconnects: int | None = None) -> Callable[[Fault], Fault]:
    """Enter a fault into the list; idle: whether it says something of a camera without boxes."""
    def enter(fault: Fault) -> Fault:
        entered = Scenario(name, fault, limit, lasts, reconnects, quick=quick, fresh=fresh)
        SCENARIOS.append(entered)
        if idle:
            SCENARIOS.append(replace(entered, name=f'{name}, idle', idle=True, quick=False))
        return fault
    return enter


# ---- what the kernel of the bridge's machine tells

@scenario('link down', TOLD, 5.0)
def link_down(stage: Stage) -> Iterator[None]:
    """Set the bridge's only link down; the route goes with it."""
    stage.network.ip('bridge', 'link set up0 down')
    yield
    stage.network.ip('bridge', 'link set up0 up')
    stage.network.route()


@scenario('carrier lost', PLUGGED, 6.0)
def carrier_lost(stage: Stage) -> Iterator[None]:
    """Pull the cable; address and route stay."""
    stage.network.ip('router', 'link set to0 down')
    yield
    stage.network.ip('router', 'link set to0 up')


@scenario('carrier lost for a moment', PLUGGED, 1.0, quick=True)
def carrier_lost_for_a_moment(stage: Stage) -> Iterator[None]:
    """Pull the cable and put it in again."""
    yield from carrier_lost(stage)


@scenario('address changed', TOLD, quick=True)
def address_changed(stage: Stage) -> Iterator[None]:
    """Get another address, as from a DHCP server."""
    now = stage.uplink
    stage.uplink = '10.77.1.8' if now == BRIDGE[0] else BRIDGE[0]
    stage.network.ip('bridge', f'addr del {now}/24 dev up0')
    stage.network.ip('bridge', f'addr add {stage.uplink}/24 dev up0')
    stage.network.route()
    yield


@scenario('roam to another link', TOLD, 2.0, quick=True)
def roam(stage: Stage) -> Iterator[None]:
    """Lose one link while there is another, and come back to it."""
    stage.network.ip('bridge', 'link set up1 up')
    stage.network.route(1, metric=20)
    stage.network.ip('bridge', 'link set up0 down')
    yield
    stage.network.ip('bridge', 'link set up0 up')
    stage.network.route()
    stage.network.ip('bridge', 'link set up1 down')


@scenario('a better route', TOLD, 1.0, quick=True)
def better_route(stage: Stage) -> Iterator[None]:
    """Have another link become the better one, while the first stays as it is."""
    stage.network.ip('bridge', 'link set up1 up')
    stage.network.ip('bridge', f'route add {SERVER} via {ROUTER[1]}')
    yield
    stage.network.ip('bridge', f'route del {SERVER}')
    stage.network.ip('bridge', 'link set up1 down')


@scenario('route gone', TOLD, 3.0, quick=True)
def route_gone(stage: Stage) -> Iterator[None]:
    """Lose the default route."""
    stage.network.route(action='del')
    yield
    stage.network.route()


# ---- what no kernel tells

@scenario('black hole', UNTOLD, 8.0)
def black_hole(stage: Stage) -> Iterator[None]:
    """Let the router swallow everything."""
    stage.network.rules('router', 'drop')
    yield
    stage.network.rules('router')


@scenario('black hole, longer than the heartbeat', UNTOLD, 25.0)
def long_black_hole(stage: Stage) -> Iterator[None]:
    """Let the router swallow everything until attempts hang."""
    yield from black_hole(stage)


@scenario('one direction dead: from the server', UNTOLD, 6.0)
def from_the_server(stage: Stage) -> Iterator[None]:
    """Let nothing come back."""
    stage.network.rules('router', f'ip saddr {SERVER} drop')
    yield
    stage.network.rules('router')


@scenario('one direction dead: to the server', UNTOLD, 6.0)
def to_the_server(stage: Stage) -> Iterator[None]:
    """Let nothing get there."""
    stage.network.rules('router', f'ip daddr {SERVER} drop')
    yield
    stage.network.rules('router')


@scenario('reject', UNTOLD, 4.0)
def reject(stage: Stage) -> Iterator[None]:
    """Have a firewall answer in the server's place."""
    stage.network.rules('router', f'ip daddr {SERVER} tcp dport {PORT} reject with tcp reset')
    yield
    stage.network.rules('router')


@scenario('unreachable', UNTOLD, 4.0)
def unreachable(stage: Stage) -> Iterator[None]:
    """Have the router say that it knows no way."""
    stage.network.rules('router', f'ip daddr {SERVER} reject with icmp host-unreachable')
    yield
    stage.network.rules('router')


@scenario('NAT forgot the connection', UNTOLD, quick=True)
def nat_forgot(stage: Stage) -> Iterator[None]:
    """Let the router know nothing of this connection any more, but of every new one."""
    port = stage.local_port()
    stage.network.rules('router', f'tcp sport {port} drop\ntcp dport {port} drop')
    yield
    stage.network.rules('router')


@scenario('hole for large packets', UNTOLD, 8.0, idle=False)  # heartbeats are small
def mtu_hole(stage: Stage) -> Iterator[None]:
    """Let the router swallow packets of more than 600 bytes, and say nothing."""
    stage.network.rules('router', 'meta length > 600 drop')
    yield
    stage.network.rules('router')


@scenario('loss of 30 %', UNTOLD, 15.0)
def loss(stage: Stage) -> Iterator[None]:
    """Lose every third packet, both ways."""
    stage.network.rules('router', 'numgen random mod 100 < 30 drop')
    yield
    stage.network.rules('router')


@scenario('64 kbit/s', UNTOLD, 15.0, reconnects=0, idle=False)  # they pass
def slow(stage: Stage) -> Iterator[None]:
    """
    Have a link that is too slow for what is published.

    Once it is fast, the kernel still waits for seconds, since it was so slow; a new connection
    does not.
    """
    for device in ('out0', 'to0'):
        stage.network.tc(
            'router', f'qdisc add dev {device} root tbf rate 64kbit burst 2000 limit 30000')
    yield
    for device in ('out0', 'to0'):  # what waits there must not get lost
        stage.network.tc(
            'router', f'qdisc change dev {device} root tbf rate 1gbit burst 200000 limit 30000')
    yield
    stage.wait_until_settled()
    for device in ('out0', 'to0'):
        stage.network.tc('router', f'qdisc del dev {device} root')


@scenario('round trip of 2 s', TOLD, 25.0, reconnects=1)
def far(stage: Stage) -> Iterator[None]:
    """Go by a satellite, and come back from there."""
    cable = stage.network.slow_cable(1.0)
    try:
        yield
    finally:
        stage.network.ip('bridge', f'route del {SERVER}')
        cable.kill()
        cable.wait()


# ---- servers

@scenario('server rebooted', UNTOLD, 4.0)
def server_rebooted(stage: Stage) -> Iterator[None]:
    """Lose the server without a word; then another one is there, which knows nothing."""
    stage.network.rules('router', 'drop')
    stage.end(stage.orchestrator)
    stage.start_orchestrator()
    yield
    stage.network.rules('router')


@scenario('server moved behind its name', UNTOLD, quick=True)
def server_moved(stage: Stage) -> Iterator[None]:
    """Have the server at another address, of which only its name knows."""
    stage.point_name_at(MOVED)
    stage.network.ip('server', f'addr del {SERVER}/24 dev eth0')
    yield
    stage.network.ip('server', f'addr add {SERVER}/24 dev eth0')
    stage.point_name_at(SERVER)
    stage.network.rules('router', f'ip daddr {MOVED} tcp dport {PORT} reject with tcp reset')
    stage.wait(lambda: stage.status['state'] != 3, 'it leaves the address it has moved to')
    stage.network.rules('router')


def break_connection(stage: Stage) -> None:
    """Have the connection end with a reset."""
    stage.order(do='drop')


@scenario('resolver dead', UNTOLD, 5.0)
def resolver_dead(stage: Stage) -> Iterator[None]:
    """Lose the connection while nobody listens where the name server was."""
    stage.end(stage.resolver)
    break_connection(stage)
    yield
    stage.start_resolver()


@scenario('resolver silent', UNTOLD, 8.0)
def resolver_silent(stage: Stage) -> Iterator[None]:
    """Lose the connection while the name server does not answer."""
    stage.network.rules('router', 'udp dport 53 drop')
    break_connection(stage)
    yield
    stage.network.rules('router')


@scenario('the first of two addresses dead', UNTOLD, quick=True)
def first_address_dead(stage: Stage) -> Iterator[None]:
    """Lose the connection while the name has another address in front, that swallows all."""
    stage.point_name_at('10.77.2.9', SERVER)
    stage.network.rules('router', 'ip daddr 10.77.2.9 drop')
    break_connection(stage)
    yield
    stage.network.rules('router')
    stage.point_name_at(SERVER)


@scenario('backlog full', UNTOLD, 8.0)
def backlog_full(stage: Stage) -> Iterator[None]:
    """Lose the connection while the server accepts nobody."""
    break_connection(stage)
    stage.orchestrator.send_signal(signal.SIGSTOP)
    script = (f'import socket, time\nopen = [socket.socket() for _ in range(300)]\n'
              f'for each in open: each.setblocking(False); each.connect_ex(("{SERVER}", {PORT}))\n'
              'print("ready", flush=True)\ntime.sleep(3600)')
    crowd = stage.start('server', sys.executable, '-c', script)
    yield
    stage.end(crowd)
    stage.orchestrator.send_signal(signal.SIGCONT)


@scenario('HTTP 502', UNTOLD, 10.0)
def bad_gateway(stage: Stage) -> Iterator[None]:
    """Have a proxy without its server there."""
    stage.order(do='refuse', status=502)
    break_connection(stage)
    yield
    stage.order(do='accept')


@scenario('accepted and closed', UNTOLD, 10.0)
def accept_then_close(stage: Stage) -> Iterator[None]:
    """Have a server that closes every connection at once."""
    stage.order(do='accept_then_close')
    break_connection(stage)
    yield
    stage.order(do='accept')


@scenario('HTTP 503, Retry-After: 120', ASKED, 5.0)
def retry_after(stage: Stage) -> Iterator[None]:
    """Have a server that asks for two minutes, and is well again before."""
    stage.order(do='refuse', status=503, retry_after=120)
    break_connection(stage)
    yield
    stage.order(do='accept')


# ---- the bridge's own machine

@scenario('bridge stopped and continued', UNTOLD, 8.0)
def stopped(stage: Stage) -> Iterator[None]:
    """Stop the bridge's process."""
    stage.process.suspend()
    yield
    stage.process.resume()


@scenario('descriptors exhausted', UNTOLD, 4.0)
def no_descriptors(stage: Stage) -> Iterator[None]:
    """Lose the connection while the bridge may open nothing."""
    limits = resource.prlimit(stage.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(stage.process.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    break_connection(stage)
    yield
    resource.prlimit(stage.process.pid, resource.RLIMIT_NOFILE, limits)


@scenario('memory exhausted', UNTOLD, 6.0)
def no_memory(stage: Stage) -> Iterator[None]:
    """Lose the connection while the bridge's process may have no page more than it has."""
    limits = resource.prlimit(stage.process.pid, resource.RLIMIT_AS)
    resource.prlimit(
        stage.process.pid, resource.RLIMIT_AS, (stage.process.memory_info().vms, limits[1]))
    break_connection(stage)
    yield
    resource.prlimit(stage.process.pid, resource.RLIMIT_AS, limits)


# The spool has what is buffered, and goes on in room that it had once before.
@scenario('disk full', UNTOLD, 8.0, idle=False, fresh=True)
def disk_full(stage: Stage) -> Iterator[None]:
    """Lose the connection while the spool can keep nothing of what is buffered."""
    filling = stage.disk / 'filling'
    with filling.open('wb', buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    stage.network.rules('router', f'ip daddr {SERVER} tcp dport {PORT} reject with tcp reset')
    yield
    assert stage.status['spool'].startswith('degraded: '), stage.status
    filling.unlink()
    stage.network.rules('router')
    yield
    stage.wait(lambda: stage.status['spool'] == 'ok', 'the spool is well again')
