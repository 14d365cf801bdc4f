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

"""The live show in a real browser: what an operator sees and does, and what of it reaches ROS."""

import io
import re
import time
from urllib.parse import urlsplit

from camera_ws_bridge.sim.camera.drawing import Drawing, FIRST
from camera_ws_bridge.sim.camera.street import Street
from camera_ws_bridge_msgs.msg import Start, Stop
import numpy as np
import pytest
from rigs.browser_rig import browsing, live_show

pytestmark = pytest.mark.timeout(400)
PEOPLE = 6
PALETTE = Drawing(Street(PEOPLE), PEOPLE).palette
REACH = 15.0  # pixels beside a box that still count as a click on it


class Operator:
    """Somebody at the page of the show."""

    def __init__(self, show, browser):
        self.show = show
        self.browser = browser
        self.url = re.search(r'(?m)^operator.s page: (.*)$', show.log)[1]
        self.hosts = {urlsplit(self.url).netloc}

    def stage(self, camera):
        return self.browser.one(f'[aria-label="Camera {camera}"] .stage')

    def badge(self, camera):
        return self.browser.text(f'[aria-label="Camera {camera}"] .badge')

    def press(self, name):
        """Press a button of the panel of faults."""
        (button,) = [each for each in self.browser.all('#faults button') if each.text == name]
        self.browser.run('arguments[0].scrollIntoView({block: "center"})', button)
        button.click()

    def starts(self):
        return self.show.probe.of(Start)

    def click_on_somebody(self, camera):
        """Click on a person who is not tracked; return the Start, and where the clicks were."""
        from selenium.webdriver.common.action_chains import ActionChains
        before, stage = len(self.starts()), self.stage(camera)
        size, places = stage.size, []

        def clicked():
            # They walk on meanwhile: on a busy machine a click may miss.
            for box in self.show.newest(camera).boxes:
                left, top, right, bottom = box.rect
                if box.object_id == -1 and left > 0.1 and right < 0.9:
                    x, y = (left + right) / 2, (top + bottom) / 2
                    ActionChains(self.browser.driver).move_to_element_with_offset(
                        stage, round((x - 0.5) * size['width']),
                        round((y - 0.5) * size['height'])).click().perform()
                    places.append((x, y))
                    end = time.monotonic() + 2.0
                    while time.monotonic() < end:
                        if len(self.starts()) > before:
                            return self.starts()[before], places
                        self.show.probe.executor.spin_once(timeout_sec=0.05)
            return None
        return self.show.wait(clicked, 'a click becomes a Start')

    def row(self, camera):
        """Return what the bridge of a camera did about faults, by column."""
        cells = self.browser.run("""
            const row = [...document.querySelectorAll('#outcome tr')].find(
              (each) => each.firstChild.textContent === arguments[0]);
            return [...row.children].map((cell) => cell.textContent);""", camera)
        return dict(zip(('camera', 'away', 'back', 'buffered', 'again', 'frames'), cells))


@pytest.fixture(scope='module')
def operator(tmp_path_factory):
    folder = tmp_path_factory.mktemp('browser')
    with browsing(folder) as browser, live_show(folder) as show:
        operator = Operator(show, browser)
        browser.driver.get(operator.url)
        for camera in ('entrance', 'yard'):
            browser.wait(lambda: operator.badge(camera) == 'registered', 'cameras are registered')
        yield operator


@pytest.fixture(autouse=True)
def nothing_goes_wrong_in_silence_and_nothing_is_left(operator):
    yield
    operator.browser.run("""
        document.querySelectorAll('.object button').forEach((stop) => stop.click());
        for (const order of ['accept', 'resume']) {
          fetch('/control', { method: 'POST', body: JSON.stringify({ do: order }) });
        }""")
    operator.browser.wait(lambda: not operator.browser.all('.object'), 'nothing is tracked')
    assert operator.browser.errors() == []


def colours(png):
    """Return the pixels of a PNG: height, width, red-green-blue."""
    image = pytest.importorskip('PIL.Image').open(io.BytesIO(bytes(png)))
    return np.array(image.convert('RGB'))


def share(pixels, colour):
    """Return which part of the pixels has a colour."""
    return float((np.abs(pixels.astype(int) - colour).max(axis=2) <= 2).mean())


