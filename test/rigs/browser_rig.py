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

"""A real browser on the operator's page: Debian's chromium, without a screen, by selenium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import time
from typing import Any
from urllib.parse import urlsplit

from camera_ws_bridge_msgs.msg import Boxes
import pytest
from rigs import process_rig
from rigs.installed import executable

QUEUE = 10000  # frames: nobody takes them while the browser works
PATIENCE = 60.0  # seconds; only a failing test ever waits so long
HINT = 'scripts/install_browser.bash installs it'
FLAGS = (
    '--headless=new', '--hide-scrollbars', '--disable-dev-shm-usage', '--disable-gpu',
    '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-default-apps', '--disable-sync', '--disable-extensions')


class Browser:
    """One window; all that is asked for by CSS selectors."""

    def __init__(self, driver: Any, folder: pathlib.Path) -> None:
        self.driver = driver
        self._folder = folder

    def all(self, selector: str) -> list[Any]:  # noqa: A003 - what it is
        """Return all elements."""
        return self.driver.find_elements('css selector', selector)

    def one(self, selector: str) -> Any:
        """Return the only element."""
        (found,) = self.all(selector)
        return found

    def run(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript in the page; return what it returns."""
        return self.driver.execute_script(script, *arguments)

    def text(self, selector: str) -> str:
        """Return the text of all such elements, also where it is hidden."""
        return '\n'.join(self.run(
            'return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)',
            selector))

    def wait(self, condition: Callable[[], object], what: str) -> Any:
        """Return what the condition returns when that is true."""
        end = time.monotonic() + PATIENCE
        while not (found := condition()):
            if time.monotonic() > end:
                picture = self._folder / 'browser.png'
                self.driver.save_screenshot(str(picture))
                raise AssertionError(f'waited {PATIENCE:g} s until {what}; see {picture}')
            time.sleep(0.05)
        return found

    def wait_for_text(self, selector: str, text: str) -> None:
        """Wait until elements have a text."""
        self.wait(lambda: text in self.text(selector), f'{selector} says {text!r}')

    def wait_for_exactly(self, selector: str, text: str) -> None:
        """Wait until an element has a text, and no more of it."""
        self.wait(lambda: self.text(selector) == text, f'{selector} says just {text!r}')

    def emulate(self, width: int, height: int, dark: bool = False) -> None:
        """Be a device of another size, or one that is dark."""
        self.driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {
            'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': width < 600})
        self.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': [
            {'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}]})

    def errors(self) -> list[str]:
        """Return the errors on the console since the last time."""
        return [entry['message']
                for entry in self.driver.get_log('browser') if entry['level'] == 'SEVERE']

    def hosts(self) -> set[str]:
        """Return where requests went, WebSockets included, since the last time."""
        found = set()
        for entry in self.driver.get_log('performance'):
            message = json.loads(entry['message'])['message']
            url = {'Network.requestWillBeSent': lambda of: of['request']['url'],
                   'Network.webSocketCreated': lambda of: of['url']}.get(
                       message['method'], lambda of: '')(message['params'])
            if urlsplit(url).scheme in ('http', 'https', 'ws', 'wss'):
                found.add(urlsplit(url).netloc)
        return found


@contextlib.contextmanager
def browsing(folder: pathlib.Path) -> Iterator[Browser]:
    """Run a browser; skip the test where there is none."""
    webdriver = pytest.importorskip(
        'selenium.webdriver', reason='selenium is not installed: make test-browser does it')
    chromium = shutil.which('chromium') or shutil.which('chromium-browser')
    service = shutil.which('chromedriver')
    if chromium is None or service is None:
        pytest.skip(f'chromium or its chromedriver is not installed: {HINT}')
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, '--window-size=1280,1000', f'--user-data-dir={folder / "profile"}',
                 *(['--no-sandbox'] if os.geteuid() == 0 else [])):
        options.add_argument(flag)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL', 'performance': 'ALL'})
    options.add_experimental_option('perfLoggingPrefs', {'enablePage': False})
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(executable_path=service))
    try:
        driver.set_script_timeout(PATIENCE)
        yield Browser(driver, folder)
    finally:
        driver.quit()


class Show:
    """The live show of `demo`, with a look at the ROS topics of its first camera."""

    def __init__(self, domain: int, log: pathlib.Path) -> None:
        self.domain = domain
        self._log = log
        self.process = subprocess.Popen(
            [executable('demo'), '--duration', '0'], stdout=log.open('w'),
            stderr=subprocess.STDOUT, text=True,
            env={**os.environ, 'ROS_DOMAIN_ID': str(domain), 'PYTHONUNBUFFERED': '1'})
        self.probe = process_rig.Probe(domain, namespace='/entrance')
        self.frames: dict[str, dict[float, Boxes]] = {'entrance': {}, 'yard': {}}
        for camera, seen in self.frames.items():
            self.probe.node.create_subscription(
                Boxes, f'/{camera}/boxes',
                lambda frame, seen=seen: seen.__setitem__(frame.frame_id, frame),
                QUEUE)

    @property
    def log(self) -> str:
        """Return what it has printed."""
        return self._log.read_text()

    def wait(self, condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
        """Let ROS work until the condition is true; return what it returned."""
        end = time.monotonic() + patience
        while not (found := condition()):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < end, f'waited {patience:g} s until {what}:\n{self.log}'
            self.probe.executor.spin_once(timeout_sec=0.05)
        return found

    def newest(self, camera: str) -> Boxes:
        """Return a frame that was taken from now on: its id is its time."""
        now, frames = time.time(), self.frames[camera]
        self.wait(lambda: max(frames, default=0.0) >= now, f'{camera} sends boxes')
        return frames[max(frames)]


@contextlib.contextmanager
def live_show(folder: pathlib.Path) -> Iterator[Show]:
    """Run the live show until the end, which has to be in order."""
    with process_rig.own_domain() as domain:
        show = Show(domain, folder / 'demo.log')
        try:
            show.wait(lambda: 'Both cameras are there' in show.log, 'the show is on', 150.0)
            yield show
            show.process.terminate()
            assert show.process.wait(PATIENCE) == 0, show.log
        finally:
            if show.process.poll() is None:
                children = process_rig.psutil.Process(show.process.pid).children(recursive=True)
                show.process.kill()
                for child in children:
                    with contextlib.suppress(process_rig.psutil.NoSuchProcess):
                        child.kill()
                show.process.wait()
