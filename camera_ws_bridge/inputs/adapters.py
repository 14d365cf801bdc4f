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
Which adapter takes the messages of a type: those built in, and those that packages install.

A package offers an adapter as an entry point of the group GROUP; its name is the type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
import inspect
import re
from typing import TYPE_CHECKING

from camera_ws_bridge.config.parameters import BOXES, DETECTION2D
from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.inputs import detection2d, yolo
from camera_ws_bridge.protocol.boxes import FlatBox

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = 'camera_ws_bridge.boxes'
YOLO = 'yolo_msgs/msg/DetectionArray'
Boxes = Callable[..., Iterable[FlatBox]]
BUILT_IN: dict[str, Boxes] = {DETECTION2D: detection2d.boxes, YOLO: yolo.boxes}
# What somebody may well ask for, and why it cannot be had.
INSTEAD = {
    'vision_msgs/msg/Detection3DArray':
        'its boxes are in metres, and operators see pictures: publish them as the camera sees '
        f'them, as {DETECTION2D}, or install an adapter that projects them'}
HEADER = 'std_msgs/Header'


@dataclass(frozen=True)
class Adapter:
    """What takes the messages of a type."""

    type_name: str
    message_type: type
    boxes: Boxes
    in_pixels: bool  # whether it is to be told the size of the image
    source: str = ''  # where it is from; empty: it is built in


def find(boxes_type: str) -> Adapter | None:
    """
    Return the adapter for a type, or None for Boxes, which need none.

    Raise ConfigurationError if there is none, or it cannot work.
    """
    if boxes_type == BOXES:
        return None
    if boxes_type in BUILT_IN:
        return Adapter(boxes_type, message_type(boxes_type), BUILT_IN[boxes_type], True)
    offers = [entry for entry in _entries() if entry.name == boxes_type]
    if not offers:
        what = INSTEAD.get(boxes_type, 'there is no adapter for it')
        raise ConfigurationError(
            'boxes_type', f'{boxes_type!r}: {what}; there are {", ".join(known())}')
    if len(offers) > 1:
        raise ConfigurationError(
            'boxes_type', f'{boxes_type!r}: several packages have an adapter for it '
            f'({", ".join(sorted(map(source, offers)))}): leave one installed')
    return _installed(offers[0])


def known() -> list[str]:
    """Return the types that `boxes_type` takes here, those built in before those installed."""
    installed = {entry.name for entry in _entries()}
    return [BOXES, *BUILT_IN, *sorted(installed - {BOXES, *BUILT_IN})]


def source(entry: EntryPoint) -> str:
    """Return how the log calls an adapter that is installed."""
    return f'{entry.dist.name}: {entry.value}' if entry.dist else entry.value


def message_type(name: str) -> type:
    """Return the class of a message type; raise ConfigurationError if it is not there."""
    if not re.fullmatch(r'\w+/msg/\w+', name):
        raise ConfigurationError('boxes_type', f'{name!r} is not PACKAGE/msg/TYPE')
    package, _, type_name = name.split('/')
    try:
        module = import_module(f'{package}.msg')
    except ImportError as error:
        hint = ', e.g. apt install ros-$ROS_DISTRO-vision-msgs' * (package == 'vision_msgs')
        raise ConfigurationError(
            'boxes_type', f'{package} cannot be imported ({error}): install it{hint}, and source '
            'its workspace') from None
    if package == 'vision_msgs' and not hasattr(module, 'Point2D'):
        raise ConfigurationError('boxes_type', 'this vision_msgs is older than version 4')
    found = getattr(module, type_name, None)
    if not isinstance(found, type):
        raise ConfigurationError('boxes_type', f'{package} has no message {type_name}')
    return found


def _entries() -> list[EntryPoint]:
    # Not at the top: who needs none of them does not wait for this import.
    from importlib.metadata import entry_points
    return [*entry_points(group=GROUP)]


def _installed(entry: EntryPoint) -> Adapter:
    found = message_type(entry.name)
    if found.get_fields_and_field_types().get('header') != HEADER:  # type: ignore[attr-defined]
        raise ConfigurationError(
            'boxes_type', f'{entry.name} has no header: its frames have no stamp')
    try:
        boxes = entry.load()
        arguments = len(inspect.signature(boxes).parameters)
    except Exception as error:  # whatever the code of another package raises
        raise ConfigurationError(
            'boxes_type', f'the adapter {source(entry)} cannot be loaded '
            f'({type(error).__name__}: {error})') from None
    if arguments not in (1, 2):
        raise ConfigurationError(
            'boxes_type', f'the adapter {source(entry)} takes {arguments} arguments, not the '
            'message, or the message and the size of the image')
    return Adapter(entry.name, found, boxes, arguments == 2, source(entry))
