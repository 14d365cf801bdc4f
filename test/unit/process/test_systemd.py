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

"""What a service manager hears, from sockets that stand in for systemd's."""

import os
import socket

from camera_ws_bridge.process import systemd
from camera_ws_bridge.process.systemd import Notifier
import pytest


@pytest.fixture(params=['path', 'abstract'])
def manager(request, tmp_path):
    """Return a service manager's socket, and what it puts into NOTIFY_SOCKET."""
    name = f'camera_ws_bridge-test-{os.getpid()}'
    address = f'@{name}' if request.param == 'abstract' else str(tmp_path / 'notify')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind('\0' + name if request.param == 'abstract' else address)
        listener.settimeout(10.0)
        yield listener, address


def test_assignments_arrive_as_one_message_a_line_each(manager):
    listener, address = manager
    notifier = Notifier(address)
    assert notifier.notify(systemd.READY, systemd.status('registered'))
    assert listener.recv(4096) == b'READY=1\nSTATUS=registered'
    assert notifier.notify(systemd.WATCHDOG)
    assert listener.recv(4096) == b'WATCHDOG=1'
    notifier.close()
    assert not notifier.notify(systemd.STOPPING)
    notifier.close()


def test_the_environment_is_used_once(manager):
    listener, address = manager
    environment = {'NOTIFY_SOCKET': address, 'LANG': 'C'}
    assert Notifier.from_environment(environment).notify(systemd.STOPPING)
    assert listener.recv(4096) == b'STOPPING=1'
    assert environment == {'LANG': 'C'}


@pytest.mark.parametrize('environment', [
    {}, {'NOTIFY_SOCKET': ''}, {'NOTIFY_SOCKET': 'relative'}, {'NOTIFY_SOCKET': 'vsock:2:1'},
    {'NOTIFY_SOCKET': '/nobody/listens'}, {'NOTIFY_SOCKET': '@nobody-listens'}])
def test_nobody_listens(environment):
    notifier = Notifier.from_environment(environment)
    assert not notifier.notify(systemd.READY)
    notifier.close()


def test_a_service_manager_that_does_not_read_blocks_nobody(manager):
    _, address = manager
    notifier = Notifier(address)
    sent = 0
    while notifier.notify(systemd.WATCHDOG):
        sent += 1
        assert sent < 1_000_000, 'the socket takes no end of messages'
    assert sent > 0


def test_a_service_manager_that_was_started_anew_is_found_again(tmp_path):
    address = str(tmp_path / 'notify')
    notifier = Notifier(address)
    for _ in range(2):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(address)
            assert notifier.notify(systemd.READY)
        assert not notifier.notify(systemd.READY)
        os.unlink(address)


def test_a_status_is_one_line():
    assert systemd.status('no connection:\n it  closed\r\nREADY=1') == (
        'STATUS=no connection: it closed READY=1')


@pytest.mark.parametrize('environment, period', [
    ({'WATCHDOG_USEC': '30000000'}, 15.0),
    ({'WATCHDOG_USEC': '30000000', 'WATCHDOG_PID': '41'}, 15.0),
    ({'WATCHDOG_USEC': '30000000', 'WATCHDOG_PID': '42'}, 0.0),
    ({'WATCHDOG_USEC': '0'}, 0.0),
    ({'WATCHDOG_USEC': ''}, 0.0),
    ({'WATCHDOG_USEC': '-1'}, 0.0),
    ({'WATCHDOG_USEC': 'soon'}, 0.0),
    ({'WATCHDOG_USEC': '٣'}, 0.0),
    ({}, 0.0),
])
def test_the_watchdogs_period(environment, period):
    assert systemd.watchdog_period(environment, pid=41) == period


def test_the_watchdogs_period_is_this_processes():
    environment = {'WATCHDOG_USEC': '2000000', 'WATCHDOG_PID': str(os.getpid())}
    assert systemd.watchdog_period(environment) == 1.0
