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

"""The operator's page in a real browser, on a simulator in the test's own hands."""

import asyncio
import base64
import http.server
import json
import threading
import time

from camera_ws_bridge.protocol.start import IMAGE_PREFIX
from camera_ws_bridge.sim.camera.picture import a_picture
from camera_ws_bridge.sim.camera.world import World
import pytest
from rigs import process_rig
from rigs.browser_rig import browsing
from tornado.websocket import websocket_connect

pytestmark = pytest.mark.timeout(300)
CAMERA = '[aria-label="Camera gate"]'
TINY = IMAGE_PREFIX + base64.b64encode(a_picture()).decode()


class Camera:
    """A camera in the test's hands, without a bridge: sends frames when it is told to."""

    def __init__(self, loop_thread, url, camera_id):
        self.heard = []
        self._thread = loop_thread
        self._connection = loop_thread.wait(self._connect(url, camera_id), 30.0)

    async def _connect(self, url, camera_id):
        connection = await websocket_connect(url, on_message_callback=self._hear)
        await connection.write_message(json.dumps({'type': 'identifier', 'id': camera_id}))
        return connection

    def _hear(self, text):
        if text is not None:
            self.heard.append(json.loads(text))

    def show(self, *boxes, frame_id=None, times=1, pause=0.0):
        """Send frames, one behind the other."""
        async def send():
            for _ in range(times):
                await self._connection.write_message(json.dumps({
                    'type': 'boundingBoxes', 'frameId': frame_id or time.time(),
                    'boxes': boxes}))
                await asyncio.sleep(pause)
        return self._thread.submit(send())

    def close(self):
        async def close():
            self._connection.close()
        self._thread.wait(close(), 30.0)


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    with browsing(tmp_path_factory.mktemp('browser')) as browser:
        yield browser


@pytest.fixture
def site(browser):
    """Return an orchestrator with the page open."""
    with process_rig.serving() as orchestrator:
        browser.driver.get(orchestrator.sim.page_url)
        browser.wait_for_exactly('#connection', 'connected')
        browser.errors()
        yield orchestrator
        browser.driver.get('about:blank')


def box(number, rect=(0.4, 0.3, 0.6, 0.7), **fields):
    return {'boxId': number, 'rect': [*rect], 'objectType': 'person', 'certainty': 0.9, **fields}


def click(browser, x=0.5, y=0.5):
    """Click on the picture, shares of it."""
    browser.run("""
        const stage = document.querySelector(arguments[0] + ' .stage');
        const place = stage.getBoundingClientRect();
        stage.dispatchEvent(new MouseEvent('click', {
          bubbles: true, clientX: place.left + arguments[1] * place.width,
          clientY: place.top + arguments[2] * place.height }));""", CAMERA, x, y)


def click_until(browser, camera, condition, *boxes, **fields):
    """Show boxes and click, until the condition is true; return what it returned."""
    def clicked():  # a frame may be late, or too old already, on a busy machine
        camera.show(*boxes, **fields).result(30.0)
        if browser.all(f'{CAMERA} .stage'):
            click(browser)
        return condition()
    return browser.wait(clicked, 'a click does what it should')


def says(browser, text):
    """Return a condition: the page says so."""
    return lambda: text in browser.text('#messages')


def starts(camera, number):
    """Return a condition: the camera is asked to start what is in a box."""
    return lambda: [message for message in camera.heard
                    if message['type'] == 'start' and message['boxId'] == number]


def test_ids_come_back_as_they_were_sent(browser, site, loop_thread):
    camera = Camera(loop_thread, site.sim.url, 'gate')
    browser.wait_for_exactly(f'{CAMERA} .badge', 'registered')
    for frame_id, number in ((1795667659.7650924, 7), (0.1 + 0.2, 0), (3, 2**53 - 1)):
        start = click_until(
            browser, camera, starts(camera, number), box(number), frame_id=frame_id)[0]
        assert (start['frameId'], 'image' in start) == (frame_id, False)
    click_until(browser, camera, says(browser, 'no browser can name such a large id exactly'),
                box(2**53), frame_id=4.0)
    assert browser.errors() == []
    camera.close()


def test_a_click_that_can_have_no_effect_is_said_in_words(browser, site, loop_thread):
    camera = Camera(loop_thread, site.sim.url, 'gate')
    browser.wait_for_exactly(f'{CAMERA} .badge', 'registered')
    click_until(browser, camera, says(browser, 'This is object 5 already'), box(1, objectId=5))
    camera.close()
    browser.wait_for_text(f'{CAMERA} .badge', 'away for')


