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

"""The QoS profiles of all topics, by name, and what can be said about two that do not fit."""

from __future__ import annotations

from typing import Any

from camera_ws_bridge.ros.features import BEST_AVAILABLE
from rclpy.duration import Duration
from rclpy.qos import (
    qos_check_compatible, QoSCompatibility, QoSDurabilityPolicy, QoSLivelinessPolicy,
    QoSPolicyKind, QoSProfile, QoSReliabilityPolicy)

# Frames are many, and each is worth having: with room for a hiccup of the process. "Best
# available": reliable where the detector is, see ros.adaptive_subscription.
BOXES = QoSProfile(depth=100, reliability=BEST_AVAILABLE)

FEATURE_MAP = QoSProfile(depth=100, reliability=QoSReliabilityPolicy.RELIABLE)

# Only the newest matters. Best effort: any camera driver reaches it.
CAMERA_INFO = QoSProfile(depth=1, reliability=QoSReliabilityPolicy.BEST_EFFORT)

# Latched: the newest status for whoever looks.
STATUS = QoSProfile(
    depth=1, reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)

DIAGNOSTICS = QoSProfile(depth=10)

# What the parameters qos_overrides.* can set, on every topic.
OVERRIDABLE = (
    QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH, QoSPolicyKind.RELIABILITY,
    QoSPolicyKind.DURABILITY)

# Nanoseconds. A time that is not set is 0 in a profile of rclpy, and in what a middleware tells
# of an endpoint its own infinite: 2**63 - 1 here, 2**31 - 1 seconds and some more there.
FOREVER = (2**31 - 1) * 10**9

PUBLISHER, SUBSCRIPTION = 'publisher', 'subscription'


def commands(depth: int) -> QoSProfile:
    """Return the profile of start, stop and update: remembered for a node that comes up later."""
    return QoSProfile(
        depth=depth, reliability=QoSReliabilityPolicy.RELIABLE,
        durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)


def copy_of(profile: QoSProfile, **changes: Any) -> QoSProfile:
    """Return a new profile; rclpy writes what parameters override into the one it is given."""
    policies = {slot[1:]: getattr(profile, slot) for slot in QoSProfile.__slots__}
    return QoSProfile(**{**policies, **changes})


def mismatch(publisher: QoSProfile, subscription: QoSProfile) -> str:
    """Return why nothing passes between the two; empty: they fit."""
    compatibility, reason = qos_check_compatible(_definite(publisher), _definite(subscription))
    if compatibility != QoSCompatibility.ERROR:
        return ''
    found = [part.strip() for part in reason.split(';')]
    errors = [part.removeprefix('ERROR: ') for part in found if part.startswith('ERROR: ')]
    return '; '.join(errors).lower() or 'the policies do not fit'


def _definite(profile: QoSProfile) -> QoSProfile:
    """Return the profile with what is unset said in the one way that rclpy compares rightly."""
    changes: dict[str, Any] = {
        name: Duration() for name in ('deadline', 'liveliness_lease_duration')
        if getattr(profile, name).nanoseconds >= FOREVER}
    if profile.liveliness == QoSLivelinessPolicy.SYSTEM_DEFAULT:
        # Every middleware takes it as automatic.
        changes['liveliness'] = QoSLivelinessPolicy.AUTOMATIC
    return copy_of(profile, **changes)


def describe(profile: QoSProfile) -> str:
    """Return the policies by which two profiles may not fit, for people."""
    parts = [profile.reliability.name.lower(), profile.durability.name.lower()]
    if 0 < profile.deadline.nanoseconds < FOREVER:
        parts.append(f'deadline {profile.deadline.nanoseconds / 1e9:g} s')
    if profile.liveliness == QoSLivelinessPolicy.MANUAL_BY_TOPIC:
        parts.append('liveliness manual_by_topic')
    return ', '.join(parts)


def to_set(topic: str, entity: str, own: QoSProfile, peer: QoSProfile) -> list[str]:
    """Return the parameters, with values, by which this node's side of a topic would fit."""
    found = []
    for policy in ('reliability', 'durability'):
        mine, theirs = (
            QoSProfile(depth=1, **{policy: getattr(profile, policy)}) for profile in (own, peer))
        pair = (mine, theirs) if entity == PUBLISHER else (theirs, mine)
        if mismatch(*pair):
            value = getattr(peer, policy).name.lower()
            found.append(f'qos_overrides.{topic}.{entity}.{policy}:={value}')
    return found
