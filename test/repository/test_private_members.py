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
"""Private members of libraries: as few as can be, all of them told to whoever upgrades."""

import ast
from asyncio import selector_events, sslproto
from http.client import HTTPConnection
import re

import pytest
from rclpy.impl.implementation_singleton import rclpy_implementation as rclpy
from rclpy.lifecycle import LifecycleNodeMixin
from rigs.own_files import ROOT
from tornado import websocket

PACKAGE = ROOT / 'camera_ws_bridge'
PUBLIC = {'_exit', '_replace'}  # os's and namedtuple's, which are public


def members(tree):
    """Return the names of all attributes that are used in a file, and of those it makes."""
    used, made = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            made.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            made.add(node.id)
        elif isinstance(node, ast.Attribute):
            (made if isinstance(node.ctx, ast.Store) else used).add(node.attr)
        elif isinstance(node, ast.Call) and getattr(node.func, 'id', '') in (
                'getattr', 'hasattr', 'setattr') and isinstance(node.args[1], ast.Constant):
            used.add(node.args[1].value)
    return used, made


def of_libraries():
    """Return the private members that no file of the package makes, each with its file."""
    files = {path: members(ast.parse(path.read_text(encoding='utf-8')))
             for path in PACKAGE.rglob('*.py')}
    ours = set().union(*(made for _, made in files.values()), PUBLIC)
    return {(str(path.relative_to(PACKAGE)), name) for path, (used, _) in files.items()
            for name in used - ours if re.match('_[^_]', name)}


def test_the_architecture_lists_all_of_them():
    text = (ROOT / 'docs/architecture.md').read_text(encoding='utf-8')
    section = text.partition('## Before an upgrade')[2].partition('\n## ')[0]
    listed = {(file, name) for name, file in re.findall(
        r'^\| [^|]* \| `(\w+)`[^|]* \| `([\w/.]+)` \|', section, re.MULTILINE)}
    # One that takes a method's place is not used by its name alone.
    assert of_libraries() | {('sim/orchestrator/peers.py', '_handle_message')} == listed


@pytest.mark.parametrize('where, name', [
    (sslproto._SSLProtocolTransport, '_ssl_protocol'), (sslproto.SSLProtocol, '_transport'),
    (LifecycleNodeMixin, '_service_change_state'), (HTTPConnection, 'sock')])
def test_an_instance_has_them(where, name):
    assert name in where.__init__.__code__.co_names


@pytest.mark.parametrize('where, name', [
    *((rclpy.WaitSet, name) for name in (
        'clear_entities', 'get_ready_entities', 'wait', 'add_subscription', 'add_timer',
        'add_service', 'add_client', 'add_guard_condition')),
    *((kind, 'pointer') for kind in (
        rclpy.Subscription, rclpy.Timer, rclpy.Service, rclpy.Client, rclpy.GuardCondition)),
    (rclpy.Subscription, 'take_message'), (rclpy.Timer, 'call_timer'),
    (rclpy.Timer, 'is_timer_ready'), (rclpy.Service, 'service_take_request'),
    (rclpy.Client, 'take_response'),
    (selector_events._SelectorSocketTransport, 'max_size'),
    (websocket.WebSocketProtocol13, '_handle_message')])
def test_a_class_has_them(where, name):
    assert hasattr(where, name)
