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

"""Each error says in one line what is wrong, and keeps the parts for those who count."""

import errno

from camera_ws_bridge.errors import (
    as_fault, BridgeError, CdrError, ConfigurationError, DecodeError, EncodeError, exhausted,
    LinkFault, MessageError)
import pytest


@pytest.mark.parametrize('kind', [MessageError, DecodeError, EncodeError])
def test_message_errors_name_field_and_reason(kind):
    error = kind('stop.objectId', 'missing')
    assert str(error) == 'stop.objectId: missing'
    assert (error.field, error.reason, error.cause) == (
        'stop.objectId', 'missing', 'invalid_field')


def test_a_message_error_of_the_message_as_a_whole_names_no_field():
    error = DecodeError('', 'not JSON', 'malformed')
    assert str(error) == 'not JSON'
    assert (error.field, error.reason, error.cause) == ('', 'not JSON', 'malformed')


def test_a_configuration_error_names_the_parameter():
    error = ConfigurationError('camera_id', 'is empty')
    assert str(error) == 'parameter camera_id: is empty'
    assert (error.parameter, error.reason) == ('camera_id', 'is empty')


def test_a_link_fault_may_be_tried_again_and_has_reached_a_server_unless_it_says_otherwise():
    fault = LinkFault('refused', 'connection refused')
    assert str(fault) == fault.reason == 'connection refused'
    assert (fault.cause, fault.fatal, fault.reached) == ('refused', False, True)
    fault = LinkFault('bad_url', 'no such path', fatal=True, reached=False)
    assert (fault.fatal, fault.reached) == (True, False)


@pytest.mark.parametrize('error', [
    DecodeError('', ''), EncodeError('', ''), ConfigurationError('', ''), LinkFault('', '')])
def test_all_are_bridge_errors(error):
    assert isinstance(error, BridgeError)


def test_bytes_from_ros_that_are_not_their_type_count_as_malformed():
    error = CdrError('boxes', 'is cut off')
    assert error.cause == 'malformed'
    assert 'boxes' in str(error) and 'is cut off' in str(error)


@pytest.mark.parametrize('error, cause', [
    (MemoryError(), 'memory'), (OSError(errno.ENOMEM, 'x'), 'memory'),
    (OSError(errno.EMFILE, 'x'), 'descriptors'), (OSError(errno.ENFILE, 'x'), 'descriptors'),
    (RuntimeError("can't start new thread"), 'threads')])
def test_what_has_run_out_is_no_bug(error, cause):
    for fault in (exhausted(error), as_fault(error)):
        assert (fault.cause, fault.fatal, fault.reached) == (cause, False, False)
    assert {'memory': 'memory', 'descriptors': 'ulimit -n', 'threads': 'ulimit -u'}[
        cause] in fault.reason


@pytest.mark.parametrize('error', [None, OSError(errno.EPERM, 'x'), KeyError('oops')])
def test_other_errors_have_nothing_to_do_with_it(error):
    assert exhausted(error) is None
    assert as_fault(error).cause == 'internal'


def test_a_fault_is_one():
    fault = LinkFault('refused', 'nothing listens there')
    assert as_fault(fault) is fault
