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

"""Draw the plots of docs/performance.md from bench/results: SVG, in docs/performance/."""

from __future__ import annotations

from collections.abc import Callable
import pathlib
import sys
from typing import Any

from rig.results import read

try:
    import matplotlib
    from matplotlib import pyplot
except ImportError:
    matplotlib = None  # type: ignore[assignment]

FOLDER = pathlib.Path(__file__).resolve().parents[1] / 'docs' / 'performance'
BRIDGE, FLOOR = '#1f77b4', '#999999'


def _with_spread(axes: Any, x: list[float], summaries: list[dict[str, Any]], **style: Any) -> None:
    medians = [summary['median'] for summary in summaries]
    axes.errorbar(x, medians, capsize=3, marker='o', yerr=[
        [summary['median'] - summary['min'] for summary in summaries],
        [summary['max'] - summary['median'] for summary in summaries]], **style)


def size(axes: Any, row: dict[str, Any]) -> None:
    """Draw CPU time a message against the number of boxes."""
    x = [line['boxes'] for line in row['lines']]
    _with_spread(axes, x, [line['bridge_us'] for line in row['lines']],
                 label='bridge', color=BRIDGE)
    _with_spread(axes, x, [line['floor_us'] for line in row['lines']],
                 label='floor', color=FLOOR)
    axes.set(xscale='log', yscale='log', xlabel='boxes in a message',
             ylabel='CPU time of a message [µs]', title='as fast as possible')
    axes.legend()


def latency(axes: Any, row: dict[str, Any]) -> None:
    """Draw the percentiles of both directions."""
    names, bridge, floor = [], [], []
    for line in row['lines']:
        for which in line['bridge_ms']:
            names.append(f'{which}\n{line["direction"].replace(" to ", chr(10) + "to ")}')
            bridge.append(line['bridge_ms'][which]['median'])
            floor.append(line['floor_ms'][which]['median'])
    at = range(len(names))
    axes.bar([x - 0.2 for x in at], bridge, 0.4, label='bridge', color=BRIDGE)
    axes.bar([x + 0.2 for x in at], floor, 0.4, label='floor', color=FLOOR)
    axes.set(ylabel='latency [ms]', yscale='log')
    axes.set_xticks(list(at), names, fontsize=7)
    axes.legend()


def cameras(axes: Any, row: dict[str, Any]) -> None:
    """Draw memory against the number of cameras."""
    for together, name, color in (
            (False, 'a process each', FLOOR), (True, 'one process', BRIDGE)):
        lines = [line for line in row['lines']
                 if line['together'] == together and not line['wake_interval']]
        if lines:
            axes.plot([line['cameras'] for line in lines], [line['rss_mib'] for line in lines],
                      marker='o', label=name, color=color)
    axes.set(xscale='log', yscale='log', xlabel='cameras', ylabel='RSS in all [MiB]')
    axes.legend()


def hour(axes: Any, row: dict[str, Any]) -> None:
    """Draw memory over the messages of an hour."""
    step = row['messages'] / len(row['rss_mib'])
    axes.plot([step * number for number in range(1, len(row['rss_mib']) + 1)], row['rss_mib'],
              marker='o', color=BRIDGE)
    axes.set(xlabel='messages', ylabel='RSS [MiB]', ylim=(0, 1.2 * max(row['rss_mib'])))


PLOTS: dict[str, Callable[[Any, dict[str, Any]], None]] = {
    'size': size, 'latency': latency, 'cameras': cameras, 'hour': hour}


def main() -> int:
    """Draw what there are results for."""
    if matplotlib is None:
        print('no plots: matplotlib is not installed (requirements/bench.txt)', file=sys.stderr)
        return 0
    # Text stays text, and the same results give the same file.
    matplotlib.rcParams.update({'svg.fonttype': 'none', 'svg.hashsalt': 'camera_ws_bridge'})
    FOLDER.mkdir(exist_ok=True)
    for name, draw in PLOTS.items():
        if row := read(name):
            figure, axes = pyplot.subplots(figsize=(6.4, 3.6), layout='constrained')
            draw(axes, row)
            axes.grid(alpha=0.3)
            figure.savefig(FOLDER / f'{name}.svg', metadata={'Date': None})
            pyplot.close(figure)
    return 0


if __name__ == '__main__':
    sys.exit(main())
