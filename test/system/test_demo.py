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

"""The demo as users run it, and whether its account can fail."""

import contextlib
import os
import re
import signal
import subprocess
import threading
import time

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.sim.demo.account import account, Outage, Told
from camera_ws_bridge.sim.orchestrator.journal import Entry
from camera_ws_bridge_msgs.msg import Count, Status
import psutil
import pytest
from rigs import process_rig as rigs
from rigs.installed import executable
from rigs.shared import own_words

FRAMES_FLOW = r'acknowledged +\d\d'
WAIT = 90.0  # seconds until a test gives up; no test takes that long when all is well
ROWS = (
    'boxes messages published by the camera', '  received by the orchestrator', '  lost',
    '  sent twice (in flight when the link broke)', '  out of order', '  dropped by the bridge',
    '  buffered at most', 'starts: operator -> camera',
    'stops: operator + missed in the outage -> camera', 'feature maps: neighbour -> camera',
    'feature maps: camera -> orchestrator', 'outages, reconnects',
    'latency camera -> orchestrator, connected: p50, p99')


# ---- the account, over made-up reports

FRAMES = [100.0 + index / 30 for index in range(90)]


def boxes(at, frame_id):
    return at, {'type': 'boundingBoxes', 'frameId': frame_id, 'boxes': []}


def feature_map(at):
    return at, {'type': 'featureMap', 'objectId': 1, 'featureMap': [0.5]}


class Story:
    """A run in which all was well: three starts, an outage, nothing lost."""

    def __init__(self):
        self.camera = {'published': len(FRAMES), 'frame_ids': list(FRAMES), 'starts': 3,
                       'stops': 3, 'updates': 1, 'feature_maps': 3}
        self.journal = [boxes(frame_id + 0.002, frame_id) for frame_id in FRAMES]
        self.journal += [feature_map(101.0)] * 3
        self.status = Status(boxes_queued_peak=45, reconnects=1)
        self.outages = [Outage(101.0, 102.0, 102.5)]
        self.told = Told(starts=3, stops=1, updates=1, forgotten=2)

    def account(self):
        """Return what the demo makes of it."""
        journal = [Entry(at, 'demo', 'to_orchestrator', strict_json.dumps(message))
                   for at, message in self.journal]
        return account(self.camera, journal, self.status, self.told, self.outages)


def table_of(output):
    """Return the account's table by row."""
    return {line[:52].rstrip(): line[53:] for line in output.splitlines() if len(line) > 53}


def test_a_story_in_which_all_was_well(capsys):
    assert Story().account() is True
    output = capsys.readouterr().out
    assert output.endswith('\n0 lost: all accounted for\n')
    table = table_of(output)
    assert [*table][:len(ROWS)] == [*ROWS]
    assert [*table.values()] == [
        '90', '90', '0', '0', '0', '0', '45', '3 -> 3', '1 + 2 -> 3', '1 -> 1', '3 -> 3', '1, 1',
        '2.0 ms, 2.0 ms', '0.5 s']


def test_frames_sent_twice_are_fine_and_counted(capsys):
    story = Story()
    story.journal += [boxes(103.0, FRAMES[-1]), boxes(103.0, FRAMES[40])]
    assert story.account() is True
    assert table_of(capsys.readouterr().out)[ROWS[3]] == '2'


def test_a_story_without_an_outage_has_no_row_for_it(capsys):
    story = Story()
    story.outages = []
    assert story.account() is True
    table = table_of(capsys.readouterr().out)
    assert [*table] == [*ROWS] and table['outages, reconnects'] == '0, 1'


def test_nothing_asked_and_nothing_come_is_well():
    story = Story()  # a signal came before the operator did
    story.told = Told()
    story.outages = []
    story.camera = {'published': len(FRAMES), 'frame_ids': list(FRAMES)}
    story.journal = story.journal[:len(FRAMES)]
    assert story.account() is True


def test_the_outage_is_left_out_of_the_latency(capsys):
    story = Story()
    story.journal = [boxes(102.6, frame_id) if 100.5 < frame_id < 102.5 else (at, message)
                     for (at, message), frame_id in zip(story.journal, FRAMES)]
    story.journal += [feature_map(101.0)] * 3
    assert story.account() is True
    assert table_of(capsys.readouterr().out)[ROWS[-1]] == '2.0 ms, 2.0 ms'


@pytest.mark.parametrize('index', [0, 45, 89])
def test_one_frame_that_never_came_fails_it(capsys, index):
    story = Story()
    del story.journal[index]
    assert story.account() is False
    output = capsys.readouterr().out
    assert output.endswith(f"""\
unaccounted: 1, e.g. ('boxes', {FRAMES[index]})

1 lost: NOT as it should be
""")
    assert table_of(output)['  lost'] == '1'


def test_a_frame_that_came_altered_is_a_frame_lost(capsys):
    story = Story()
    story.journal[7] = boxes(story.journal[7][0], FRAMES[7] * (1 + 2**-52))
    assert story.account() is False
    output = capsys.readouterr().out
    assert '1 lost' in output and 'never published: 1' in output


def test_one_frame_in_the_wrong_place_fails_it(capsys):
    story = Story()
    story.journal[3], story.journal[4] = story.journal[4], story.journal[3]
    assert story.account() is False
    output = capsys.readouterr().out
    assert table_of(output)['  out of order'] == '1'
    assert output.endswith('\n0 lost: NOT as it should be\n')


