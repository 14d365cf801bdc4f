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

"""Many cameras in one process: each on its own, whatever happens to the others."""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import time

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.process.multi_bridge import common_exit_code
from camera_ws_bridge.process.run import exit_code
from camera_ws_bridge_msgs.msg import Status, Stop
import pytest
from rigs import process_rig as rigs
from rigs.lifecycle_rig import Manager
from rigs.multi_rig import publish, site

UP = (Status.REGISTERED, Status.STABLE)


# ---- each on its own

def test_each_camera_has_its_own_node_parameters_and_connection(tmp_path):
    more = tmp_path / 'more.yaml'
    more.write_text('/**:\n  ros__parameters:\n    boxes_max_messages: 10\n')
    cameras = [
        {'camera_id': 'gate'},
        {'camera_id': 'back door', 'parameters': {'boxes_max_messages': 20}},
        {'camera_id': 'hall', 'namespace': 'main/hall', 'params_file': str(more)}]
    with site(tmp_path, cameras, boxes_max_messages=5) as found:
        names = {'gate': 'gate', 'back_door': 'back door', 'main/hall': 'hall'}
        for namespace, camera_id in names.items():
            probe = found.probe(namespace)
            probe.wait_until_registered()
            assert probe.status.camera_id == camera_id
            publish(probe, camera_id, 1.0, 2.0)
            probe.wait(lambda: found.frames_of(camera_id) == [1.0, 2.0])
        for number, (namespace, camera_id) in enumerate(names.items()):
            found.orchestrator.do('send', camera=camera_id,
                                  text=f'{{"type": "stop", "objectId": {number}}}')
            probe = found.probe(namespace)
            probe.wait(lambda: probe.of(Stop))
            assert [command.object_id for command in probe.commands] == [number]
        assert found.orchestrator.sim.opened == 3
        found.orchestrator.die()
        for (namespace, camera_id), limit in zip(names.items(), (5, 20, 10)):
            probe = found.probe(namespace)
            probe.wait_for_status(lambda status: status.state == Status.CONNECTING)
            accepted = probe.status.boxes_accepted
            publish(probe, camera_id, *map(float, range(30)))
            probe.wait_for_status(lambda status: status.boxes_accepted >= accepted + 30)
            assert probe.status.boxes_queued == limit
        parts = {part.name for array in found.probe('gate').diagnostics for part in array.status}
        assert parts == {f'/{namespace}/camera_ws_bridge: link' for namespace in names}
        assert found.process.end() == 0


def test_the_cameras_namespaces_are_below_that_of_the_process(tmp_path):
    path = tmp_path / 'cameras.yaml'
    path.write_text('cameras: [{camera_id: gate}, {camera_id: hall, namespace: main/hall}]')
    with rigs.serving() as orchestrator, rigs.own_domain() as domain:
        rigs.Process(
            domain, tmp_path / 'log', '-r', '__ns:=/site', command=('multi_bridge', str(path)),
            orchestrator_url=orchestrator.sim.url)
        for namespace in ('site/gate', 'site/main/hall'):
            rigs.Probe(domain, namespace=namespace).wait_until_registered()


def test_what_happens_to_one_camera_does_not_touch_the_others(tmp_path):
    token = tmp_path / 'token'
    token.touch(0o600)
    token.write_text('wrong')
    with socket.socket() as black_hole, socket.socket() as closed, \
            rigs.serving(token='right') as strict:
        black_hole.bind(('127.0.0.1', 0))
        black_hole.listen(1)  # the kernel accepts; nobody ever answers
        closed.bind(('127.0.0.1', 0))  # nobody listens
        hole, shut = (f'ws://127.0.0.1:{s.getsockname()[1]}/processor' for s in (
            black_hole, closed))
        cameras = [
            {'camera_id': 'good'},
            {'camera_id': 'hole', 'orchestrator_url': hole},
            {'camera_id': 'rejected', 'orchestrator_url': strict.sim.url,
             'parameters': {'token_file': str(token)}},
            {'camera_id': 'gone', 'orchestrator_url': shut,
             'parameters': {'connect_timeout': 1.0}},
            {'camera_id': 'misled', 'orchestrator_url': strict.sim.url + '/wrong'},
            {'camera_id': 'wrong', 'parameters': {'tls_ca_file': 'nowhere.pem'},
             'orchestrator_url': 'wss://127.0.0.1:1/processor'},
            {'camera_id': 'mistyped', 'parameters': {'connect_timeout': 60}},
            {'camera_id': 'missing', 'params_file': str(tmp_path / 'missing.yaml')}]
        with site(tmp_path, cameras, connect_timeout=0.0) as found:
            good = found.probe('good')
            good.wait_until_registered()
            for namespace, cause, lifecycle in (
                    ('rejected', 'rejected_token', Status.ACTIVE),
                    ('gone', 'refused', Status.INACTIVE),
                    ('misled', 'http_404', Status.INACTIVE),
                    ('wrong', 'configuration: parameter tls_ca_file', Status.UNCONFIGURED),
                    ('mistyped', 'configuration: parameter connect_timeout',
                     Status.UNCONFIGURED)):
                found.probe(namespace).wait_for_status(lambda status: (
                    status.cause.startswith(cause) and status.lifecycle == lifecycle))
            found.probe('hole').wait_for_status(
                lambda status: status.state == Status.CONNECTING)
            good.publish_frames(range(100))
            good.wait(lambda: {*found.orchestrator.frame_ids()} >= {*range(100)})
            assert good.status.state in UP and good.status.reconnects == 0
            for text in ('missing', 'gone: no connection', 'misled: no connection',
                         'parameter tls_ca_file', 'parameter connect_timeout'):
                assert text in found.process.log
            # One that gave up can be told to try again, while the others go on.
            found.probe('gone').status = Status()
            assert Manager(found.probe('gone')).change('activate')
            found.probe('gone').wait_for_status(
                lambda status: status.lifecycle == Status.INACTIVE)
            found.process.signal(signal.SIGTERM)
            assert found.process.wait() == 0


