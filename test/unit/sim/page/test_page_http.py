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

"""The operator's page as a browser gets it, and who may give orders."""

import html.parser
import importlib.resources
import re

from camera_ws_bridge.protocol import strict_json
import pytest
from rigs import sim_rig as rigs
from rigs.shared import run, until
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

STATIC = importlib.resources.files('camera_ws_bridge.sim.page') / 'static'
FILES = sorted(path.name for path in STATIC.iterdir())


async def get(sim, path='/', **headers):
    return await AsyncHTTPClient().fetch(
        HTTPRequest(f'http://127.0.0.1:{sim.port}{path}', headers=headers), raise_error=False)


async def order(sim, fields, **headers):
    return await AsyncHTTPClient().fetch(HTTPRequest(
        f'http://127.0.0.1:{sim.port}/control', method='POST', body=strict_json.dumps(fields),
        headers=headers), raise_error=False)


class References(html.parser.HTMLParser):
    """Collects what a page refers to, and what its policy would not let run."""

    def __init__(self, text):
        super().__init__()
        self.files, self.inline = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ('src', 'href') and not value.startswith('#'):
                self.files.add(value)
            if name == 'style' or name.startswith('on'):
                self.inline.append((tag, name))
        if tag == 'style' or (tag == 'script' and 'src' not in dict(attributes)):
            self.inline.append((tag, ''))


def test_the_page_and_all_its_files_are_served_with_strict_headers():
    async def test():
        async with rigs.serving() as sim:
            page = await get(sim)
            assert page.headers['Content-Type'] == 'text/html; charset=utf-8'
            assert "script-src 'self'; " in page.headers['Content-Security-Policy']
            assert "default-src 'none'" in page.headers['Content-Security-Policy']
            answers = [page]
            for name in FILES:
                answer = await get(sim, f'/page/{name}')
                assert answer.code == 200 and answer.body == (STATIC / name).read_bytes()
                answers.append(answer)
                kind = answer.headers['Content-Type']
                assert {'js': 'text/javascript', 'css': 'text/css', 'html': 'text/html',
                        'svg': 'image/svg+xml'}[name.rpartition('.')[2]] in kind
            for answer in answers:
                assert answer.headers['X-Content-Type-Options'] == 'nosniff'
                assert answer.headers['X-Frame-Options'] == 'DENY'
                assert answer.headers['Referrer-Policy'] == 'no-referrer'
    run(test())


def test_what_the_page_refers_to_is_there_and_nothing_is_inline():
    found = References((STATIC / 'index.html').read_text())
    assert found.inline == []
    assert {name.removeprefix('/page/') for name in found.files} <= {*FILES}
    imported = {name for path in STATIC.iterdir() if path.name.endswith('.js')
                for name in re.findall(r"from '\./([a-z]+\.js)'", path.read_text())}
    assert imported | {'main.js'} == {name for name in FILES if name.endswith('.js')}


@pytest.mark.parametrize('path', ['/page/', '/page/no.js', '/page/../guard.py', '/page/%2e%2e/x'])
def test_other_paths_are_not_found(path):
    async def test():
        async with rigs.serving() as sim:
            assert (await get(sim, path)).code == 404
    run(test())


def test_a_strangers_name_gets_words_instead_of_the_page():
    async def test():
        async with rigs.serving() as sim:
            answer = await get(sim, Host='evil.example')
            assert answer.code == 403 and b'--allow-host evil.example' in answer.body
            sim.page.guard.allow('evil.example')
            assert (await get(sim, Host='evil.example')).code == 200
    run(test())


def test_the_policy_names_the_origins_of_pictures_and_so_does_the_page():
    async def test():
        async with rigs.serving() as sim:
            before = await get(sim)
            assert b'data-origins=""' in before.body
            assert (await order(sim, {
                'do': 'picture', 'camera': 'gate', 'url': 'http://gate:81/stream'})).code == 200
            answer = await get(sim)
            assert 'http://gate:81' in answer.headers['Content-Security-Policy']
            assert b'data-origins="http://gate:81"' in answer.body
            refused = await order(sim, {'do': 'picture', 'camera': 'gate', 'url': 'file:///x'})
            assert refused.code == 400 and b'http' in refused.body
    run(test())


