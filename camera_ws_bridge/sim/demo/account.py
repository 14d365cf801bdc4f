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

"""What came of a demo: what each side sent and received, compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from camera_ws_bridge.sim.ledger import BOXES, Ledger, message_of, UPDATES
from camera_ws_bridge.sim.orchestrator.journal import Entry
from camera_ws_bridge_msgs.msg import Status

OPERATOR = 'operator'  # so the journal calls the connections of all of them


@dataclass
class Outage:
    """When the orchestrator was away, in Unix time."""

    began: float
    ended: float = 0.0
    registered: float = 0.0


@dataclass
class Told:
    """What the demo has asked of the camera."""

    starts: int = 0
    stops: int = 0
    updates: int = 0
    forgotten: int = 0  # objects tracked when the orchestrator died: the bridge stops them


def account(
        camera: Mapping[str, Any], journal: Iterable[Entry], status: Status, told: Told,
        outages: list[Outage]) -> bool:
    """Print what became of everything, row by row; return whether it is as it should be."""
    ledger, feature_maps = Ledger(), 0
    for frame_id in camera['frame_ids']:  # the Unix time of the frame's publication
        ledger.publish((BOXES, frame_id), frame_id)
    for entry in journal:
        message = message_of(entry.fields)
        if message is not None and message[0] == UPDATES:
            feature_maps += 1
        elif message is not None:
            ledger.receive(message, entry.t)
    lost = len(ledger.missing())
    ledger.settle({count.cause: count.count for count in status.dropped})
    skip = (outages[0].began - 1.0, outages[-1].registered) if outages else None
    live = ledger.latencies(skip)
    came = {name: camera.get(name, 0) for name in ('starts', 'stops', 'updates', 'feature_maps')}
    rows = [
        ('boxes messages published by the camera', len(ledger.published)),
        ('  received by the orchestrator', len(ledger.arrived)),
        ('  lost', lost),
        ('  sent twice (in flight when the link broke)', ledger.repeated),
        ('  out of order', len(ledger.out_of_order)),
        ('  dropped by the bridge', ledger.dropped.total()),
        ('  buffered at most', status.boxes_queued_peak),
        ('starts: operator -> camera', f'{told.starts} -> {came["starts"]}'),
        ('stops: operator + missed in the outage -> camera',
         f'{told.stops} + {told.forgotten} -> {came["stops"]}'),
        ('feature maps: neighbour -> camera', f'{told.updates} -> {came["updates"]}'),
        ('feature maps: camera -> orchestrator', f'{came["feature_maps"]} -> {feature_maps}'),
        ('outages, reconnects', f'{len(outages)}, {status.reconnects}'),
        ('latency camera -> orchestrator, connected: p50, p99',
         f'{1e3 * quantile(live, 0.5):.1f} ms, {1e3 * quantile(live, 0.99):.1f} ms'),
        *(('registered again after the orchestrator was back',
           f'{outage.registered - outage.ended:.1f} s') for outage in outages)]
    print()
    for name, value in rows:
        print(f'{name:52} {value}')
    complete = not lost and not ledger.dropped and not ledger.faults() and came == {
        'starts': told.starts, 'stops': told.stops + told.forgotten, 'updates': told.updates,
        'feature_maps': feature_maps}
    verdict = 'all accounted for' if complete else 'NOT as it should be'
    for what, found in ledger.faults().items():
        print(f'{what}: {len(found)}, e.g. {found[0]}')
    print(f'\n{lost} lost: {verdict}')
    return complete


def clicks(journal: Iterable[Entry]) -> tuple[int, int]:
    """Return how many starts and stops the operators have asked for."""
    kinds = [entry.fields.get('type') for entry in journal if entry.connection == OPERATOR]
    return kinds.count('start'), kinds.count('stop')


def quantile(ordered: list[float], share: float) -> float:
    """Return the value below which this share of the sorted values lies; nan if there is none."""
    if not ordered:
        return float('nan')
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
