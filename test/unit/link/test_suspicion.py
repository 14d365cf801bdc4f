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

"""Which silence is suspect, and on which links."""

from dataclasses import dataclass, replace

from camera_ws_bridge.link.suspicion import CALM, FREE, is_suspect, PROOFS, Suspicion
import pytest


@dataclass
class Silence:
    """What the kernel may know."""

    lasts: float
    unanswered: int = 0
    round_trip_time: float = 0.001
    resent: int = 0
    unacknowledged: bool = False
    since_sent: float = 0.0
    retransmission_timeout: float = 0.2


@pytest.mark.parametrize('lasts, unanswered, round_trip_time, suspect', [
    (1.5, 2, 0.001, True),     # retransmitted after 0.2 and 0.6 s, and nothing came back
    (10.0, 5, 0.19, True),
    (1.2, 2, 0.001, False),    # a little more patience
    (1.5, 1, 0.001, False),    # one packet may get lost
    (100.0, 0, 0.001, False),  # nothing was asked
    (1.4, 2, 0.19, False),     # an answer takes its time
    (9.0, 3, 2.0, False),      # a satellite
    (9.0, 3, 0.21, False),
])
def test_what_is_suspect(lasts, unanswered, round_trip_time, suspect):
    assert is_suspect(Silence(lasts, unanswered, round_trip_time)) is suspect


def test_data_without_an_answer_is_suspect_though_the_kernel_waits_to_send_it_again():
    assert is_suspect(Silence(1.5, 0, unacknowledged=True))
    assert not is_suspect(Silence(1.2, 0, unacknowledged=True))
    assert not is_suspect(Silence(9.0, 0, 0.21, unacknowledged=True))


@pytest.mark.parametrize('lasts, unanswered, since_sent, suspect', [
    (0.4, 0, 1.3, True),   # it has much to send, and does not
    (0.2, 0, 9.0, False),  # a moment ago an answer came
    (0.4, 1, 1.3, False),  # it has sent it again, and will do so soon
    (0.4, 0, 1.2, False),
])
def test_while_the_kernel_sends_nothing_a_moment_is_enough(
        lasts, unanswered, since_sent, suspect):
    silence = Silence(lasts, unanswered, unacknowledged=True, since_sent=since_sent)
    assert is_suspect(silence) is suspect
    assert not is_suspect(replace(silence, unacknowledged=False))
    assert not is_suspect(replace(silence, round_trip_time=0.21))
    assert not is_suspect(replace(silence, lasts=silence.round_trip_time + 0.2))


def test_where_the_kernel_does_not_tell_nobody_is_suspect():
    assert not is_suspect(None)
    suspicion = Suspicion(0.0)
    assert not suspicion.look(None, 100.0)
    assert not suspicion.weigh(0.0, None)


def watched(*looks):
    """Return what is thought after these looks: time and silence; and the proofs it takes."""
    suspicion = Suspicion(0.0)
    results = [suspicion.look(silence, now) for now, silence in looks]
    return results[-1], proofs(suspicion, looks[-1][1])


def proofs(suspicion, silence, differ=0.0, most=10):
    """Return how many it takes; None: so many are not enough."""
    return next((count for count in range(1, most) if suspicion.weigh(differ, silence)), None)


def test_a_good_connection_that_falls_silent():
    assert watched(
        (3.0, Silence(0.02)), (3.25, Silence(0.2, 0, resent=1)), (3.5, Silence(0.45, 1, resent=2)),
        (4.0, Silence(0.95, 2, resent=3)), (4.5, Silence(1.45, 3, resent=4))) == (True, 1)


def test_one_that_was_silent_from_the_first():
    looks = [(at, Silence(at, 3, resent=4)) for at in (1.0, 2.0, 3.0, 8.0)]
    assert watched(*looks) == (True, PROOFS)


def test_one_that_loses_packets_takes_more_proofs():
    assert watched(
        (3.0, Silence(0.02)), (3.25, Silence(0.02, 0, resent=1)),
        (3.5, Silence(0.02, 0, resent=1)),
        (5.0, Silence(1.5, 3, resent=4))) == (True, PROOFS)


def test_losses_are_forgotten_after_a_calm():
    assert watched(
        (3.0, Silence(0.02, 0, resent=7)), (3.5, Silence(0.02, 0, resent=7)),
        (3.5 + CALM, Silence(0.02, 0, resent=7)),
        (5.0 + CALM, Silence(1.5, 3, resent=9))) == (True, 1)


def test_probes_of_an_idle_connection_that_get_lost_are_losses_too():
    assert watched(
        (3.0, Silence(0.5)), (4.0, Silence(1.5, 1)), (5.0, Silence(2.5, 2)), (6.0, Silence(0.1)),
        (6.5, Silence(0.6)), (8.0, Silence(2.1, 2))) == (True, PROOFS)


def test_a_probe_that_is_on_its_way_is_no_loss():
    assert watched(
        (3.0, Silence(1.01, 1, 0.1)), (3.25, Silence(0.1, 0, 0.1)), (4.2, Silence(1.05, 1, 0.1)),
        (4.5, Silence(0.2, 0, 0.1)), (6.6, Silence(2.3, 2, 0.1))) == (True, 1)


def test_an_answer_that_fails_or_comes_too_late_begins_the_row_anew():
    silence = Silence(1.5, 2)
    for differ, then in ((None, silence), (0.0, Silence(0.1))):
        suspicion = Suspicion(0.0)
        suspicion.look(silence, 1.5)
        assert [suspicion.weigh(0.0, silence) for _ in range(PROOFS - 1)] == [False, False]
        assert not suspicion.weigh(differ, then)
        assert proofs(suspicion, silence) == PROOFS


# ---- what got lost in a queue, after which the kernel takes seconds

BEHIND = Silence(1.4, 0, unacknowledged=True, since_sent=1.4, retransmission_timeout=4.0)


def behind():
    """Return what is thought of a connection that has lost something not long ago."""
    suspicion = Suspicion(0.0)
    suspicion.look(BEHIND, 1.5)
    return suspicion


def test_on_a_slow_link_it_is_left_to_the_kernel():
    assert proofs(behind(), BEHIND, differ=FREE) is None
    assert proofs(behind(), replace(BEHIND, lasts=27.9), differ=FREE) is None
    assert proofs(behind(), replace(BEHIND, unanswered=1), differ=FREE) is None


def test_unless_it_has_sent_it_again_three_times():
    assert proofs(behind(), replace(BEHIND, lasts=28.1, unanswered=3), differ=FREE) == PROOFS
    jitter = Silence(1.8, 3, retransmission_timeout=0.25)
    assert proofs(behind(), jitter, differ=0.03) == PROOFS


def test_unless_the_link_is_slow_no_more():
    assert proofs(behind(), BEHIND) == PROOFS