def test_orders_of_other_origins_are_refused():
    async def test():
        async with rigs.serving() as sim:
            stall = {'do': 'stall'}
            own = f'http://127.0.0.1:{sim.port}'
            for headers in (
                    {'Origin': 'http://evil.example'}, {'Origin': 'null'},
                    {'Origin': 'http://evil.example', 'Host': 'evil.example'}):
                answer = await order(sim, stall, **headers)
                assert answer.code == 403 and not sim.faults.stalled
                assert strict_json.loads(answer.body)['error']
            assert (await order(sim, stall, Origin=own)).code == 200 and sim.faults.stalled
            assert (await order(sim, {'do': 'resume'})).code == 200  # curl has no origin
            assert not sim.faults.stalled
    run(test())


def test_the_state_is_told_to_the_own_page_only():
    async def test():
        async with rigs.serving() as sim:
            url = f'ws://127.0.0.1:{sim.port}/page/state'
            for origin in ('http://evil.example', 'null'):
                with pytest.raises(HTTPClientError) as caught:
                    await rigs.connect(HTTPRequest(url, headers={'Origin': origin}))
                assert caught.value.code == 403
            viewer = await rigs.connect(HTTPRequest(
                url, headers={'Origin': f'http://127.0.0.1:{sim.port}'}))
            assert (await rigs.get(viewer))['cameras'] == {}
            await viewer.write_message('{"do": "stall"}')  # it takes none
            assert (await rigs.get(viewer))['faults']['stalled'] is False
            viewer.close()
            await until(lambda: not sim.page.viewers)
    run(test())


async def shown(viewer, condition):
    """Return the first state that fulfils the condition."""
    while not condition(state := await rigs.get(viewer)):
        pass
    return state


def test_the_state_follows_cameras_objects_and_faults():
    async def test():
        async with rigs.serving() as sim:
            viewer = await rigs.connect(f'ws://127.0.0.1:{sim.port}/page/state')
            gate, _ = await rigs.registered(sim, 'gate')
            yard, _ = await rigs.registered(sim, 'yard')
            operator = await rigs.connect(sim.client_url)
            box = {'boxId': 1, 'rect': [0, 0, 1, 1], 'objectType': 'person', 'certainty': 0.5}
            await rigs.say(gate, 'boundingBoxes', frameId=1.5, boxes=[box])
            await rigs.say(operator, 'start', cameraId='gate', frameId=1.5, boxId=1)
            state = await shown(viewer, lambda state: state['objects'])
            assert state['objects']['1']['maps'] == []
            await rigs.say(gate, 'featureMap', objectId=1, featureMap=[0.5])
            state = await shown(viewer, lambda state: state['objects']['1']['maps'])
            assert state['objects']['1']['maps'] == ['gate', 'yard']
            assert state['objects']['1']['extractedBy'] == 'gate'
            await rigs.say(yard, 'boundingBoxes', frameId=2.5, boxes=[{**box, 'objectId': 1}])
            state = await shown(viewer, lambda state: state['objects']['1']['seen'])
            assert state['objects']['1']['seen'][0][0] == 'yard'
            late, _ = await rigs.registered(sim, 'late')  # has the map by the replay
            state = await shown(viewer, lambda state: len(state['objects']['1']['maps']) == 3)
            await rigs.say(operator, 'stop', objectId=1)
            await shown(viewer, lambda state: not state['objects'])
            sim.refuse(503, 5)
            sim.drop()
            state = await shown(viewer, lambda state: state['faults']['handshake'])
            assert state['faults']['handshake'] == (
                'refused with HTTP status 503, to be tried again after 5 s')
            state = await shown(viewer, lambda state: state['cameras']['gate']['outages'])
            assert state['cameras']['gate']['registered'] is False
            for peer in (viewer, gate, yard, operator, late):
                peer.close()
    run(test())


def test_faults_are_described():
    async def test():
        async with rigs.serving() as sim:
            described = []
            for fault in (lambda: sim.redirect('ws://x/'), sim.accept_then_close,
                          lambda: sim.accept_then_close(1011), sim.refuse, sim.accept):
                fault()
                described.append(sim.faults.handshake.described())
            assert described == [
                'redirected to ws://x/', 'accepted, then closed',
                'accepted, then closed with code 1011', 'refused with HTTP status 503', None]
    run(test())
