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

"""Under a service manager: a socket of the test's stands in for systemd's."""

from __future__ import annotations

import signal
import socket
import threading
import time

from camera_ws_bridge.process.service_manager import ServiceManager
import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rigs import process_rig as rigs

PERIOD = 0.05  # seconds; half of what WATCHDOG_USEC allows below
PATIENCE = 30.0  # seconds; only a failing test ever waits so long


class Manager:
    """What listens on NOTIFY_SOCKET."""

    def __init__(self, folder):
        self.environment = {'NOTIFY_SOCKET': str(folder / 'notify')}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.environment['NOTIFY_SOCKET'])
        self._socket.settimeout(PATIENCE)

    def hear(self):
        """Return the next message's lines."""
        return self._socket.recv(65536).decode().splitlines()

    def hear_until(self, wanted):
        """Return all lines up to the first one that the condition takes."""
        lines = []
        end = time.monotonic() + PATIENCE
        while not any(map(wanted, lines)):
            assert time.monotonic() < end, lines
            lines += self.hear()
        return lines

    def forget(self):
        """Throw away what has come."""
        self._socket.settimeout(0.0)
        try:
            while self._socket.recv(65536):
                pass
        except BlockingIOError:
            self._socket.settimeout(PATIENCE)

    def silent_for(self, seconds):
        """Return whether nothing comes for so long."""
        self._socket.settimeout(seconds)
        try:
            return not self._socket.recv(65536)
        except (BlockingIOError, TimeoutError):
            return True
        finally:
            self._socket.settimeout(PATIENCE)

    def close(self):
        self._socket.close()


@pytest.fixture
def manager(tmp_path):
    listening = Manager(tmp_path)
    yield listening
    listening.close()


@pytest.fixture
def ros():
    """Return a node, and a function that spins it in a thread until the test ends."""
    with rigs.own_domain() as domain:
        context = Context()
        rclpy.init(context=context, domain_id=domain)
        node = rclpy.create_node('watched', context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        thread = threading.Thread(target=executor.spin, daemon=True)
        yield node, thread.start
        executor.shutdown()
        if thread.ident is not None:
            thread.join(PATIENCE)
        node.destroy_node()
        rclpy.try_shutdown(context=context)


# ---- the parts

def test_a_sign_of_life_needs_the_executor(manager, loop_thread, ros):
    node, spin = ros
    environment = {**manager.environment, 'WATCHDOG_USEC': str(int(2e6 * PERIOD))}
    ServiceManager(environment, node, loop_thread.loop, lambda: 'fine').ready()
    assert manager.hear() == ['READY=1']
    assert manager.silent_for(10 * PERIOD), 'nobody spins the executor'
    spin()
    assert manager.hear() == ['WATCHDOG=1', 'STATUS=fine']
    assert manager.hear() == ['WATCHDOG=1'], 'and nothing that has been said'


def test_a_sign_of_life_needs_the_loop(manager, loop_thread, ros):
    node, spin = ros
    environment = {**manager.environment, 'WATCHDOG_USEC': str(int(2e6 * PERIOD))}
    ServiceManager(environment, node, loop_thread.loop, lambda: 'fine')
    spin()
    manager.hear_until('WATCHDOG=1'.__eq__)
    stuck, go_on = threading.Event(), threading.Event()

    def block():
        stuck.set()
        go_on.wait(PATIENCE)
    loop_thread.loop.call_soon_threadsafe(block)
    assert stuck.wait(PATIENCE)
    manager.forget()
    assert manager.silent_for(10 * PERIOD), 'the loop is blocked'
    go_on.set()
    assert manager.hear() == ['WATCHDOG=1']


def test_the_status_is_told_when_it_changes_and_without_a_watchdog(manager, loop_thread, ros):
    node, spin = ros
    texts = ['connecting', 'connecting', 'registered']
    ServiceManager(manager.environment, node, loop_thread.loop,
                   lambda: texts.pop(0) if texts else 'registered')
    spin()
    assert manager.hear() == ['STATUS=connecting']
    assert manager.hear() == ['STATUS=registered']


def test_without_a_service_manager_there_is_no_timer(loop_thread, ros):
    node, _ = ros
    timers = len([*node.timers])
    ServiceManager({}, node, loop_thread.loop, lambda: 'fine').ready()
    assert len([*node.timers]) == timers


# ---- the bridge

def test_the_bridge_tells_systemd_how_it_does(manager, tmp_path):
    with rigs.serving() as orchestrator, rigs.own_domain() as domain:
        process = rigs.Process(
            domain, tmp_path / 'log', orchestrator_url=orchestrator.sim.url, camera_id='gate',
            environment={**manager.environment, 'WATCHDOG_USEC': '1000000'}, **rigs.FAST)
        try:
            first = manager.hear()
            assert first == ['READY=1']
            lines = manager.hear_until(lambda line: line in (
                'STATUS=gate: registered', 'STATUS=gate: stable'))
            assert 'WATCHDOG=1' in lines
            orchestrator.die()
            lines = manager.hear_until(
                lambda line: line.startswith('STATUS=gate: connecting, 0 messages wait; '))
            manager.hear_until('WATCHDOG=1'.__eq__)
            orchestrator.come_back()
            manager.hear_until('STATUS=gate: stable'.__eq__)
            process.signal(signal.SIGTERM)
            lines = manager.hear_until('STOPPING=1'.__eq__)
            assert process.wait() == 0, process.log
        finally:
            process.kill()


def test_who_can_never_work_is_never_ready(manager, tmp_path):
    with rigs.own_domain() as domain:
        process = rigs.Process(
            domain, tmp_path / 'log', camera_id='gate', environment=manager.environment)
        assert process.wait() == 2, process.log
    assert manager.silent_for(0.0)
