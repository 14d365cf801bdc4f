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
Write the tables of docs/performance.md from bench/results.

Run it with any Python: python3 scripts/document_performance.py [--check]
"""

from __future__ import annotations

from collections.abc import Callable
import json
import pathlib
import re
import sys
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / 'bench' / 'results'
DOCUMENT = ROOT / 'docs' / 'performance.md'
NOT_MEASURED = 'not measured yet\n'
Row = dict[str, Any]


def read(name: str) -> Row:
    """Return the results of a row; empty if there are none."""
    path = RESULTS / f'{name}.json'
    return dict(json.loads(path.read_text(encoding='utf-8'))) if path.exists() else {}


def number(value: float) -> str:
    """Return a number with three digits that count."""
    if abs(value) >= 100:
        return f'{value:.0f}'
    return f'{value:.1f}' if abs(value) >= 10 else f'{value:.2f}'


def spread(summary: Row) -> str:
    """Return the median, and the least and the greatest run."""
    return f'{number(summary["median"])} ({number(summary["min"])} to {number(summary["max"])})'


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table."""
    return '\n'.join('| ' + ' | '.join(row) + ' |' for row in (
        head, ['---'] * len(head), *rows)) + '\n'


# ---- tables

def cpu(row: Row) -> str:
    """Return the CPU time of a message."""
    idle = row.get('idle_percent_of_a_core')
    note = '' if idle is None else (
        f'\nIdle, subtracted above: bridge {number(idle["bridge"])} %, Fast DDS alone '
        f'{number(idle["dds"])} %, bare client {number(idle["websockets"])} % of a core.\n')
    return table(
        ['boxes', 'messages/s', 'reached', 'bridge [µs]', 'Fast DDS [µs]', 'websockets [µs]',
         'ratio'],
        [[str(line['boxes']), str(line['asked_rate']), number(line['reached_rate']['median']),
          spread(line['bridge_us']), spread(line['dds_us']), spread(line['websockets_us']),
          spread(line['ratio'])] for line in row['lines']]) + note + without(row)


WITHOUT = {'orjson': 'orjson', 'events_executor': "rclpy's events executor"}


def without(row: Row) -> str:
    """Return what a message costs where something is missing; measured in the same run."""
    return ''.join(
        f'\nWithout {name}, {line["boxes"]} boxes, {line["asked_rate"]} messages/s: '
        f'{spread(line["without_us"])} µs, {spread(line["ratio"])} times as much as with it; idle '
        f'{number(row["idle_percent_of_a_core"][f"without_{what}"])} % of a core.\n'
        for what, name in WITHOUT.items() for line in row.get('without', {}).get(what, ()))


def latency(row: Row) -> str:
    """Return the latency of both directions, and that of bursts."""
    first = table(
        ['direction', 'percentile', 'bridge [ms]', 'DDS [ms]', 'WebSocket [ms]', 'floor [ms]',
         'ratio'],
        [[line['direction'], which, *(spread(line[of][which]) for of in (
            'bridge_ms', 'dds_ms', 'websockets_ms', 'floor_ms', 'ratio'))]
         for line in row['lines'] for which in line['bridge_ms']])
    return first + '\n' + table(
        [f'bursts of {row["nagle"][0]["burst"]} commands, Nagle on: client', 'p50 [ms]',
         'worst [ms]'],
        [[line['client'], spread(line['p50_ms']), spread(line['max_ms'])]
         for line in row['nagle']])


def backlog(row: Row) -> str:
    """Return drain and memory of a full buffer."""
    return table(['what', 'figure'], [
        ['queued messages', spread(row['queued'])],
        ['drained by the bridge [messages/s]', spread(row['bridge_rate'])],
        ['sent by bare websockets [messages/s]', spread(row['floor_rate'])],
        ['ratio', spread(row['ratio'])],
        ['drained into the simulated orchestrator [messages/s]', number(row['tornado_rate'])],
        ['payload [MiB]', spread(row['payload_mib'])],
        ['RSS before [MiB]', spread(row['baseline_mib'])],
        ['RSS with the buffer full [MiB]', spread(row['full_mib'])],
        ['growth, as a multiple of the payload', spread(row['growth'])],
        ['RSS after the drain [MiB]', spread(row['after_mib'])]])


def life(row: Row) -> str:
    """Return start-up, memory at rest and recovery."""
    return table(['what', 'bridge', 'floor', 'ratio'], [
        ['start until registered [s]', spread(row['start_s']), spread(row['floor_start_s']),
         spread(row['start_ratio'])],
        ['RSS at rest [MiB]', spread(row['rest_mib']), spread(row['floor_rest_mib']),
         spread(row['rest_ratio'])],
        [f'registered again after an outage of {row["outage_s"]:g} s [s]',
         spread(row['recovery_s']), '', '']])


