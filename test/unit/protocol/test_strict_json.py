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

"""Text that is one JSON object, or is refused; the same text by either library."""

import importlib.util
import json
import math
import sys
import time

from camera_ws_bridge.errors import DecodeError, EncodeError
from camera_ws_bridge.protocol import strict_json
import pytest
from rigs.codec_rig import exact, HUGE, LIBRARIES, library

OBJECTS = [
    {}, {'a': [1, 0.5, None, True, 'text', {}, []]}, {'': {'nested': [[[]]]}},
    {'a': -0.0, 'b': 5e-324, 'c': 2**63 - 1, 'd': -2**63, 'e': 2**63}, {'a': '\x00\u00e4\u2028'}]


def test_any_object_there_and_back():
    for value in OBJECTS:
        text = strict_json.dumps(value)
        assert type(text) is str
        assert exact(strict_json.loads(text)) == exact(value)
        assert exact(strict_json.loads(text.encode())) == exact(value)


def test_both_libraries_write_the_same_values():
    for value in OBJECTS:
        for name in LIBRARIES:
            with library(name):
                data = strict_json.write(value)
                assert type(data) is bytes, name
                assert exact(strict_json.loads(data)) == exact(value), name


def test_the_writer_is_named():
    assert strict_json.WRITER == (
        'orjson' if importlib.util.find_spec('orjson') else 'standard library')


def test_without_orjson_the_module_uses_the_standard_library(monkeypatch):
    monkeypatch.setitem(sys.modules, 'orjson', None)
    spec = importlib.util.find_spec(strict_json.__name__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.orjson is None
    assert module.WRITER == 'standard library'
    assert module.write({'a': 0.5}) == b'{"a":0.5}'


def test_text_is_quoted():
    for text in '', '\0', '"\\\n', '\u00e4\u20ac\U0001f600', '\u2028':
        assert json.loads(strict_json.quoted(text)) == text


def test_what_json_cannot_hold():
    endless = {}
    endless['a'] = endless
    for value in (
            math.nan, math.inf, -math.inf, [math.nan], {'b': math.inf}, '\ud800', b'bytes', {1},
            object(), HUGE, endless):
        with pytest.raises(EncodeError) as caught:
            strict_json.dumps({'a': value})
        assert caught.value.field == ''
        assert len(str(caught.value)) <= 300


def test_bytes_that_are_not_utf8():
    for data in (
            b'\xff', b'{"type":"stop\xff"}', '{"type":"stop"}'.encode('utf-16'),
            b'{"type":"stop","objectId":7,"x":"\xed\xa0\x80"}', b'"\xc0\x80"'):
        with pytest.raises(DecodeError, match='^not UTF-8 text$') as caught:
            strict_json.loads(data)
        assert (caught.value.field, caught.value.cause) == ('', 'malformed'), data


def test_what_is_not_one_object():
    for text, reason in (
            ('{', 'not JSON (Expecting property name enclosed in double quotes: line 1 column 2 '
             '(char 1))'), ('[' * 100000, 'nested too deeply'),
            ('[]', 'a JSON array instead of an object'), ('5', 'a JSON number instead of an obj'),
            ('{"a": 1, "a": 2}', "key 'a' stands twice in one object")):
        with pytest.raises(DecodeError) as caught:
            strict_json.loads(text)
        assert str(caught.value).startswith(reason)
        assert caught.value.cause == 'malformed'


def test_numbers_that_no_field_can_hold_are_of_a_type_of_their_own():
    for digits in 'NaN', '-Infinity', '1e999', '9' * 21, '-' + '9' * 5000:
        value = strict_json.loads('{"value": %s}' % digits)['value']
        assert isinstance(value, strict_json.fields.Unrepresentable), digits[:30]


def test_a_key_that_stands_twice_is_found_at_once_among_many():
    many = ','.join(f'"k{number}":0' for number in range(15000))
    for text in '{' + many + ',"twice":0,"twice":0}', '{"twice":0,' + many + ',"twice":0}':
        began = time.process_time()  # a busy machine does not count
        with pytest.raises(DecodeError, match="^key 'twice' stands twice in one object$"):
            strict_json.loads(text)
        assert time.process_time() - began < 1.0