def test_a_flooded_camera_does_not_starve_the_others(tmp_path):
    cameras = [{'camera_id': 'flooded', 'orchestrator_url': '',
                'parameters': {'boxes_max_messages': 100}},
               {'camera_id': 'calm'}]
    with rigs.own_domain() as domain:
        # In processes of their own: what the flood costs them is not to be measured.
        drain = rigs.Process(
            domain, tmp_path / 'drain.log', command=('orchestrator_sim', '--port', '0'))
        while 'listening on ' not in drain.log:
            assert drain.alive
            time.sleep(0.05)
        cameras[0]['orchestrator_url'] = drain.log.split('listening on ')[1].split()[0]
        _flood(tmp_path, cameras)


def _flood(tmp_path, cameras):
    with site(tmp_path, cameras) as found:
        calm = found.probe('calm')
        calm.wait_until_registered()
        flood = rigs.Process(
            found.domain, tmp_path / 'flood.log', '-r', '__ns:=/flooded',
            command=('camera_sim', '--rate', '2000', '--boxes', '100'))
        flooded = found.probe('flooded')
        flooded.wait_for_status(lambda status: status.boxes_accepted > 100)
        before_flood = flooded.status.boxes_accepted
        received, delays = found.orchestrator.received, []
        for number in range(30):
            before, began = len(received), time.monotonic()
            publish(calm, 'calm', float(number))
            calm.wait(lambda: any('"calm"' in text for text in received[before:]))
            delays.append(time.monotonic() - began)
        accepted = flooded.status.boxes_accepted
        flooded.wait_for_status(
            lambda status: status.boxes_accepted > accepted, 'the flood goes on')
        print(f'{flooded.status.boxes_accepted - before_flood} flooding messages in '
              f'{sum(delays):.1f} s; median delay {sorted(delays)[15]:.3f} s, '
              f'greatest {max(delays):.3f} s')
        # The machine may be busy: the middle one counts.
        assert sorted(delays)[15] < 1.0, delays
        assert calm.status.reconnects == 0
        assert found.process.end() == 0
        flood.kill()


# What a bug in one camera's activation would do: Python imports this before anything else.
BROKEN = """
from camera_ws_bridge.bridge import Bridge
connect = Bridge.connect
def connect_unless_broken(bridge):
    if bridge.settings.camera_id.startswith('broken'):
        raise KeyError('injected')
    connect(bridge)
Bridge.connect = connect_unless_broken
"""


def with_a_bug(folder: pathlib.Path) -> dict[str, str]:
    (folder / 'sitecustomize.py').write_text(BROKEN)
    return {'PYTHONPATH': f'{folder}{os.pathsep}{os.environ.get("PYTHONPATH", "")}'}


def test_a_camera_whose_node_cannot_be_made_leaves_nothing_in_the_graph(tmp_path):
    cameras = [{'camera_id': 'gate'}, {'camera_id': 'door', 'parameters': {
        'qos_overrides./door/camera_ws_bridge/status.publisher.depth': 0}}]
    with site(tmp_path, cameras) as found:
        probe = found.probe('gate')
        probe.wait_until_registered()
        assert 'door: parameter qos_overrides./door' in found.process.log
        nodes = {namespace for _, namespace in probe.node.get_node_names_and_namespaces()}
        assert '/gate' in nodes and '/door' not in nodes
        assert found.process.end() == 0, found.process.log


