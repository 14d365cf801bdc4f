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

"""What a bridge's health is: the worst of its link, its buffer and its spool."""

from camera_ws_bridge.outputs.health import (
    DROPS_REMEMBERED, Figures, Health, Level, UNREGISTERED_IS_ERROR_AFTER)

REGISTERED = {'active': True, 'registered': True}
UNREGISTERED = {'active': True, 'registered': False}


def test_a_registered_camera_is_well():
    assert Health(0.0).judge(Figures(**REGISTERED), 1.0) == (Level.OK, 'registered')


def test_a_short_outage_is_a_warning_and_a_long_one_an_error():
    health = Health(0.0)
    figures = Figures(**UNREGISTERED, cause='refused: nothing listens there')
    text = 'not registered (refused: nothing listens there)'
    assert health.judge(figures, UNREGISTERED_IS_ERROR_AFTER) == (Level.WARN, text)
    assert health.judge(figures, UNREGISTERED_IS_ERROR_AFTER + 0.1) == (Level.ERROR, text)
    assert health.judge(Figures(**REGISTERED), 100.0)[0] == Level.OK
    assert health.judge(figures, 1000.0)[0] == Level.WARN, 'the next outage begins'
    assert health.judge(figures, 1031.0)[0] == Level.ERROR


def test_the_first_attempt_says_so():
    assert Health(0.0).judge(Figures(**UNREGISTERED), 1.0) == (
        Level.WARN, 'not registered (first attempt)')


def test_a_node_that_is_not_active_is_well_if_that_was_wanted():
    health = Health(0.0)
    figures = Figures(active=False, registered=False, lifecycle='inactive')
    assert health.judge(figures, 1000.0) == (Level.OK, 'inactive')
    assert health.judge(Figures(**UNREGISTERED), 2000.0)[0] == Level.WARN, 'just activated'


def test_a_node_that_has_given_up_is_an_error():
    figures = Figures(active=False, registered=False, lifecycle='inactive', fault='refused: no')
    assert Health(0.0).judge(figures, 1.0) == (Level.ERROR, 'inactive (refused: no)')


def test_a_buffer_that_is_nearly_full_is_a_warning():
    health = Health(0.0)
    assert health.judge(Figures(**REGISTERED, fill=0.8), 1.0)[0] == Level.OK
    assert health.judge(Figures(**REGISTERED, fill=0.81), 1.0) == (
        Level.WARN, 'registered; the buffer is 81 % full')


def test_drops_are_a_warning_for_a_minute():
    health = Health(0.0)
    assert health.judge(Figures(**REGISTERED, dropped=3), 100.0) == (
        Level.WARN, 'registered; messages were dropped in the last minute')
    assert health.judge(Figures(**REGISTERED, dropped=3), 99.0 + DROPS_REMEMBERED)[0] == Level.WARN
    assert health.judge(Figures(**REGISTERED, dropped=3), 100.0 + DROPS_REMEMBERED)[0] == Level.OK
    assert health.judge(Figures(**REGISTERED, dropped=4), 300.0)[0] == Level.WARN


def test_a_bridge_that_begins_to_count_anew_has_dropped_nothing():
    health = Health(0.0)
    assert health.judge(Figures(**REGISTERED, dropped=3), 100.0)[0] == Level.WARN
    assert health.judge(Figures(active=False, registered=False), 1000.0)[0] == Level.OK
    assert health.judge(Figures(**REGISTERED, dropped=1), 2000.0)[0] == Level.WARN


def test_objects_without_room_are_a_warning():
    assert Health(0.0).judge(Figures(**REGISTERED, untold=3), 1.0) == (
        Level.WARN, 'registered; 3 more objects are tracked than are told of: stop those that '
        'nobody looks for')


def test_the_worst_counts_and_all_is_said():
    level, text = Health(0.0).judge(Figures(
        **UNREGISTERED, cause='lost', fill=1.0, dropped=1,
        spool_problem='degraded: the disk is full'), 1.0)
    assert level == Level.ERROR
    assert text == ('not registered (lost); the buffer is 100 % full; messages were dropped in '
                    'the last minute; spool degraded: the disk is full')