def test_a_start_of_which_nothing_is_heard_is_said_in_words(
        browser, site, loop_thread, tmp_path):
    png_file = tmp_path / 'person.png'
    png_file.write_bytes(a_picture())
    camera = Camera(loop_thread, site.sim.url, 'gate')
    browser.wait_for_exactly(f'{CAMERA} .badge', 'registered')
    click_until(browser, camera, starts(camera, 1), box(1))
    site.do('stall')
    browser.wait_for_text('#fault-state', 'stalled')
    browser.one('#upload [name="file"]').send_keys(str(png_file))
    browser.one('#upload button').click()
    browser.wait_for_text('#messages', 'Nothing was heard of the start on camera gate')
    site.do('resume')
    camera.close()


def test_a_click_on_a_camera_that_is_gone_is_refused(browser, site, loop_thread):
    first, second = (Camera(loop_thread, site.sim.url, 'gate') for _ in range(2))
    first.close()  # which ends the registration of the second, as of the real orchestrator
    browser.wait_for_text(f'{CAMERA} .badge', 'away for')
    click_until(browser, second, says(browser, 'Camera gate is not registered'), box(1))
    second.close()


def test_what_others_started_is_shown_with_its_image_and_orders_are_refused_in_words(
        browser, site, loop_thread):
    camera = Camera(loop_thread, site.sim.url, 'gate')

    async def start():
        operator = await websocket_connect(site.sim.client_url)
        await operator.write_message(json.dumps(
            {'type': 'start', 'cameraId': 'gate', 'image': TINY}))
        operator.close()
    browser.wait_for_exactly(f'{CAMERA} .badge', 'registered')
    loop_thread.wait(start(), 30.0)
    browser.wait(lambda: browser.all('[data-object="1"] .cutout img'), 'it is shown')
    assert browser.run(
        'return document.querySelector("[data-object=\'1\'] .cutout img").src') == TINY
    browser.run("""
        document.querySelector('#faults details').open = true;
        const form = document.querySelector('[data-fault="send"]');
        form.elements.camera.value = 'nobody';
        form.elements.text.value = '{}';
        form.requestSubmit();""")
    browser.wait_for_text('#messages', "Refused: camera 'nobody' is not registered.")
    camera.close()


def test_the_page_survives_the_orchestrator(browser, site, loop_thread):
    camera = Camera(loop_thread, site.sim.url, 'gate')
    browser.wait_for_exactly(f'{CAMERA} .badge', 'registered')
    site.die()
    browser.wait_for_text('#messages', 'The orchestrator has closed the connection')
    site.come_back()
    again = Camera(loop_thread, site.sim.url, 'gate')
    browser.wait_for_exactly('#connection', 'connected')
    browser.wait_for_text('#camera-count', '1 of 1 registered')
    camera.close()
    again.close()


def show_token(browser, token):
    """Sign in; return how many connections that has begun before it returned."""
    return browser.run("""
        const original = window.WebSocket;
        let begun = 0;
        window.WebSocket = class extends original {
          constructor(address) {
            super(address);
            begun += 1;
          }
        };
        const form = document.querySelector('#sign-in');
        form.elements.token.value = arguments[0];
        form.requestSubmit();
        window.WebSocket = original;
        return begun;""", token)


def test_a_wrong_token_is_said_in_words_and_another_is_tried_without_a_pause(browser, site):
    site.do('demand_token', token='open sesame', operators=True)
    browser.driver.refresh()
    browser.wait(lambda: browser.one('#sign-in').is_displayed(), 'it asks for a token')
    show_token(browser, 'open barley')
    browser.wait_for_text('#messages', 'This token is not accepted')
    browser.wait(lambda: show_token(browser, 'open barley') == 1, 'a pause ends')
    show_token(browser, 'open sesame')
    browser.wait_for_exactly('#connection', 'connected')
    browser.run("sessionStorage.removeItem('token')")


def test_keys_of_the_browser_stay_the_browsers(browser, site, loop_thread):
    camera = Camera(loop_thread, site.sim.url, 'gate')
    browser.wait_for_exactly(f'{CAMERA} .badge', 'registered')
    taken = browser.run("""
        return ['altKey', 'ctrlKey', 'metaKey', 'none'].map((modifier) => !document.querySelector(
          arguments[0] + ' .stage').dispatchEvent(new KeyboardEvent('keydown', {
            key: 'ArrowLeft', bubbles: true, cancelable: true, [modifier]: true })));""", CAMERA)
    assert taken == [False, False, False, True]
    camera.close()