def test_pictures_and_boxes_of_both_cameras_appear(operator):
    browser = operator.browser
    for camera in ('entrance', 'yard'):
        card = f'[aria-label="Camera {camera}"]'
        browser.wait(lambda: browser.run(
            'return document.querySelector(arguments[0])?.naturalWidth', f'{card} .stage img'),
            'the picture is there')
        drawn = """
            const canvas = document.querySelector(arguments[0]);
            const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            return data.some((value) => value > 0);"""
        browser.wait(lambda: browser.run(drawn, f'{card} canvas'), 'boxes are drawn')
        browser.wait(lambda: re.fullmatch(
            r'[\d.]+ fps · \d+ m?s', browser.text(f'{card} .figures')), 'figures are shown')
    assert browser.text('#connection') == 'connected'
    assert browser.text('#camera-count') == '2 of 2 registered'


def test_a_click_starts_an_object_both_cameras_get_the_map_find_it_and_a_stop_ends_it(operator):
    browser, show = operator.browser, operator.show
    start, places = operator.click_on_somebody('entrance')
    # The frame and the box that were under the pointer.
    assert start.has_frame
    show.wait(lambda: start.frame_id in show.frames['entrance'], 'its frame is here as well')
    frame = show.frames['entrance'][start.frame_id]
    (box,) = [box for box in frame.boxes if box.box_id == start.box_id]
    size = operator.stage('entrance').size
    left, top, right, bottom = box.rect
    assert any(left - REACH / size['width'] <= x <= right + REACH / size['width']
               and top - REACH / size['height'] <= y <= bottom + REACH / size['height']
               for x, y in places)
    assert start.frame_stamp == frame.header.stamp
    # The cut-out shows who was clicked on, and nobody else.
    pixels = colours(start.image.data)
    shares = [share(pixels, PALETTE[FIRST + 2 * person]) for person in range(PEOPLE)]
    assert shares[start.box_id] > 0.15
    assert sum(shares) - shares[start.box_id] < 0.05
    # Its feature map goes round.
    entry = f'[data-object="{start.object_id}"]'
    browser.wait(lambda: len(browser.all(f'{entry} .maps .has')) == 2, 'both cameras have the map')
    assert browser.run('return document.querySelector(arguments[0]).src',
                       f'{entry} .cutout img').startswith('data:image/png')
    for camera in ('entrance', 'yard'):  # in the yard it may be out of sight for some seconds
        show.wait(lambda: any(box.object_id == start.object_id
                              for box in show.newest(camera).boxes), f'{camera} finds it')
        browser.wait(lambda: camera in browser.text(f'{entry} .rows'), f'{camera} has seen it')
    browser.one(f'{entry} button').click()
    browser.wait(lambda: not browser.all(entry), 'it is gone from the list')
    show.wait(lambda: [stop for stop in show.probe.of(Stop)
                       if stop.object_id == start.object_id], 'the stop arrives')
    show.wait(lambda: all(box.object_id == -1 for box in show.newest('entrance').boxes),
              'it is not tracked any more')


def test_by_keyboard_a_box_is_chosen_read_out_and_started(operator):
    from selenium.webdriver.common.keys import Keys
    browser, before = operator.browser, len(operator.starts())
    stage = operator.stage('entrance')

    def started():  # whoever is chosen may just be walking out of the picture
        stage.send_keys(Keys.ARROW_RIGHT)
        chosen = stage.get_attribute('aria-activedescendant')
        said = browser.text('#announcement')
        stage.send_keys(Keys.ENTER)
        end = time.monotonic() + 2.0
        while chosen and time.monotonic() < end and not operator.starts()[before:]:
            operator.show.probe.executor.spin_once(timeout_sec=0.05)
        return chosen, said, operator.starts()[before:]
    chosen, said, starts = operator.show.wait(
        lambda: (found := started())[2] and found, 'a key becomes a Start')
    start = starts[0]
    assert chosen == 'chosen-entrance'
    assert re.fullmatch(r'Box \d+: person, \d+ percent', said)
    assert said.startswith(f'Box {start.box_id}:') and start.has_frame
    browser.wait_for_text('#messages', f'Object {start.object_id} started on camera entrance')


