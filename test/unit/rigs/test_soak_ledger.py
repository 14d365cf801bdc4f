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

"""The soak's account: it has to find what is wrong, or a soak proves nothing."""

import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / 'soak'))

from ledger import Kill, Ledger  # noqa: E402, I100, I202


def boxes(*numbers):
    return [('boxes', number) for number in numbers]


@pytest.fixture(name='ledger')
def a_ledger():
    """Return an account of five boxes, one a second, of which the third is missing."""
    ledger = Ledger()
    for message in boxes(1, 2, 3, 4, 5):
        ledger.publish(message, float(message[1]))
        if message[1] != 3:
            ledger.receive(message)
    return ledger


def test_all_is_well():
    ledger = Ledger()
    for message in [*boxes(1, 2), ('updates', 1)]:
        ledger.publish(message, 0.0)
        ledger.receive(message)
    ledger.settle({})
    assert ledger.figures()['arrived'] == 3
    assert not ledger.unaccounted and not ledger.out_of_order and not ledger.missing()


def test_what_is_missing_without_a_drop_is_unaccounted_once(ledger):
    ledger.settle({})
    ledger.settle({})
    assert ledger.unaccounted == boxes(3)


def test_a_drop_explains_as_many_as_were_counted(ledger):
    ledger.publish(('boxes', 6), 6.0)
    ledger.settle({'boxes_overflow': 1})
    assert ledger.unaccounted == boxes(6)
    assert ledger.dropped == {'boxes_overflow': 1}


def test_what_is_dropped_after_a_broken_connection_may_have_arrived(ledger):
    ledger.settle({'boxes_cleared': 3})
    assert not ledger.unaccounted
    figures = ledger.figures()
    assert (figures['published'], figures['arrived'], figures['of these arrived before']) == (
        5, 4, 2)


def test_a_drop_of_the_other_kind_explains_nothing(ledger):
    ledger.settle({'updates_overflow': 5})
    assert ledger.unaccounted == boxes(3)


def test_drops_count_once_in_a_life_and_anew_in_the_next(ledger):
    ledger.settle({'boxes_cleared': 1})
    ledger.publish(('boxes', 6), 6.0)
    ledger.settle({'boxes_cleared': 1})
    assert ledger.unaccounted == boxes(6)
    ledger.new_life()
    ledger.publish(('boxes', 7), 7.0)
    ledger.settle({'boxes_cleared': 1})
    assert ledger.unaccounted == boxes(6)
    assert ledger.dropped == {'boxes_cleared': 2}


@pytest.mark.parametrize('at, committed, unaccounted', [
    (3.5, (), []),         # too young to be committed
    (33.0, (), [3]),       # it had all the time of the world
    (3.5, (3,), [3])])     # committed, and yet it never came
def test_a_kill_explains_only_what_was_young_and_not_committed(
        ledger, at, committed, unaccounted):
    ledger.kill(Kill(at, frozenset(boxes(*committed))))
    ledger.settle({})
    assert ledger.unaccounted == boxes(*unaccounted)
    assert sum(ledger.lost_in_kills.values()) == 1 - len(unaccounted)


def test_duplicates_are_counted_and_in_order():
    ledger = Ledger()
    for number in (1, 2, 1, 2, 3):
        ledger.publish(('boxes', number), 0.0)
        ledger.receive(('boxes', number))
    assert ledger.figures()['duplicates'] == 2
    assert not ledger.out_of_order


def test_a_first_arrival_behind_a_later_one_is_out_of_order(ledger):
    ledger.receive(('boxes', 3))
    ledger.receive(('updates', 1))
    assert ledger.out_of_order == boxes(3)


def test_what_has_arrived_since():
    ledger = Ledger()
    ledger.publish(('boxes', 1), 1.0)
    ledger.receive(('boxes', 1))
    ledger.publish(('boxes', 2), 2.0)
    assert ledger.has_received_since(0.5) and not ledger.has_received_since(1.5)
    ledger.receive(('boxes', 2))
    assert ledger.has_received_since(1.5)
