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

"""Who may use the operator's page: names of the host, and origins."""

from camera_ws_bridge.sim.page.guard import Guard
import pytest


@pytest.mark.parametrize('host', [
    'localhost', 'localhost:8080', 'LOCALHOST:1', '127.0.0.1:8080', '10.1.2.3', '[::1]:8080',
    '[fe80::1]', 'sim.localhost:8080', 'gate-1:8080', 'Gate-1'])
def test_a_name_of_this_host_is_served(host):
    assert Guard(['gate-1']).refusal_of_host(host) is None


@pytest.mark.parametrize('host', [
    'evil.example', 'evil.example:8080', 'localhost.evil.example', '127.0.0.1.evil.example',
    '1.2.3.4.5', '999.1.1.1', '[::1].evil.example'])
def test_another_name_is_refused_and_it_is_said_what_would_help(host):
    refusal = Guard(['gate-1']).refusal_of_host(host)
    assert refusal is not None
    if not host.startswith('['):
        name = host.partition(':')[0]
        assert refusal == (
            f'{name} is not known as a name of this host: --allow-host {name} makes it one')


@pytest.mark.parametrize('host', [
    '', ':8080', 'a b', 'localhost; script-src *', 'localhost:port', 'localhost:123456',
    'user@localhost', 'localhost/x', 'localhost\n'])
def test_what_is_no_name_is_refused(host):
    assert Guard().refusal_of_host(host) == 'the header Host is not NAME or NAME:PORT'


def test_a_name_can_be_allowed():
    guard = Guard()
    assert guard.refusal_of_host('Orchestrator:8080') is not None
    guard.allow('ORCHESTRATOR')
    assert guard.refusal_of_host('Orchestrator:8080') is None


def test_what_is_no_browser_may_give_orders():
    assert Guard().refusal('whatever:1', None, 'http') is None


@pytest.mark.parametrize('scheme', ['http', 'https'])
def test_the_own_page_may_give_orders(scheme):
    assert Guard().refusal('localhost:8080', f'{scheme}://LOCALHOST:8080', scheme) is None


@pytest.mark.parametrize('origin', [
    'null', '', 'http://localhost:8081', 'https://localhost:8080', 'http://evil.example',
    'http://localhost', 'http://localhost:8080.evil.example', 'file://'])
def test_a_page_of_another_origin_may_not(origin):
    assert Guard().refusal('localhost:8080', origin, 'http') == (
        'the request comes from a page of another origin')


def test_a_strangers_name_that_leads_here_is_not_the_own_page():
    refusal = Guard().refusal('evil.example:8080', 'http://evil.example:8080', 'http')
    assert refusal is not None and refusal.startswith('evil.example is not known')