def test_an_outage_shows_and_heals_and_what_the_bridge_did_is_told(operator):
    browser = operator.browser
    before = operator.row('entrance')
    operator.press('Go away')
    browser.wait(lambda: operator.badge('entrance').startswith('away for'), 'the outage shows')
    browser.wait_for_text('#fault-state', 'refused with HTTP status 503')
    browser.wait_for_text('[aria-label="Camera entrance"] .note', 'No boxes for')
    operator.press('Accept')
    browser.wait(lambda: operator.badge('entrance') == 'registered', 'it is healed')
    browser.wait_for_text('#fault-state', 'no fault is on')
    after = browser.wait(
        lambda: (row := operator.row('entrance'))['back'] != before['back'] and row, 'it is back')
    assert after['away'] == '–' and float(after['back'].split()[0]) > 1.0
    browser.wait(lambda: int(operator.row('entrance')['buffered']) > int(before['buffered']),
                 'buffered frames are counted')


def test_a_stall_is_said_in_words_and_resumed(operator):
    browser = operator.browser
    operator.press('Stall')
    browser.wait_for_text('#fault-state', 'nothing is read or answered')
    operator.press('Resume')
    browser.wait_for_text('#fault-state', 'no fault is on')
    for camera in ('entrance', 'yard'):
        browser.wait(lambda: operator.badge(camera) == 'registered', 'all are registered')


def test_a_jpeg_starts_an_object_and_what_is_none_is_refused_in_words(operator, tmp_path):
    browser, before = operator.browser, len(operator.starts())
    wrong, jpeg = tmp_path / 'note.txt', tmp_path / 'person.jpg'
    wrong.write_text('no image')
    pytest.importorskip('PIL.Image').new('RGB', (30, 60), (250, 10, 20)).save(jpeg)
    for path, says in ((wrong, 'note.txt is neither PNG nor JPEG'), (jpeg, 'started on camera')):
        browser.one('#upload [name="file"]').send_keys(str(path))
        browser.run('document.querySelector("#upload [name=camera]").value = "entrance"')
        browser.one('#upload button').click()
        browser.wait_for_text('#messages', says)
    start = operator.show.wait(lambda: operator.starts()[before:], 'the start arrives')[0]
    assert not start.has_frame and start.image.format == 'png'
    pixels = colours(start.image.data)
    assert pixels.shape == (60, 30, 3) and np.abs(pixels - (250, 10, 20)).max() < 12
    browser.one(f'[data-object="{start.object_id}"] button').click()
    browser.wait(lambda: not browser.all('.object'), 'it is gone')


def test_a_token_for_operators_is_asked_for(operator):
    browser = operator.browser
    browser.run('document.querySelector("#faults details").open = true')
    form = '[data-fault="token"]'
    browser.one(f'{form} [name="token"]').send_keys('open sesame')
    browser.run(f'document.querySelector(\'{form} [name="whose"]\').value = "operators"')
    browser.run('document.querySelector(arguments[0]).requestSubmit()', form)
    browser.wait_for_text('#fault-state', 'operators need a token')
    browser.driver.refresh()
    browser.wait(lambda: browser.one('#sign-in').is_displayed(), 'the token is asked for')
    browser.one('#sign-in [name="token"]').send_keys('open sesame')
    browser.one('#sign-in button').click()
    browser.wait_for_text('[aria-label="Camera entrance"] .figures', 'fps')
    assert browser.text('#connection') == 'connected'
    browser.run('document.querySelector("#faults details").open = true')
    browser.run('document.querySelector(arguments[0] + " [name=whose]").value = "operators"', form)
    browser.run('document.querySelector(arguments[0]).requestSubmit()', form)
    browser.wait_for_text('#fault-state', 'no fault is on')


@pytest.mark.parametrize('dark', [False, True], ids=['light', 'dark'])
def test_on_a_phone_nothing_is_wider_than_the_screen(operator, dark):
    browser = operator.browser
    browser.emulate(390, 844, dark)
    try:
        assert browser.run('return document.documentElement.scrollWidth') <= 390
        ground = browser.run('return getComputedStyle(document.body).backgroundColor')
        assert (max(map(int, re.findall(r'\d+', ground))) < 60) is dark
    finally:
        browser.emulate(1280, 1000)


def test_no_request_went_anywhere_else(operator):
    pictures = {urlsplit(source).netloc for source in operator.browser.run(
        'return [...document.querySelectorAll(".stage img")].map((image) => image.src)')}
    assert len(pictures) == 2
    assert operator.hosts < operator.browser.hosts() <= operator.hosts | pictures
