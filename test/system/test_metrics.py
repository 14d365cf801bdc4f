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

"""The parameter metrics_address, with real bridges."""

import json
import re
import shutil
import socket
import subprocess
import sys
import urllib.request

import pytest
from rigs import process_rig as rigs

prometheus_client = pytest.importorskip(
    'prometheus_client', reason='prometheus_client is not installed')
ANY = '127.0.0.1:0'


def url(process, probe=None):
    """Wait for the line of the log that has the endpoint's URL."""
    def found():
        return re.search(r'metrics of all cameras of this process: (http://\S+)', process.log)
    assert process.alive, process.log
    probe.wait(found, 'the log names the endpoint')
    return found()[1]


def scrape(address):
    with urllib.request.urlopen(address, timeout=rigs.PATIENCE) as response:
        return response.read().decode()


def values(text):
    """Return values by the sample's name and labels; the node's name comes last."""
    from prometheus_client.parser import text_string_to_metric_families as parse
    return {(sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in parse(text) for sample in family.samples}


def test_the_metrics_are_the_figures_of_the_status(tmp_path):
    with rigs.running(tmp_path, metrics_address=ANY) as rig:
        where = url(rig.process, rig.probe)
        rig.probe.publish_frames(range(1, 8))
        rig.probe.wait_for_status(lambda status: status.acknowledged == status.boxes_accepted)
        node = '/camera_ws_bridge'

        def shows():
            found = values(scrape(where))
            accepted = found['camera_ws_bridge_accepted_messages_total', 'cam-1', 'boxes', node]
            return accepted == rig.probe.status.boxes_accepted and found[
                'camera_ws_bridge_acknowledged_messages_total', 'cam-1', node] == accepted
        rig.wait(shows, 'the metrics are those of the status')
        text = scrape(where)
        found = values(text)
        assert found['camera_ws_bridge_registered', 'cam-1', node] == 1
        assert found['camera_ws_bridge_round_trip_seconds', 'cam-1', node] > 0
        assert found['camera_ws_bridge_registered_seconds_total', 'cam-1', node] > 0
        if shutil.which('promtool') is not None:
            result = subprocess.run(
                ['promtool', 'check', 'metrics'], input=text, text=True, capture_output=True)
            ours = [line for line in result.stderr.splitlines() if 'camera_ws_bridge' in line]
            assert result.returncode in (0, 3) and ours == [], result.stderr
        rig.orchestrator.die()
        rig.orchestrator.come_back()
        rig.wait(lambda: [value for (name, *_), value in values(scrape(where)).items()
                          if name == 'camera_ws_bridge_reconnects_total'] == [1.0])


def cameras_file(folder, url, **addresses):
    """Write a list of cameras, each with the address for metrics that it asks for."""
    path = folder / 'cameras.yaml'
    path.write_text(json.dumps({'cameras': [
        {'camera_id': name, 'orchestrator_url': url,
         'parameters': {'metrics_address': address} if address else {}}
        for name, address in addresses.items()]}))
    return str(path)


def test_a_process_of_many_cameras_has_one_endpoint(tmp_path):
    with rigs.serving() as orchestrator, rigs.own_domain() as domain:
        path = cameras_file(tmp_path, orchestrator.sim.url, gate='', door=ANY, yard=ANY)
        process = rigs.Process(domain, tmp_path / 'log', command=['multi_bridge', path])
        probe = rigs.Probe(domain)
        where = url(process, probe)
        probe.wait(lambda: {
            labels[0] for (name, *labels), value in values(scrape(where)).items()
            if name == 'camera_ws_bridge_registered' and value} == {'gate', 'door', 'yard'})
        assert process.log.count('metrics of all cameras') == 1
        assert process.end() == 0, process.log


def test_two_addresses_in_one_process_end_it_with_2(tmp_path):
    with rigs.own_domain() as domain:
        path = cameras_file(
            tmp_path, 'ws://127.0.0.1:1/processor', gate='127.0.0.1:0', door='[::1]:0')
        process = rigs.Process(domain, tmp_path / 'log', command=['multi_bridge', path])
        assert process.wait() == 2, process.log
        assert 'but they ask for 127.0.0.1:0 and [::1]:0' in process.log
        assert 'Traceback' not in process.log


@pytest.mark.parametrize('address, says', [
    ('9464', "metrics_address: '9464' is not HOST:PORT"),
    ('TAKEN', 'metrics_address: cannot listen on'),
    ('MISSING', 'prometheus_client cannot be imported (not here): apt install python3-prom')])
def test_what_can_never_work_ends_with_2(tmp_path, address, says):
    environment = {}
    with socket.create_server(('127.0.0.1', 0)) as taken, rigs.own_domain() as domain:
        if address == 'MISSING':
            (tmp_path / 'prometheus_client.py').write_text('raise ImportError("not here")')
            environment['PYTHONPATH'] = ':'.join([str(tmp_path), *filter(None, sys.path)])
            address = ANY
        address = address.replace('TAKEN', f'127.0.0.1:{taken.getsockname()[1]}')
        process = rigs.Process(
            domain, tmp_path / 'log', environment=environment, camera_id='cam-1',
            orchestrator_url='ws://localhost:1/processor', metrics_address=address)
        assert process.wait() == 2, process.log
        assert says in process.log
        assert 'Traceback' not in process.log


def test_without_the_parameter_the_library_is_not_imported(tmp_path):
    (tmp_path / 'prometheus_client.py').write_text('raise SystemExit("imported")')
    path = ':'.join([str(tmp_path), *filter(None, sys.path)])
    with rigs.running(tmp_path, environment={'PYTHONPATH': path}) as rig:
        assert 'metrics of' not in rig.process.log
