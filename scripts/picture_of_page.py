#!/usr/bin/env python3
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
Makes docs/operator_page.png: the live show in a real browser, with two people tracked.

Needs what test/browser needs: make test-browser installs it.
"""

import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PICTURE = ROOT / 'docs/operator_page.png'
SIZE = 1280, 720  # pixels
LARGEST = 150_000  # bytes
PATIENCE = 120.0  # seconds


def main(picture=PICTURE):
    """Make the picture; return an exit code."""
    sys.path.insert(0, str(ROOT / 'test'))
    from rigs.browser_rig import browsing, live_show
    from selenium.webdriver.common.keys import Keys
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        with browsing(folder) as browser, live_show(folder) as show:
            browser.emulate(*SIZE)
            browser.driver.get(show.log.split()[2])
            browser.wait_for_text('#camera-count', '2 of 2')
            stage = browser.one('[aria-label="Camera entrance"] .stage')

            def two_are_tracked():
                if len(browser.all('.object')) < 2:
                    stage.send_keys(Keys.ARROW_RIGHT, Keys.ENTER)
                    time.sleep(1.0)
                return len(browser.all('.object')) == 2
            browser.wait_for_text('[aria-label="Camera entrance"] .figures', 'fps')
            browser.wait(two_are_tracked, 'two people are tracked')

            def both_are_seen_at_both_cameras():
                frames = [show.newest(camera) for camera in ('entrance', 'yard')]
                return all(len({box.object_id for box in frame.boxes} - {-1}) == 2
                           for frame in frames) and browser.text('#messages') == ''
            browser.run('document.activeElement.blur()')
            end = time.monotonic() + PATIENCE
            while not both_are_seen_at_both_cameras() and time.monotonic() < end:
                pass
            browser.driver.save_screenshot(str(picture))
    size = picture.stat().st_size
    print(f'{picture}: {size} bytes')
    return 0 if size < LARGEST else 1


if __name__ == '__main__':
    sys.exit(main())