def test_a_drop_that_the_bridge_admits_fails_it(capsys):
    story = Story()
    story.status.dropped = [Count(cause='a', count=2), Count(cause='b', count=1)]
    assert story.account() is False
    assert table_of(capsys.readouterr().out)['  dropped by the bridge'] == '3'


@pytest.mark.parametrize('change', [-1, +1])
@pytest.mark.parametrize('name, row', [
    ('starts', '3 -> {}'), ('stops', '1 + 2 -> {}'), ('updates', '1 -> {}'),
    ('feature_maps', '{} -> 3')])
def test_a_command_too_few_or_too_many_fails_it(capsys, name, row, change):
    story = Story()
    story.camera[name] += change
    value = story.camera[name]
    assert story.account() is False
    assert row.format(value) in table_of(capsys.readouterr().out).values()


@pytest.mark.parametrize('name', ['starts', 'stops', 'updates', 'feature_maps'])
def test_a_command_that_never_came_fails_it(name):
    story = Story()
    del story.camera[name]  # a Counter has no zeros
    assert story.account() is False


# ---- the executable

class Running:
    """A demo, and what it has printed so far."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.extend(own_words(line).splitlines())

    @property
    def output(self):
        return '\n'.join(self.lines)

    def wait_for(self, pattern):
        """Wait until it has printed what the pattern matches."""
        end = time.monotonic() + WAIT
        while not re.search(pattern, self.output):
            assert time.monotonic() < end and self.process.poll() is None, self.output
            time.sleep(0.01)

    def children(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self):
        """Return its exit code when it has ended, and all that it has printed is here."""
        code = self.process.wait(WAIT)
        self._reader.join(WAIT)
        return code


@contextlib.contextmanager
def running(*arguments):
    with rigs.own_domain() as domain:
        process = subprocess.Popen(
            [executable('demo'), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, env={**os.environ, 'ROS_DOMAIN_ID': str(domain), 'PYTHONUNBUFFERED': '1'})
        demo = Running(process)
        try:
            yield demo
        finally:
            if process.poll() is None:
                children = demo.children()
                process.kill()
                for child in children:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        child.kill()
            demo.end()
            process.stdout.close()


def assert_all_well(demo, outages):
    table = table_of(demo.output)
    assert [row for row in ROWS if row not in table] == [], demo.output
    assert demo.lines[-1] == '0 lost: all accounted for', demo.output
    assert int(table[ROWS[0]]) == int(table[ROWS[1]]) > 0
    assert (table[ROWS[2]], table[ROWS[4]], table[ROWS[5]]) == ('0', '0', '0')
    assert table['outages, reconnects'].startswith(f'{outages}, ')
    assert 'Traceback' not in demo.output


def test_a_short_one_loses_nothing():
    arguments = ('--duration', '6', '--outage', '1.5', '--ros-args', '--log-level', 'warn')
    with running(*arguments) as demo:
        assert demo.end() == 0, demo.output
        assert_all_well(demo, 1)
        table = table_of(demo.output)
        assert table['outages, reconnects'] == '1, 1'
        assert int(table['  buffered at most']) > 20  # 30 Hz for 1.5 s
        assert table['starts: operator -> camera'] == '3 -> 3'
        assert table['stops: operator + missed in the outage -> camera'] == '1 + 2 -> 3'
        assert table['feature maps: neighbour -> camera'] == '1 -> 1'
        assert table['registered again after the orchestrator was back'].endswith(' s')
        assert demo.lines[0].startswith("operator's page: http://127.0.0.1:")
        progress = [line for line in demo.lines if 'boxes accepted' in line]
        assert len(progress) >= 5


def test_a_signal_ends_it_in_order_with_the_account():
    with running('--duration', '600') as demo:
        demo.wait_for('boxes accepted')
        demo.wait_for(FRAMES_FLOW)
        children = demo.children()
        assert len(children) == 3
        demo.process.send_signal(signal.SIGINT)
        assert demo.end() == 0, demo.output
        assert_all_well(demo, 0)
        assert not [child for child in children if child.is_running()]


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_outage_ends_it_without_loss(number):
    with running('--duration', '6', '--outage', '2') as demo:
        demo.wait_for('the orchestrator is killed')
        demo.process.send_signal(number)
        assert demo.end() == 0, demo.output
        assert_all_well(demo, 1)


def test_a_signal_at_the_very_beginning_ends_it_in_order():
    with running('--duration', '600') as demo:
        demo.wait_for('boxes accepted')  # the first line is printed before all is connected
        demo.process.send_signal(signal.SIGINT)
        assert demo.end() == 0, demo.output
        assert demo.lines[-1] == '0 lost: all accounted for', demo.output
        assert 'Traceback' not in demo.output


@pytest.mark.parametrize('part', [
    'camera_ws_bridge', 'camera_ws_bridge.sim.camera.main',
    'camera_ws_bridge.sim.orchestrator.main'])
def test_a_part_that_dies_fails_it_and_leaves_nothing_behind(part):
    with running('--duration', '600') as demo:
        demo.wait_for(FRAMES_FLOW)
        children = demo.children()
        victim, = [child for child in children if part in child.cmdline()[:4]]
        victim.kill()
        assert demo.end() == 1
        assert 'ended by itself with exit code -9' in demo.output
        assert '0 lost' not in demo.output and 'Traceback' not in demo.output
        assert not [child for child in children if child.is_running()]


def test_help_explains_every_option():
    help_text = subprocess.run(
        [executable('demo'), '--help'], check=True, capture_output=True, text=True).stdout
    for word in ('--duration', '--outage', '--rate', '--boxes', 'Exit code 0 only'):
        assert word in help_text
