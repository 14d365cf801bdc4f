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
The faults that the bridge must endure, what holds in each, and the cases that inject it.

A test notes a case by its name here (fault_results.py). `make faults` fails when one has no
result, and makes of these the tables in docs/reliability.md. Plain data.
"""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """A fault; the names of its cases are unique over all faults."""

    name: str
    holds: str
    cases: tuple[str, ...]


FAULTS = (
    Fault('orchestrator SIGKILLed mid-batch', 'what it had not handled is sent again', (
        'orchestrator SIGKILLed mid-batch',)),
    Fault('RST', 'all arrive, in order', ('RST', 'RST, TLS')),
    Fault('peer stops reading, idle', 'noticed within `heartbeat_timeout`, cause `silent`', (
        'peer stops reading, idle',)),
    Fault('peer stops reading, saturated',
          'noticed though the write blocks; what it swallowed is sent again', (
              'peer stops reading, saturated', 'peer stops reading, saturated, TLS',
              'only to_server stalls', 'only to_client stalls', 'orchestrator SIGSTOPped')),
    Fault('link throttled to 10 kB/s', 'kept while it makes progress; all arrive', (
        'link throttled to 10 kB/s', '10 kB/s behind deep buffers', '1 to 7 bytes at a time')),
    Fault('200 drops at 0.5 s', 'all arrive, in order', (
        '200 drops, one each 0.5 s', '200 drops, each as soon as it is connected',
        'cut at a random byte')),
    Fault('garbage: not JSON, wrong types, deep nesting, 5,000-digit integers, NaN, duplicate '
          'keys, lone surrogates, bad images',
          'each refused and counted, the connection stays', ('398 bad messages',)),
    Fault('binary', 'ignored and counted, the connection stays', (
        'flood of pings, pongs, binary frames',)),
    Fault('invalid UTF-8', 'the connection is ended, cause `protocol`, and made again', (
        'invalid UTF-8',)),
    Fault('oversize',
          'the connection is ended, cause `protocol`, and made again; memory is bounded', (
              'frame of more than 41 MiB', 'frame of 2**63 bytes',
              'fragments of more than 41 MiB', 'compression bomb of 256 MiB')),
    Fault("outgoing message over the server's limit",
          'given up after two attempts, counted `updates_refused_by_peer`; all others arrive', (
              'message over the 10 MiB of the orchestrator',
              'feature map of 400 kB among boxes')),
    Fault('self-signed certificate', 'refused, cause `tls`, no application byte is sent', (
        'self-signed certificate', 'certificate of an unknown authority')),
    Fault('expired certificate', 'refused, cause `tls`, no application byte is sent', (
        'expired certificate',)),
    Fault('wrong-host certificate', 'refused, cause `tls`, no application byte is sent', (
        'certificate of another host',)),
    Fault('401, 403, 404 after registration', 'tried again until the server takes it', (
        'HTTP 401 after having been registered', 'HTTP 403 after having been registered',
        'HTTP 404 after having been registered')),
    Fault('expired token after registration',
          'cause `rejected_token`; the file is read again, and the new one shown', (
              'token expired after the registration',)),
    Fault('503 with Retry-After', 'waits as asked', ('503 with Retry-After: 2',)),
    Fault('redirect to another origin', 'not followed: no second connection', (
        'redirect to another origin',)),
    Fault('name that does not resolve', 'tried again, cause `dns`', ('resolver: fail',)),
    Fault('resolver that stalls', 'timed out, tried again; ROS is not held up', (
        'resolver: stall',)),
    Fault('spool: page limit reached', 'ERROR in diagnostics, goes on in memory, heals; 0 lost', (
        'spool: page limit reached', 'spool: disk full')),
    Fault('spool: read-only', 'ERROR in diagnostics, goes on in memory, heals; 0 lost', (
        'spool: read-only',)),
    Fault('spool: bytes flipped',
          'put aside and reported; all arrive but the messages that were hit', (
              'spool: bytes flipped while it runs', 'spool: one byte flipped between two lives',
              'spool: 20 bytes flipped between two lives')),
    Fault('spool: WAL cut', 'all transactions before the cut arrive', ('spool: WAL cut',)),
    Fault('spool: second opener', 'refused by name with exit code 2; the first is not disturbed', (
        'spool: second opener',)),
    Fault('SIGTERM with a stalled link',
          'exit code 0 within 5 s; what could not be sent is counted `boxes_shut_down`', (
              'SIGTERM with a stalled link', 'SIGINT with a stalled link')),
    Fault('bridge SIGKILLed 100 times at random', 'every committed row arrives, in order', (
        'link, buffer and spool SIGKILLed 100 times', 'whole bridge SIGKILLed 6 times')),
    Fault('wall clock moved by a day, forward', 'no reconnect, nothing too old, 0 lost', (
        'wall clock a day forward and back',)),
    Fault('wall clock moved by a day, backward', 'no reconnect, nothing too old, 0 lost', (
        'wall clock a day backward and forth',)),
    Fault('publisher ten times faster than the link',
          'the buffer is inside its bounds; what does not fit is counted', (
              'publisher ten times faster than the link',)),
    Fault('two bridges with one id', 'no reconnects; both are heard; commands reach one of them', (
        'two bridges with one id', 'two bridges with one id, the older connection ends')),
    Fault('orchestrator restarted, object ids from 1', 'a new session number', (
        'orchestrator restarted, object ids from 1',)),
    Fault('orchestrator restarted, ids given out again while feature maps are buffered',
          'no feature map reaches the new objects, each is counted; all boxes arrive', (
              'ids given out again, feature maps in memory',
              'ids given out again, feature maps in a spool')),
)

# Of no list but our own.
MORE = (
    Fault('none, for comparison', 'all arrive, none repeated', ('none, for comparison',)),
    Fault('nobody there', 'tried again', (
        'connects, but is never accepted', 'connection refused')),
    Fault('server that does not upgrade', 'left after `open_timeout` at the latest', (
        'accepted but never upgraded', 'half an HTTP response',
        'a byte of the HTTP response at a time', 'a header of a MiB', 'headers without end',
        'another protocol', 'upgrade with a wrong key', 'upgraded, then silent')),
    Fault('server that breaks the protocol', 'left, and tried again', (
        'close frames with odd codes', 'close frames with usual codes', 'reserved opcodes',
        'reserved bits', 'frame that is masked', 'broken control frames',
        'fragments out of order', 'empty fragments without end')),
    Fault('other HTTP errors', 'tried again until the server takes it', (
        'HTTP 400 after having been registered', 'HTTP 429 after having been registered',
        'HTTP 500 after having been registered', 'HTTP 503 after having been registered')),
)

CASES = tuple(case for fault in FAULTS + MORE for case in fault.cases)
