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

"""What arrives from a bridge, and what is told of it, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import enum
from typing import Any


class Kind(enum.Enum):
    """What is told."""

    START = 'start'
    STOP = 'stop'
    UPDATE = 'update'
    SESSION = 'session'  # the object ids that follow are those of another session


@dataclass(frozen=True)
class Command:
    """A message of one of the three topics."""

    kind: Kind
    sequence: int
    session: int
    object_id: int
    stamp: int  # nanoseconds
    feature_map: Sequence[float] = ()
    message: Any = None  # as it has arrived


@dataclass(frozen=True)
class Listed:
    """All objects that are tracked, by id, with their feature maps."""

    session: int
    stamp: int  # nanoseconds; what was commanded until then is in the list
    objects: Mapping[int, Sequence[float]]


@dataclass(frozen=True)
class Event:
    """Something to tell; without a message it was concluded from a list, or from a session."""

    kind: Kind
    session: int
    object_id: int = -1
    feature_map: Sequence[float] = ()
    message: Any = None