class Plain(http.server.BaseHTTPRequestHandler):
    """A server of pictures that lets no other page read them."""

    def do_GET(self):  # noqa: N802 - http.server's name
        picture = a_picture()
        self.send_response(200)
        self.send_header('Content-Type', 'image/png')
        self.send_header('Content-Length', str(len(picture)))
        self.end_headers()
        self.wfile.write(picture)

    def log_message(self, *_):
        pass


def test_a_picture_that_is_typed_in_is_shown_and_it_is_said_that_it_cannot_be_cut_out(
        browser, site, loop_thread):
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Plain)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    camera = Camera(loop_thread, site.sim.url, 'gate')
    browser.wait_for_exactly(f'{CAMERA} .badge', 'registered')
    for url in ('ftp://gate/x', f'http://127.0.0.1:{server.server_port}/gate'):
        form = f'{CAMERA} .address'
        if not browser.one(form).is_displayed():
            browser.one(f'{CAMERA} header button').click()
        browser.run('document.querySelector(arguments[0]).value = arguments[1]',
                    f'{form} input', url)
        browser.one(f'{form} button').click()
        if url.startswith('ftp'):
            browser.wait_for_text('#messages', 'shows pictures of http:// and https:// only')
    browser.wait(lambda: browser.run(
        'return document.querySelector(arguments[0])?.naturalWidth', f'{CAMERA} .stage img'),
        'the page has loaded anew, and shows it')
    start = click_until(browser, camera, starts(camera, 1), box(1))[0]
    assert 'image' not in start
    click_until(browser, camera, lambda: (
        'does not let other pages read it' in browser.text(f'{CAMERA} .note')), box(1))
    camera.close()
    server.shutdown()
    server.server_close()


def test_a_camera_out_of_sight_loads_no_picture(browser, site, loop_thread):
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Plain)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f'http://127.0.0.1:{server.server_port}'
    camera = Camera(loop_thread, site.sim.url, 'gate')
    shown = f'{CAMERA} .stage img'
    site.do('picture', camera='gate', url=f'{url}/one')
    browser.wait(lambda: browser.all(shown), 'the page has loaded anew, and shows it')
    browser.run("document.querySelector('#cameras').style.marginTop = '5000px'")
    browser.wait(lambda: not browser.all(shown), 'it is out of sight')
    site.do('picture', camera='gate', url=f'{url}/two')
    site.do('stall')
    browser.wait_for_text('#fault-state', 'stalled')  # so it has heard of the picture, too
    assert not browser.all(shown)
    browser.run("document.querySelector('#cameras').style.marginTop = ''")
    browser.wait(lambda: browser.run(
        'return document.querySelector(arguments[0])?.src', shown) == f'{url}/two', 'it is shown')
    site.do('resume')
    camera.close()
    server.shutdown()
    server.server_close()


def test_500_boxes_are_drawn_at_most_once_a_refresh(browser, site, loop_thread):
    world = World(500, 1)
    camera = Camera(loop_thread, site.sim.url, 'gate')
    rects = world.view(1.0).rects.tolist()
    boxes = [box(number, rect, certainty=0.5) for number, rect in enumerate(rects)]
    flood = camera.show(*boxes, times=150, pause=0.005)
    drawn, refreshes = browser.driver.execute_async_script("""
        const done = arguments[arguments.length - 1];
        const stop = performance.now() + 1500;
        const clear = CanvasRenderingContext2D.prototype.clearRect;
        let drawn = 0, refreshes = 0;
        CanvasRenderingContext2D.prototype.clearRect = function (...rest) {
          drawn += 1;
          return clear.apply(this, rest);
        };
        const step = () => {
          refreshes += 1;
          if (performance.now() < stop) {
            requestAnimationFrame(step);
          } else {
            CanvasRenderingContext2D.prototype.clearRect = clear;
            done([drawn, refreshes]);
          }
        };
        requestAnimationFrame(step);""")
    flood.result(60.0)
    assert 1 <= drawn <= refreshes + 1
    browser.wait_for_text(f'{CAMERA} .figures', 'fps')
    assert browser.errors() == []
    camera.close()
