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

"""What was found, step by step: as text for a person, as an object for a program."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
import enum
import textwrap
from typing import Any

from camera_ws_bridge.log.printable import printable

FORMAT = 1  # of as_object; a change that breaks readers counts it up
WIDTH = 99


class Status(enum.Enum):
    """How a step went."""

    OK = 'ok'
    WARNING = 'warning'
    FAILED = 'failed'
    SKIPPED = 'skipped'  # not needed here, or in vain after another step has failed


@dataclass(frozen=True)
class Finding:
    """What a step has found; `advice` says what to do about a warning or a failure."""

    status: Status
    detail: str
    advice: str = ''
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """A finding, which step it is of, and how many seconds that took."""

    name: str
    finding: Finding
    seconds: float


def ok(detail: str, **data: Any) -> Finding:
    """Return a finding that is as it should be."""
    return Finding(Status.OK, detail, '', data)


def warning(detail: str, advice: str, **data: Any) -> Finding:
    """Return a finding that works, but should be looked at."""
    return Finding(Status.WARNING, detail, advice, data)


def failed(detail: str, advice: str, **data: Any) -> Finding:
    """Return a finding that keeps the bridge from its work."""
    return Finding(Status.FAILED, detail, advice, data)


def skipped(detail: str) -> Finding:
    """Return the finding of a step that was not done."""
    return Finding(Status.SKIPPED, detail)


def all_well(steps: Iterable[Step]) -> bool:
    """Return whether nothing keeps the bridge from its work."""
    return all(step.finding.status is not Status.FAILED for step in steps)


def as_text(step: Step) -> str:
    """Return a step's lines."""
    finding = step.finding
    head = f'{finding.status.value:<8} {step.name:<13} '
    lines = textwrap.wrap(
        f'{printable(finding.detail)} ({step.seconds:.2f} s)', WIDTH, initial_indent=head,
        subsequent_indent=' ' * len(head))
    if finding.advice:
        lines += textwrap.wrap(
            printable(finding.advice), WIDTH, initial_indent=' ' * len(head) + '-> ',
            subsequent_indent=' ' * len(head) + '   ')
    return '\n'.join(lines)


def summary(steps: Iterable[Step]) -> str:
    """Return the last line."""
    statuses = [step.finding.status for step in steps]
    failures, warnings = statuses.count(Status.FAILED), statuses.count(Status.WARNING)
    if failures:
        return f'{failures} of {len(statuses)} steps failed'
    return 'ready' + (f', with {warnings} warning{"s" * (warnings > 1)}' if warnings else '')


def as_object(steps: Iterable[Step]) -> dict[str, Any]:
    """Return what --json prints; docs/preflight.md describes it."""
    steps = list(steps)
    return {
        'format': FORMAT,
        'ok': all_well(steps),
        'seconds': round(sum(step.seconds for step in steps), 3),
        'steps': [{
            'name': step.name, 'status': step.finding.status.value,
            'seconds': round(step.seconds, 3), 'detail': printable(step.finding.detail),
            'advice': printable(step.finding.advice), 'data': step.finding.data}
            for step in steps]}
