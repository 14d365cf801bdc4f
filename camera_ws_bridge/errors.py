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

"""Every error that this package raises on purpose."""

from __future__ import annotations

import errno


class BridgeError(Exception):
    """Base of all errors of this package."""


class MessageError(BridgeError):
    """
    A message that cannot be passed on.

    `field` names the place in dotted wire names, e.g. 'boundingBoxes.boxes[3].rect' (empty: the
    message as a whole), `reason` says what is wrong with it, `cause` is the short stable name
    under which it is counted.
    """

    def __init__(self, field: str, reason: str, cause: str = 'invalid_field') -> None:
        super().__init__(f'{field}: {reason}' if field else reason)
        self.field = field
        self.reason = reason
        self.cause = cause


class DecodeError(MessageError):
    """Text from the wire that is not a message of the protocol."""


class EncodeError(MessageError):
    """A message that the protocol cannot carry, e.g. one with NaN in it."""


class CdrError(MessageError):
    """Bytes from ROS that are not a message of their type; `field` is in the names of ROS."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason, 'malformed')


class ConfigurationError(BridgeError):
    """A parameter that can never work; the text says what to correct."""

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(f'parameter {parameter}: {reason}')
        self.parameter = parameter
        self.reason = reason


class LinkFault(BridgeError):
    """
    Why there is no connection to the orchestrator.

    `cause` is the short stable name under which it is shown and counted, e.g. 'refused'; `fatal`:
    trying again cannot help; `reached`: a server answered the attempt, so that hurrying back would
    cost it something; `retry_after`: seconds that the server has asked to wait at least; `code`:
    that of the WebSocket close (1005: the peer gave none; 0: there was no close).
    """

    def __init__(
            self, cause: str, reason: str, *, fatal: bool = False, reached: bool = True,
            retry_after: float = 0.0, code: int = 0) -> None:
        super().__init__(reason)
        self.cause = cause
        self.reason = reason
        self.fatal = fatal
        self.reached = reached
        self.retry_after = retry_after
        self.code = code


def exhausted(error: BaseException | None) -> LinkFault | None:
    """Return the fault, if this process or machine has run out of something; else None."""
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return LinkFault('descriptors', 'this process may open no more files: raise ulimit -n '
                         '(LimitNOFILE in systemd)', reached=False)
    if isinstance(error, MemoryError) or (
            isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return LinkFault('memory', 'there is no memory left for it', reached=False)
    if isinstance(error, RuntimeError) and 'start new thread' in str(error):  # as Python says it
        return LinkFault('threads', 'this process may start no more threads: raise ulimit -u '
                         '(TasksMax in systemd, the pids limit of a container)', reached=False)
    return None


def as_fault(error: BaseException | None) -> LinkFault:
    """Return the error if it is a fault of the link; else the fault that it amounts to."""
    if isinstance(error, LinkFault):
        return error
    # A bug of ours must not end a bridge that nobody looks after: it costs a reconnect.
    return exhausted(error) or LinkFault('internal', f'{type(error).__name__}: {error}')
