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

"""What the buffer's tests share: short ways to fill one, and what must add up in it."""

from camera_ws_bridge.buffer.outbox import Outbox, Policy

PLENTY = Policy(1000, 10**6)


def outbox(boxes=PLENTY, updates=PLENTY, **window):
    """Return an Outbox."""
    return Outbox(boxes, updates, **window)


def fill(lane_of, lane, *payloads, at=0.0, object_id=None):
    """Put the payloads into a lane."""
    for payload in payloads:
        lane_of.put(lane, payload, at, object_id)


def put_updates(box, *updates):
    """Put updates: pairs of object id and payload."""
    for object_id, payload in updates:
        box.put(box.updates, payload, 0.0, object_id)


def payloads(items):
    """Return the payloads."""
    return [item.payload for item in items]


def numbered(count):
    """Return payloads of four bytes each."""
    return [b'%04d' % number for number in range(count)]


def adds_up(box):
    """Return whether every accepted message is accounted for."""
    accepted = box.boxes.accepted + box.updates.accepted
    queued = len(box.boxes.queued) + len(box.updates.queued)
    return accepted == (
        box.acknowledged + sum(box.dropped.values()) + queued + box.in_flight)
