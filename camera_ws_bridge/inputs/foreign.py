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

"""What an adapter of another package returns, made sure of: its bugs cost its messages only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
import operator
from typing import Any

from camera_ws_bridge.errors import EncodeError, MessageError
from camera_ws_bridge.protocol import fields
from camera_ws_bridge.protocol.boxes import flat_box, FlatBox, NOT_TRACKED


def boxes(adapter: Callable[..., Iterable[FlatBox]], name: str, *given: Any) -> list[FlatBox]:
    """
    Return the boxes that an adapter makes of a message, in Python's own types.

    name: what the log calls it; given: its arguments. Raises EncodeError.
    """
    try:
        return [_sure(index, box) for index, box in enumerate(adapter(*given))]
    except MessageError:
        raise
    except fields.BadField as error:
        raise EncodeError(error.field, error.reason) from None
    except Exception as error:
        raise EncodeError(
            '', f'the adapter {name} has failed: {type(error).__name__}: {error} '
            f'({_place(error)})', 'adapter') from None


def _sure(index: int, box: FlatBox) -> FlatBox:
    # Also numbers of numpy, which the JSON writer does not take. What is no number at all raises
    # here; NaN is left to the encoder, which names it.
    box_id, left, top, right, bottom, _, kind, _, certainty, object_id = box
    object_id = operator.index(object_id)
    if object_id != NOT_TRACKED:
        fields.object_id(object_id, f'boxes[{index}].objectId')
    return flat_box(
        fields.box_id(operator.index(box_id), f'boxes[{index}].boxId'),
        (float(left), float(top), float(right), float(bottom)), kind.decode(), float(certainty),
        object_id)


def _place(error: Exception) -> str:
    """Return file and line where it was raised, without which its author would search."""
    place = error.__traceback__
    assert place is not None
    while place.tb_next is not None:
        place = place.tb_next
    name = place.tb_frame.f_code.co_filename.rpartition('/')[2]
    return f'{name}:{place.tb_lineno}'
