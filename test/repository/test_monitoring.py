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

"""Dashboard and alerts: they use metrics and labels that there are, and promtool accepts them."""

import json
import pathlib
import re
import shutil
import subprocess

from camera_ws_bridge.metrics import families
from camera_ws_bridge.metrics.families import CAMERA, COUNTER, FAMILIES, PREFIX, STATES_OF
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
MONITORING = ROOT / 'deploy/monitoring'
OTHERS = {'process_cpu_seconds_total', 'process_resident_memory_bytes'}  # of prometheus_client
SCRAPED = {'job', 'instance'}  # the labels that Prometheus adds
needs_promtool = pytest.mark.skipif(
    shutil.which('promtool') is None, reason='promtool is not installed (apt: prometheus)')


def exported():
    """Return all metrics by the names that Prometheus has, with their labels."""
    names = {
        PREFIX + family.name + '_total' * (family.kind == COUNTER): {
            *CAMERA, *family.labels, *([PREFIX + family.name] * (family.kind == STATES_OF))}
        for family in FAMILIES}
    return {**names, PREFIX + families.AGE: {*CAMERA}, PREFIX + families.TIME: set()}


def dashboard():
    return json.loads((MONITORING / 'dashboard.json').read_text(encoding='utf-8'))


def queries():
    """Return the dashboard's queries with their legends, and those of the alerts with texts."""
    for panel in dashboard()['panels']:
        for target in panel['targets']:
            yield target['expr'], target['legendFormat']
    alerts = yaml.safe_load((MONITORING / 'alerts.yaml').read_text(encoding='utf-8'))
    for group in alerts['groups']:
        for rule in group['rules']:
            yield rule['expr'], ' '.join(rule['annotations'].values())


def metrics_of(query):
    # What stands before a selector, a range, a parenthesis, an operator or the end.
    names = {*re.findall(rf'\b{PREFIX}\w+', re.sub(r'"[^"]*"', '', query))}
    return names | {name for name in OTHERS if name in query}


@pytest.mark.parametrize('query, text', [*queries()])
def test_a_query_asks_for_metrics_and_labels_that_there_are(query, text):
    names = metrics_of(query)
    assert names or query.startswith('up{'), 'asks for nothing of ours'
    known = exported()
    assert names <= {*known} | OTHERS
    labels = SCRAPED.union(*(known.get(name, set()) for name in names))
    used = {*re.findall(r'(\w+)\s*(?:=~|!=|=)\s*"', query)}
    used |= {label for by in re.findall(r'(?:by|without) \(([^)]*)\)', query)
             for label in by.replace(' ', '').split(',')}
    used |= {*re.findall(r'\{\{ ?(?:\$labels\.)?(\w+) ?\}\}', text)}
    assert used <= labels


def test_the_alerts_are_those_that_the_page_on_operations_names():
    alerts = yaml.safe_load((MONITORING / 'alerts.yaml').read_text(encoding='utf-8'))
    names = {rule['alert'] for group in alerts['groups'] for rule in group['rules']}
    page = (ROOT / 'docs/operations.md').read_text(encoding='utf-8')
    assert names == {*re.findall(r'^\| `(Camera\w+)` \|', page, re.MULTILINE)}


def test_the_page_on_operations_has_every_metric():
    page = (ROOT / 'docs/operations.md').read_text(encoding='utf-8')
    named = {*re.findall(rf'`({PREFIX}\w+)`', page)}
    assert named == {*exported()}


def test_the_panels_of_the_dashboard_have_ids_and_places_of_their_own():
    panels = dashboard()['panels']
    assert len({panel['id'] for panel in panels}) == len(panels)
    cells = [(x, y) for panel in panels for place in [panel['gridPos']]
             for x in range(place['x'], place['x'] + place['w'])
             for y in range(place['y'], place['y'] + place['h'])]
    assert len({*cells}) == len(cells) and max(x for x, _ in cells) < 24


@needs_promtool
@pytest.mark.parametrize('command', [
    ['check', 'rules', 'alerts.yaml'], ['test', 'rules', 'alerts_test.yaml'],
    ['check', 'config', 'prometheus.yaml']], ids=' '.join)
def test_promtool_accepts(command):
    result = subprocess.run(
        ['promtool', *command], cwd=MONITORING, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=60)
    assert result.returncode == 0, result.stdout


def test_every_alert_is_tested():
    alerts = yaml.safe_load((MONITORING / 'alerts.yaml').read_text(encoding='utf-8'))
    tests = yaml.safe_load((MONITORING / 'alerts_test.yaml').read_text(encoding='utf-8'))
    tested = {test['alertname'] for part in tests['tests'] for test in part['alert_rule_test']
              if test.get('exp_alerts')}
    assert tested == {rule['alert'] for group in alerts['groups'] for rule in group['rules']}
