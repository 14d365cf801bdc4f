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

"""Servers that do not speak the protocol, or abuse it; harness.py asserts the account of each."""

import asyncio
from collections import Counter
import struct
import zlib

from harness import faulty, MIB
import pytest
from rigs.bad_inputs import REJECTED
from rigs.damaged_starts import DAMAGED
from rigs.raw_peer import BINARY, CLOSE, close_frame, frame, PING, PONG, TEXT
from rigs.texts import UNEXPECTED

QUICK = {'heartbeat_interval': 0.5, 'heartbeat_timeout': 1.0, 'reconnect_delay_min': 0.01,
         'reconnect_delay_max': 0.05, 'stable_after': 0.0, 'open_timeout': 1.0}
FLOOD = 10_000  # frames of each kind
VISITS = 1  # that are over when a fault ends, at least


@pytest.fixture(scope='module', name='bridge')
def shared_bridge(tmp_path_factory):
    folder = tmp_path_factory.mktemp('hostile')
    with faulty(folder, compression=True, **QUICK) as bridge:
        yield bridge


def rejections(status):
    return Counter({count.cause: count.count for count in status.rejected_inbound})


def told(causes):
    return ', '.join(f'{cause} {count}' for cause, count in causes.most_common())


def endure(bridge, name, behave, *causes, visits=VISITS, **arguments):
    """Let the bridge meet the server until it has given it up twice, then the good one."""
    with bridge.fault(name, **arguments) as fault:
        with bridge.hostile(behave) as server:
            bridge.wait(lambda: server.visits > visits, f'{name} is visited')
            if causes:
                bridge.wait_for_cause(fault, *causes)
        fault.healed()


# ---- before the upgrade

async def for_ever():
    await asyncio.Event().wait()


async def answer_in_parts(peer, parts, pause=0.0):
    await peer.read_request()
    for part in parts:
        await peer.send(part)
        await asyncio.sleep(pause)


def endless_headers():
    yield b'HTTP/1.1 101 Switching Protocols\r\n'
    while True:
        yield b'X-Filler: ' + 1000 * b'x' + b'\r\n'


UPGRADES = {
    'accepted but never upgraded': (iter, [], 0.0, 'timeout'),
    'half an HTTP response': (iter, [b'HTTP/1.1 101 Switching Pro'], 0.0, 'timeout'),
    'a byte of the HTTP response at a time': (
        iter, [b'H', b'T', b'T', b'P'] + 100 * [b'/'], 0.1, 'timeout'),
    'a header of a MiB': (
        iter, [b'HTTP/1.1 101 Switching Protocols\r\nX: ', MIB * b'x'], 0.0, 'not_websocket',
        'timeout'),
    'headers without end': (endless_headers, (), 0.0, 'not_websocket', 'timeout'),
    'another protocol': (
        iter, [b'SSH-2.0-OpenSSH_9.6\r\n'], 0.0, 'not_websocket', 'timeout'),
    'upgrade with a wrong key': (iter, [
        b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        b'Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n'], 0.0, 'not_websocket',
        'timeout'),
}


@pytest.mark.parametrize('name', UPGRADES)
def test_server_that_does_not_upgrade(bridge, name):
    parts, argument, pause, *causes = UPGRADES[name]

    async def behave(peer):
        await answer_in_parts(peer, parts(argument) if argument != () else parts(), pause)
        await for_ever()
    endure(bridge, name, behave, *causes)


# ---- after the upgrade

def text(payload, fin=True, bits=0):
    data = frame(TEXT, payload, fin)
    return bytes([data[0] | bits]) + data[1:]


BROKEN = {
    'close frames with odd codes': [
        close_frame(code) for code in (999, 1005, 1006, 65535)] + [
        frame(CLOSE, b'x'), frame(CLOSE, struct.pack('!H', 1000) + b'\xff\xfe')],
    'close frames with usual codes': [
        close_frame(code, 'bye\n\x1b[31m') for code in (None, 1001, 4000)],
    'reserved opcodes': [frame(opcode, b'{}') for opcode in (3, 11)],
    'reserved bits': [text(b'{}', bits=0x20), text(b'{}', bits=0x10)],
    'frame that is masked': [b'\x81\x82abcd\x1a\x1f'],
    'broken control frames': [frame(PING, b'', fin=False), frame(PING, 126 * b'x')],
    'fragments out of order': [
        frame(0, b'{}'), frame(TEXT, b'{', fin=False) + frame(TEXT, b'}')],
    'invalid UTF-8': [text(b'\xff\xfe'), text(b'{"type": "\xed\xa0\x80"}')],
    'frame of more than 41 MiB': [b'\x81\x7f' + struct.pack('!Q', 42 * MIB)],
    'frame of 2**63 bytes': [b'\x81\x7f' + struct.pack('!Q', 2**63)],
}


