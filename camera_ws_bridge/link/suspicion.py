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
Whether a peer's silence is suspect, long before its timeout: by what the kernel knows of it.

Who is suspect is asked by new connections, and left only if those are answered at once, one after
the other, while the old one stays silent. On a link that loses packets a connection may well be
silent for seconds while others have more luck: there it takes more answers. On a slow one the
kernel itself may wait for seconds until it sends again what got lost in a queue: that is left to
it, unless the new connections tell that the link is slow no more.
"""

from __future__ import annotations

from typing import Protocol

QUIET = 1.25  # seconds; the kernel's own probes of an idle connection come every second
NEAR = 0.2  # seconds; round trips of a link on which so little time says something
UNANSWERED = 2  # probes of the kernel, or tries to send the same again
CALM = 2.0  # seconds without a loss after which a link is trusted
PROOFS = 3  # that the server is there, one after the other, where packets have been lost
MOMENT = 0.3  # seconds without an answer, while the kernel does not send either
TRIES = 1 + 2 + 4  # retransmission timeouts until the kernel has sent the same again three times
FREE = 0.005  # seconds by which eight handshakes made together differ on 800 kbit/s


class Silence(Protocol):
    """What the kernel knows of it."""

    @property
    def lasts(self) -> float:
        """Return the seconds since anything came from the peer's kernel."""

    @property
    def since_sent(self) -> float:
        """Return the seconds since data was sent, for the first time or again."""

    @property
    def unanswered(self) -> int:
        """Return how often the same data, or a probe, was sent in vain."""

    @property
    def unacknowledged(self) -> bool:
        """Tell whether any data is."""

    @property
    def resent(self) -> int:
        """Return how many packets were sent again since the connection was opened."""

    @property
    def round_trip_time(self) -> float:
        """Return it in seconds, the least of late."""

    @property
    def retransmission_timeout(self) -> float:
        """Return the seconds after which the kernel sends again what is not acknowledged."""


def is_suspect(silence: Silence | None) -> bool:
    """Tell whether a peer that used to answer at once should have done so; None: unknown."""
    if silence is None or silence.round_trip_time > NEAR:
        return False
    lasts = silence.lasts - silence.round_trip_time
    return (lasts > MOMENT and _waits(silence)) or (
        # After losses the kernel may take seconds until it sends data again.
        lasts > QUIET and (silence.unacknowledged or silence.unanswered >= UNANSWERED))


def _waits(silence: Silence) -> bool:
    """Tell whether the kernel takes long to send again what got lost, for the link was slow."""
    return silence.unacknowledged and not silence.unanswered and silence.since_sent > QUIET


class Suspicion:
    """What is thought of one connection; times are seconds of a monotonic clock."""

    def __init__(self, now: float) -> None:
        """Trust it CALM from now on."""
        self._calm_since = now
        self._heard_at = now
        self._lost_at = float('inf')  # when a loss was seen after which nothing has come yet
        self._resent = 0
        self.proofs = 0  # in a row

    def look(self, silence: Silence | None, now: float) -> bool:
        """Tell whether the peer is suspect now. To be called several times a second."""
        if silence is None:
            return False
        self._heard_at = now - silence.lasts
        if self._heard_at > self._lost_at:  # it was a loss, not the end
            self._calm_since, self._lost_at = self._heard_at, float('inf')
        if silence.resent > self._resent or silence.unanswered >= UNANSWERED:
            self._resent = silence.resent
            self._lost_at = min(self._lost_at, now)
        return is_suspect(silence)

    def weigh(self, differ: float | None, silence: Silence | None) -> bool:
        """
        Tell whether it is to be left, since the server has answered new connections.

        differ: by how many seconds those that were made together differ; None: it has not.
        """
        if differ is None or silence is None or not is_suspect(silence):
            self.proofs = 0
            return False
        # On a slow link what is sent again may well get lost as well.
        if differ >= FREE and silence.lasts <= TRIES * silence.retransmission_timeout:
            self.proofs = 0
            return False
        self.proofs += 1
        if self.proofs < (1 if self._heard_at - self._calm_since >= CALM else PROOFS):
            return False
        self.proofs = 0
        return True