def cameras(row: Row) -> str:
    """Return the cost of many cameras."""
    further = ''.join(
        f'\nEach further camera, {name}: {number(row[key])} MiB of RSS.\n' for name, key in (
            ('a process of its own', 'separate_mib_a_camera'),
            ('in the same process', 'together_mib_a_camera')) if key in row)
    head = ['cameras', 'processes', 'wake_interval [ms]', 'messages/s']
    lines = [([str(line['cameras']), str(line['processes']),
               f'{1000 * line["wake_interval"]:g}', number(line['rate'])], line)
             for line in row['lines']]
    cost = table(
        [*head, 'RSS [MiB]', 'PSS [MiB]', 'idle [% of a core]', 'CPU, spread [%]',
         'to separate processes', 'CPU, at once [%]', 'to separate processes'],
        [[*first, *(number(line[key]) for key in (
            'rss_mib', 'pss_mib', 'idle_percent_of_a_core')),
          *(spread(line[way][key]) if key in line[way] else '' for way in WAYS
            for key in ('percent_of_a_core', 'ratio'))] for first, line in lines])
    latencies = table(
        [*head, 'spread: reached', 'p50 [ms]', 'p99 [ms]', 'lost', 'at once: reached', 'p50 [ms]',
         'p99 [ms]', 'lost'],
        [[*first, *(text for way in WAYS for text in _arrivals(line[way]))]
         for first, line in lines])
    return f'{cost}\n{latencies}{further}'


WAYS = ('spread', 'at_once')  # how the frames of many cameras come


def _arrivals(runs: Row) -> list[str]:
    """Return what arrived of the frames of many cameras, and when."""
    latency = runs['latency_ms']
    return [number(runs['reached_rate']['median']),
            *(spread(latency[which]) if which in latency else '' for which in ('p50', 'p99')),
            str(runs['lost'])]


def hour(row: Row) -> str:
    """Return what an hour's messages leave behind."""
    return table(['what', 'figure'], [
        ['messages', str(row['messages'])], ['lost', str(row['lost'])],
        ['RSS, first and last twelfth [MiB]',
         f'{number(row["rss_mib"][0])}, {number(row["rss_mib"][-1])}'],
        ['slope behind the warm-up [bytes a message]', number(row['slope_bytes_a_message'])],
        ['CPU time of a message, last twelfth to first', number(row['cpu_last_to_first'])]])


def first_version(row: Row) -> str:
    """Return what the first version took."""
    return ''.join(
        f'{TABLES[name][0](row[name])}\n' for name in ('cpu', 'latency', 'backlog', 'life')
        if name in row).rstrip('\n') + '\n'


def machine(row: Row) -> str:
    """Return where it was measured, and at which commit if that is known."""
    measured = row if 'machine' in row else next(
        part for part in row.values() if 'machine' in part)
    about, commit = measured['machine'], measured.get('commit')
    return (
        f'\n{about["cpu"]}, {about["cores"]} cores, Linux {about["kernel"]}, Python '
        f'{about["python"]}, ROS 2 {about["ros"]} ({about["rmw"]}), websockets '
        f'{about["websockets"]}, orjson {about["orjson"] or "absent"}'
        f'{f"; commit {commit}" if commit else ""}.\n')


# ---- targets

def cpu_line(row: Row) -> Row:
    """Return the line that the targets speak of: 20 boxes, 300 a second."""
    return next((line for line in row.get('lines', ())
                 if line['boxes'] == 20 and line['asked_rate'] == 300), {})


def _ratio_to_first() -> float | None:
    now, first = cpu_line(read('cpu')), cpu_line(read('first_version').get('cpu', {}))
    if not now or not first:
        return None
    # By their ratios to the floors of their own runs, which other load cannot shift so far.
    return float(now['ratio']['median'] / first['ratio']['median'])


def _latency(which: str) -> float | None:
    return max((line['ratio'][which]['median'] for line in read('latency').get('lines', ())),
               default=None)


def _median(name: str, key: str) -> float | None:
    row = read(name)
    return float(row[key]['median']) if row else None


def _together(cameras: int, wake_interval: float = 0.0) -> Row:
    """Return the line of so many cameras in one process; empty if there is none."""
    return next((line for line in read('cameras').get('lines', ()) if line['together']
                 and (line['cameras'], line['wake_interval']) == (cameras, wake_interval)), {})