@pytest.mark.parametrize('name', BROKEN)
def test_server_that_breaks_the_protocol(bridge, name):
    said = []

    async def behave(peer):
        await peer.upgrade()
        said.append(BROKEN[name][len(said) % len(BROKEN[name])])
        await peer.send(said[-1])
    endure(bridge, name, behave, 'protocol', 'closed', visits=len(BROKEN[name]))


def test_server_that_upgrades_and_says_nothing(bridge):
    async def behave(peer):
        await peer.upgrade()
        await for_ever()
    endure(bridge, 'upgraded, then silent', behave, 'silent', visits=1)


def test_message_that_grows_beyond_all_limits(bridge):
    async def behave(peer):
        await peer.upgrade()
        await peer.send(text(b'{', fin=False))
        while True:
            await peer.send(frame(0, 100_000 * b' ', fin=False))
    endure(bridge, 'fragments of more than 41 MiB', behave, 'protocol', 'silent',
           allowance=40 * MIB)


def test_empty_fragments_without_end(bridge):
    async def behave(peer):
        await peer.upgrade()
        await peer.send(text(b'{', fin=False))
        while True:
            await peer.send(100 * frame(0, b'', fin=False))
            await asyncio.sleep(0.001)
    with bridge.fault('empty fragments without end') as fault:
        with bridge.hostile(behave) as server:
            bridge.wait(lambda: server.visits > 1, 'it has been given up')
            bridge.wait_for_cause(fault, 'silent', 'protocol', 'too_slow')
        fault.healed()


def test_compression_bomb(bridge):
    deflate = zlib.compressobj(wbits=-15)
    bomb = b''.join(deflate.compress(bytes(MIB)) for _ in range(256))
    bomb += deflate.flush(zlib.Z_SYNC_FLUSH)[:-4]

    async def behave(peer):
        await peer.upgrade(headers=b'Sec-WebSocket-Extensions: permessage-deflate\r\n')
        await peer.send(text(bomb, bits=0x40))
    endure(bridge, 'compression bomb of 256 MiB', behave, 'protocol', 'silent',
           allowance=64 * MIB, callback_limit=1.0)  # 41 MiB are read before it is refused


# ---- a registered connection

def test_398_bad_messages(bridge):
    # Of the damaged starts all that is usable is passed on; what is not is counted.
    bad = [*(entry.text for entry in (*REJECTED, *DAMAGED)), *UNEXPECTED]
    assert len(bad) >= 398
    # Some hold pictures of many MiB, whose memory the C library keeps for the next one.
    with bridge.fault('398 bad messages', allowance=64 * MIB) as fault:
        opened = bridge.orchestrator.sim.opened
        rejected = sum(rejections(fault.before).values())
        bridge.orchestrator.send(*bad, '{"type": "stop", "objectId": 7}')
        bridge.wait(lambda: sum(rejections(bridge.probe.status).values()) == (
            rejected + len(bad)))
        assert bridge.orchestrator.sim.opened == opened, 'the connection was lost'
        causes = rejections(bridge.probe.status) - rejections(fault.before)
        fault.measured = f'{len(bad)} refused ({told(causes)}), reconnects 0'
        fault.healed()


def test_flood_of_control_and_binary_frames(bridge):
    # It registers the camera and tracks nothing: that is another life of the orchestrator.
    with bridge.fault('flood of pings, pongs, binary frames', drops=True) as fault:
        with bridge.hostile(None) as server:
            async def behave(peer):
                await peer.upgrade()
                serving = asyncio.ensure_future(server.serve(peer))
                for _ in range(FLOOD // 20):
                    await peer.send(20 * (
                        frame(PING, b'?') + frame(PONG, b'!') + frame(BINARY, 100 * b'\xff')))
                await serving
            server.behave = behave
            bridge.proxy.reset()
            # Beyond `command_rate` they are counted as that.
            bridge.wait(lambda: sum(rejections(bridge.probe.status).values()) == (
                sum(rejections(fault.before).values()) + FLOOD))
            causes = rejections(bridge.probe.status) - rejections(fault.before)
            fault.measured = f'{FLOOD} of each kind; refused ({told(causes)})'
        fault.healed()
