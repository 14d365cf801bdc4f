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

"""Where the page finds the cameras' pictures, and its Content-Security-Policy: no I/O."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

NAME = re.compile(r'[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+')  # of a host; the second: IPv6
VIDEO = ('.m3u8', '.mp4', '.m4v', '.webm')  # what a video element plays; all else is an image


class Picture(NamedTuple):
    """A camera's picture: MJPEG, HLS or MP4."""

    url: str
    kind: str  # image or video: the element that shows it
    origin: str

    @classmethod
    def at(cls, url: str) -> Picture:
        """Return the picture at a URL; ValueError: a page cannot show it."""
        if not isinstance(url, str) or not re.fullmatch(r'[!-~]+', url):
            raise ValueError('the URL of a picture is a string of ASCII without spaces')
        parts = urlsplit(url)
        if parts.scheme not in ('http', 'https'):
            raise ValueError(f'{url}: a page shows pictures of http:// and https:// only')
        if parts.username is not None or parts.password is not None:
            raise ValueError('browsers take no URL with a user or password in it')
        if not parts.hostname or not NAME.fullmatch(parts.hostname):
            raise ValueError(f'{url}: there is no host in it')
        host = f'[{parts.hostname}]' if ':' in parts.hostname else parts.hostname
        port = '' if parts.port is None else f':{parts.port}'  # raises ValueError itself
        kind = 'video' if parts.path.lower().endswith(VIDEO) else 'image'
        return cls(url, kind, f'{parts.scheme}://{host}{port}')


class Pictures:
    """The picture of each camera that has one."""

    def __init__(self) -> None:
        self.of: dict[str, Picture] = {}  # by camera id

    def show(self, camera: str, url: str | None = None) -> None:
        """Show a camera's picture from now on, or none; ValueError: it cannot be shown."""
        if not isinstance(camera, str) or not camera:
            raise ValueError('camera is not the id of a camera')
        if url:
            self.of[camera] = Picture.at(url)
        else:
            self.of.pop(camera, None)

    def origins(self) -> list[str]:
        """Return the origins of all pictures."""
        return sorted({picture.origin for picture in self.of.values()})


def named(text: str) -> tuple[str, str]:
    """Return camera id and URL of an option CAMERA=URL; ValueError: it is none."""
    camera, equals, url = text.partition('=')
    if not camera or not equals:
        raise ValueError(f'{text} is not CAMERA=URL')
    return camera, Picture.at(url).url


def policy(host: str, secure: bool, origins: list[str]) -> str:
    """
    Return the page's Content-Security-Policy.

    host: as the browser named it, checked; origins: of the pictures.
    """
    # Not all browsers count the WebSockets of the same host among 'self'.
    sockets = f'{"wss" if secure else "ws"}://{host}'
    elsewhere = ''.join(f' {origin}' for origin in origins)
    return '; '.join([
        "default-src 'none'", "script-src 'self'", "style-src 'self'",
        f"img-src 'self' data: blob:{elsewhere}", f"media-src 'self' blob:{elsewhere}",
        f"connect-src 'self' {sockets}", "base-uri 'none'", "form-action 'none'",
        "frame-ancestors 'none'"])