def _megabytes(cameras: int) -> float | None:
    line = _together(cameras)
    return float(line['rss_mib'] * 2**20 / 1e6) if line else None


def _cost(cameras: int, way: str, key: str) -> float | None:
    line = _together(cameras)
    return float(line[way][key]['median']) if line else None


def _full_rate(cameras: int, way: str, wake_interval: float = 0.0) -> float | None:
    """Return the percentage of a core, for as many messages as were asked for."""
    line = _together(cameras, wake_interval)
    if not line:
        return None
    runs = line[way]
    return float(runs['percent_of_a_core']['median'] * line['rate']
                 / runs['reached_rate']['median'])


# What the target is, the greatest (or, if it is negative, the least) figure, and the figure.
TARGETS: list[tuple[str, float, Callable[[], float | None]]] = [
    ('CPU per message (20 boxes, 300/s): at most 2.0 × the floor', 2.0,
     lambda: cpu_line(read('cpu')).get('ratio', {}).get('median')),
    ('the same: at most half of the first version', 0.5, _ratio_to_first),
    ('latency p50: at most 1.5 × the floor', 1.5, lambda: _latency('p50')),
    ('latency p99: at most 2 × the floor', 2.0, lambda: _latency('p99')),
    ("drain: at least 0.5 × bare websockets' rate", -0.5, lambda: _median('backlog', 'ratio')),
    ('8 cameras in one process: below 120 MB RSS', 120.0, lambda: _megabytes(8)),
    ('8 cameras in one process, frames at the same moments: CPU below 0.6 × that of 8 processes',
     0.6, lambda: _cost(8, 'at_once', 'ratio')),
    ('the same, frames evenly spread', 0.6, lambda: _cost(8, 'spread', 'ratio')),
    ('64 cameras in one process, 30 frames a second each, evenly spread: below 40 % of a core',
     40.0, lambda: _full_rate(64, 'spread')),
    ('the same, wake_interval 10 ms', 40.0, lambda: _full_rate(64, 'spread', 0.01)),
    ('the same, frames at the same moments, no wake_interval', 40.0,
     lambda: _full_rate(64, 'at_once')),
    ('64 cameras in one process: below 200 MiB RSS', 200.0,
     lambda: _together(64).get('rss_mib')),
    ('buffer full: RSS grows by at most 1.3 × the payload', 1.3,
     lambda: _median('backlog', 'growth')),
    ('after the drain: RSS within 0.2 of the baseline', 0.2, lambda: _median('backlog', 'left')),
    ('registered within 1.5 s of the start', 1.5, lambda: _median('life', 'start_s')),
    ("again within 1.5 s of the server's return", 1.5, lambda: _median('life', 'recovery_s'))]


def targets() -> str:
    """Return the targets, each with what was reached."""
    rows = []
    for text, limit, figure in TARGETS:
        value = figure()
        if value is None:
            rows.append([text, '', 'not measured'])
        else:
            met = value <= limit if limit > 0 else value >= -limit
            rows.append([text, number(value), 'met' if met else '**not met**'])
    return table(['target', 'reached (median)', ''], rows)


TABLES: dict[str, tuple[Callable[[Row], str], str]] = {
    'cpu': (cpu, 'cpu'), 'size': (cpu, 'size'), 'latency': (latency, 'latency'),
    'backlog': (backlog, 'backlog'), 'life': (life, 'life'), 'cameras': (cameras, 'cameras'),
    'hour': (hour, 'hour'), 'first_version': (first_version, 'first_version')}


def block(name: str) -> str:
    """Return what stands between the marks of that name."""
    if name == 'targets':
        return targets()
    make, file = TABLES[name]
    row = read(file)
    if not row:
        return NOT_MEASURED
    plot = DOCUMENT.parent / 'performance' / f'{name}.svg'
    shown = f'\n![{name}](performance/{name}.svg)\n' if plot.exists() else ''
    return make(row) + shown + machine(row)


def document(old: str) -> str:
    """Return the document with all tables anew."""
    return re.sub(
        r'(<!-- table (\w+) -->\n).*?(<!-- end -->)',
        lambda found: f'{found[1]}\n{block(found[2])}\n{found[3]}', old, flags=re.DOTALL)


def main() -> int:
    """Write the document, or say that it is out of date."""
    old = DOCUMENT.read_text(encoding='utf-8')
    new = document(old)
    if '--check' in sys.argv:
        if new != old:
            print('docs/performance.md is out of date, run scripts/document_performance.py')
            return 1
        return 0
    DOCUMENT.write_text(new, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
