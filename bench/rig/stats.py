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

"""Medians, spreads and percentiles; plain Python."""

from __future__ import annotations

from collections.abc import Sequence
import random
import statistics
from typing import Any


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Return median, least and greatest value, and all of them in the order of the runs."""
    return {
        'median': statistics.median(values), 'min': min(values), 'max': max(values),
        'runs': list(values)}


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the least value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100).__int__() - 1)]


def sums_of_pairs(a: Sequence[float], b: Sequence[float], count: int = 20000) -> list[float]:
    """Return sums of a value of each, drawn at random: the distribution of one after the other."""
    chance = random.Random(1)
    return [x + y for x, y in zip(chance.choices(a, k=count), chance.choices(b, k=count))]


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Return by how much y grows for each x (least squares)."""
    return statistics.linear_regression(x, y).slope
