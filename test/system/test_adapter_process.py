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

"""An adapter that is installed from outside: the bridge and check take its type."""

from importlib import metadata
import os
import pathlib
import shutil
import subprocess
import sys

from geometry_msgs.msg import Point32, PolygonStamped
import pytest
from rigs import detector_rig, process_rig
from rigs.check_rig import Report
from rigs.installed import executable
from rigs.lifecycle_rig import managed, Manager

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / 'examples/polygon_boxes'
POLYGON = 'geometry_msgs/msg/PolygonStamped'
SIZE = {'image_width': 640, 'image_height': 480}
# One whose adapter has bugs, and how they show.
BROKEN = """
def boxes(message):
    if not message.polygon.points:
        return []
    raise RuntimeError('no idea\\nwhat this is')
"""


def python_path(folder):
    """Return the environment in which what is in there is installed as well."""
    return {'PYTHONPATH': os.pathsep.join([str(folder), *filter(None, sys.path)])}


@pytest.fixture(scope='module')
def example(tmp_path_factory):
    """Return the environment in which the example is installed, by pip and without a network."""
    # Not by find_spec: to look for pip so turns off what setuptools needs in this very process.
    missing = {'pip', 'setuptools'} - {found.name for found in metadata.distributions()}
    if missing:
        pytest.skip(f'not installed: {", ".join(missing)}')
    folder = tmp_path_factory.mktemp('example')
    sources = shutil.copytree(EXAMPLE, folder / 'sources')
    environment = {**os.environ, 'PIP_NO_INDEX': '1', 'PIP_DISABLE_PIP_VERSION_CHECK': '1'}
    environment.pop('PYTHONSAFEPATH', None)
    result = subprocess.run(
        [sys.executable, '-m', 'pip', 'install', '--no-deps', '--no-build-isolation',
         '--target', str(folder / 'installed'), str(sources)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100)
    assert result.returncode == 0, result.stdout
    return python_path(folder / 'installed')


def outline(second, *points):
    message = PolygonStamped()
    message.header.stamp.sec = second
    message.polygon.points = [Point32(x=x, y=y) for x, y in points]
    return message


def test_the_example_is_taken_by_the_bridge(tmp_path, example):
    with detector_rig.running(
            tmp_path, PolygonStamped, environment=example, boxes_type=POLYGON, **SIZE) as rig:
        rig.connect()
        rig.probe.boxes.publish(outline(5, (64.0, 240.0), (320.0, 120.0), (128.0, 48.0)))
        assert rig.frame(5.0)['boxes'] == [{
            'boxId': 0, 'rect': [0.1, 0.1, 0.5, 0.5], 'objectType': 'moving', 'certainty': 1.0}]
        rig.probe.boxes.publish(outline(6, (float('nan'), 1.0)))
        rig.probe.wait_for_status(lambda status: status.rejected_outbound)
        assert 'boundingBoxes.boxes[0].rect' in rig.process.log
        rig.probe.boxes.publish(outline(7))
        assert rig.frame(7.0)['boxes'] == []


def test_an_adapter_in_pixels_waits_for_the_size_of_the_image(tmp_path, example):
    with detector_rig.running(
            tmp_path, PolygonStamped, environment=example, boxes_type=POLYGON) as rig:
        rig.connect()
        assert {*rig.probe.count(rig.probe.status.rejected_outbound)} == {'no_image_size'}


def camera_info_subscriptions(probe):
    return {bytes(found.endpoint_gid)
            for found in probe.node.get_subscriptions_info_by_topic('camera_info')}


def test_over_a_deactivation_frame_ids_count_on(tmp_path, example):
    with detector_rig.running(
            tmp_path, PolygonStamped, environment=example, boxes_type=POLYGON,
            frame_id_zero='first_frame', **SIZE) as rig:
        rig.connect()
        assert Manager(rig.probe).change('deactivate', 'activate')
        before = len(rig.orchestrator.frame_ids())

        def arrived():
            rig.probe.boxes.publish(outline(100))
            rig.probe.executor.spin_once(timeout_sec=0.2)
            return len(rig.orchestrator.frame_ids()) > before
        rig.probe.wait(arrived)
        assert rig.orchestrator.frame_ids()[-1] == pytest.approx(100.0)


def test_camera_info_stays_subscribed_while_publishers_may_come_and_go(tmp_path, example):
    with managed(tmp_path, environment=example, boxes_type=POLYGON) as rig:
        assert rig.manager.change('configure', 'activate')
        rig.wait(lambda: camera_info_subscriptions(rig.probe))
        before = camera_info_subscriptions(rig.probe)
        assert rig.manager.change('deactivate', 'cleanup', 'configure', 'activate')
        rig.wait(lambda: camera_info_subscriptions(rig.probe))
        assert camera_info_subscriptions(rig.probe) == before


def test_an_activation_that_fails_leaves_no_subscription_behind(tmp_path, example):
    with managed(tmp_path, environment=example, boxes_type=POLYGON,
                 **{'qos_overrides./boxes.subscription.depth': 0}) as rig:
        assert rig.manager.change('configure')
        for _ in range(3):
            assert not rig.manager.change('activate')
        rig.wait(lambda: camera_info_subscriptions(rig.probe))
        assert len(camera_info_subscriptions(rig.probe)) == 1, 'one for each try'
        rig.wait(lambda: not camera_info_subscriptions(rig.probe))


def check(domain, environment, monkeypatch, *parameters):
    for name, value in {**environment, 'ROS_DOMAIN_ID': str(domain),
                        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}.items():
        monkeypatch.setenv(name, value)
    result = subprocess.run(
        [executable('check'), '--json', '--listen', '0.1', '--ros-args',
         '-p', 'orchestrator_url:=ws://127.0.0.1:1/processor', '-p', 'camera_id:=gate',
         *parameters], text=True, capture_output=True, timeout=100)
    return Report(result.returncode, result.stdout, result.stderr).steps['boxes']


def test_check_knows_it(example, monkeypatch):
    with process_rig.own_domain() as domain:
        step = check(domain, example, monkeypatch, '-p', f'boxes_type:={POLYGON}')
        # setuptools before 69 writes the name of a distribution with a hyphen.
        assert step['data']['adapter'].replace('-', '_') == (
            'polygon_boxes: polygon_boxes.adapter:boxes')
        step = check(domain, example, monkeypatch, '-p', 'boxes_type:=a_msgs/msg/B')
        assert step['status'] == 'failed' and POLYGON in step['detail']
        assert step['data']['boxes_types'][-1] == POLYGON


def test_a_bug_of_an_adapter_costs_its_messages_only(tmp_path):
    theirs = tmp_path / 'theirs'
    info = theirs / 'broken-1.0.dist-info'
    info.mkdir(parents=True)
    (theirs / 'broken.py').write_text(BROKEN)
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text(
        f'[camera_ws_bridge.boxes]\n{POLYGON} = broken:boxes\n')
    with detector_rig.running(
            tmp_path, PolygonStamped, environment=python_path(theirs),
            boxes_type=POLYGON) as rig:
        rig.connect()  # without the size of the image, which it does not ask for
        for second in (5, 6):
            rig.probe.boxes.publish(outline(second, (1.0, 2.0)))
        rig.probe.boxes.publish(outline(7))
        assert rig.frame(7.0)['boxes'] == []
        rig.probe.wait_for_status(lambda status: rig.probe.count(
            status.rejected_outbound) == {'adapter': 2})
        assert ('the adapter broken: broken:boxes has failed: RuntimeError: no idea'
                in rig.process.log)
        assert '(broken.py:5)' in rig.process.log and 'Traceback' not in rig.process.log
        assert 5.0 not in rig.orchestrator.frame_ids()


def test_the_page_on_detectors_shows_the_example_as_it_is():
    page = (EXAMPLE.parents[1] / 'docs/detector.md').read_text(encoding='utf-8')
    code = (EXAMPLE / 'polygon_boxes/adapter.py').read_text(encoding='utf-8')
    assert code.partition('limitations under the License.\n\n')[2] in page
    setup = (EXAMPLE / 'setup.py').read_text(encoding='utf-8')
    assert setup[setup.index('    entry_points={'):setup.rindex(')')] in page
