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

"""Where pictures are, which URLs a page can show, and what its policy lets it load."""

from camera_ws_bridge.sim.page.pictures import named, Picture, Pictures, policy
import pytest


@pytest.mark.parametrize('url, kind, origin', [
    ('http://gate:8080/stream?topic=/image', 'image', 'http://gate:8080'),
    ('https://cam.example/live.M3U8?key=1', 'video', 'https://cam.example'),
    ('http://10.0.0.7/clip.mp4', 'video', 'http://10.0.0.7'),
    ('http://[fe80::1]:81/', 'image', 'http://[fe80::1]:81'),
    ('HTTP://Gate/a.webm', 'video', 'http://gate'),
    ('http://gate/m3u8', 'image', 'http://gate')])
def test_a_picture_has_an_element_and_an_origin(url, kind, origin):
    assert Picture.at(url) == Picture(url, kind, origin)


@pytest.mark.parametrize('url', [
    '', 'gate', '//gate/x', 'ftp://gate/x', 'javascript:alert(1)', 'data:image/png;base64,AAAA',
    'http://', 'http:///x', 'http://gate:port/', 'http://gate:70000/', 'http://gate; img-src */',
    'http://gate/ img', 'http://gate/\n', "http://ga'te/", 'http://user@gate/',
    'http://user:secret@gate/', 'http://gäte/', 'http://[::1/', 'http://gate,evil/', None, 7])
def test_what_a_page_cannot_show_is_refused_in_words(url):
    with pytest.raises(ValueError) as caught:
        Picture.at(url)
    assert len(str(caught.value)) > 10


def test_a_password_is_not_repeated():
    with pytest.raises(ValueError) as caught:
        Picture.at('http://user:canary@gate/')
    assert 'canary' not in str(caught.value)


def test_pictures_come_and_go():
    pictures = Pictures()
    assert pictures.origins() == []
    pictures.show('b', 'http://gate:1/x')
    pictures.show('a', 'http://gate:1/y')
    pictures.show('c', 'https://yard/z')
    assert pictures.origins() == ['http://gate:1', 'https://yard']
    pictures.show('c')
    pictures.show('c', None)
    pictures.show('b', '')
    assert [*pictures.of] == ['a']


@pytest.mark.parametrize('camera', ['', None, 1])
def test_a_camera_needs_an_id(camera):
    with pytest.raises(ValueError):
        Pictures().show(camera, 'http://gate/')


def test_an_option_names_camera_and_url():
    assert named('gate=http://gate/?a=b') == ('gate', 'http://gate/?a=b')
    for text in ('gate', '=http://gate/', '', 'gate=', 'gate=nothing'):
        with pytest.raises(ValueError):
            named(text)


def test_the_policy_allows_the_own_files_and_the_pictures_and_nothing_else():
    found = dict(part.split(' ', 1) for part in policy(
        'localhost:8080', False, ['http://gate:1']).split('; '))
    assert found == {
        'default-src': "'none'", 'script-src': "'self'", 'style-src': "'self'",
        'img-src': "'self' data: blob: http://gate:1", 'media-src': "'self' blob: http://gate:1",
        'connect-src': "'self' ws://localhost:8080", 'base-uri': "'none'",
        'form-action': "'none'", 'frame-ancestors': "'none'"}
    assert "connect-src 'self' wss://localhost:8080" in policy('localhost:8080', True, [])