def test_a_camera_that_cannot_be_activated_does_not_end_the_others(tmp_path):
    cameras = [{'camera_id': 'broken'}, {'camera_id': 'good'}]
    with site(tmp_path, cameras, environment=with_a_bug(tmp_path)) as found:
        good = found.probe('good')
        good.wait_until_registered()
        found.probe('broken').wait_for_status(lambda status: (
            status.cause.startswith('internal') and status.lifecycle == Status.UNCONFIGURED))
        assert "KeyError: 'injected'" in found.process.log
        assert found.process.log.count('the node could not be activated') == 1
        good.publish_frames(range(10))
        good.wait(lambda: {*found.orchestrator.frame_ids()} >= {*range(10)})
        assert found.process.end() == 0


def test_a_process_of_cameras_that_cannot_be_activated_ends_with_1(tmp_path):
    cameras = [{'camera_id': 'broken a'}, {'camera_id': 'broken b'},
               {'camera_id': 'c', 'parameters': {'connect_timeout': -1.0}}]
    with site(tmp_path, cameras, environment=with_a_bug(tmp_path)) as found:
        assert found.process.wait() == 1
        assert found.process.log.count('the node could not be activated') == 2


def test_managed_cameras_may_all_give_up_and_be_activated_again(tmp_path):
    with socket.socket() as closed:
        closed.bind(('127.0.0.1', 0))
        url = f'ws://127.0.0.1:{closed.getsockname()[1]}/processor'
        names = ('a', 'b')
        cameras = [{'camera_id': name, 'orchestrator_url': url,
                    'parameters': {'autostart': False, 'connect_timeout': 1.0}}
                   for name in names]
        with site(tmp_path, cameras) as found:
            managers = {name: Manager(found.probe(name)) for name in names}
            for manager in managers.values():
                assert manager.change('configure')
            for tries in (1, 2):
                for name, manager in managers.items():
                    assert manager.change('activate')
                    found.probe(name).wait(lambda: found.process.log.count(
                        f'{name}: no connection') == tries)
                    found.probe(name).wait_for_status(
                        lambda status: status.lifecycle == Status.INACTIVE)
            assert found.process.end() == 0


# ---- the end

@pytest.mark.parametrize(('path', 'code'), [('/processor', 3), ('/wrong', 2)])
def test_when_all_have_given_up_the_exit_code_says_why(tmp_path, path, code):
    with rigs.serving() as other, socket.socket() as closed:
        closed.bind(('127.0.0.1', 0))
        shut = f'ws://127.0.0.1:{closed.getsockname()[1]}/processor'
        url = shut if code == 3 else other.sim.url + path
        cameras = [{'camera_id': 'a', 'orchestrator_url': url},
                   {'camera_id': 'b', 'orchestrator_url': other.sim.url + '/wrong'},
                   {'camera_id': 'c', 'parameters': {'connect_timeout': -1.0}}]
        with site(tmp_path, cameras, connect_timeout=1.0) as found:
            assert found.process.wait() == code
            for camera_id in 'ab':
                assert found.process.log.count(f'{camera_id}: no connection') == 1
            assert 'connect_timeout' in found.process.log


@pytest.mark.parametrize(('cameras', 'says'), [
    ([], 'at least one entry'),
    ([{'camera_id': 'a'}, {'camera_id': 'a'}], "namespace 'a' is taken by another camera"),
    ([{'camera_id': 'a', 'params_file': '/nowhere/a.yaml'}], 'no camera of it can be used'),
])
def test_a_list_that_cannot_be_used_ends_with_2_and_the_reason(tmp_path, cameras, says):
    with site(tmp_path, cameras) as found:
        assert found.process.wait() == 2
        assert says in found.process.log


@pytest.mark.parametrize('fault, code', [
    (LinkFault('refused', ''), 3), (LinkFault('http_404', '', fatal=True), 2),
    (LinkFault('internal', ''), 1)])
def test_why_a_link_has_ended_is_the_exit_code(fault, code):
    assert exit_code(fault) == code


@pytest.mark.parametrize('codes, code', [
    ([2, 2], 2), ([2, 3], 3), ([1], 1), ([1, 2], 1), ([3, 1, 2], 3)])
def test_the_exit_code_of_many_forbids_a_restart_only_if_it_is_useless(codes, code):
    assert common_exit_code(codes) == code


@pytest.mark.serial
def test_stalled_cameras_are_flushed_side_by_side(tmp_path):
    names = [f'cam{number}' for number in range(4)]
    with site(tmp_path, [{'camera_id': name} for name in names], shutdown_timeout=3.0,
              heartbeat_timeout=60.0) as found:
        for name in names:
            found.probe(name).wait_until_registered()
        found.orchestrator.do('stall')
        for name in names:
            found.probe(name).publish_frames(range(10))
        began = time.monotonic()
        found.process.signal(signal.SIGTERM)
        assert found.process.wait() == 0
        assert time.monotonic() - began < 2 * 3.0
