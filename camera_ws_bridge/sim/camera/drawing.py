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

"""Draws the people of a street: no camera, no model, and cheap."""

from __future__ import annotations

import colorsys
import functools

from camera_ws_bridge.sim.camera.street import Street
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
# Pixels. An image stays below 512 KiB, the segment of shared memory of Fast DDS: best-effort, as
# cameras publish, every second larger one is lost on a busy machine.
WIDTH, HEIGHT = 480, 270
# All streets are of much the same grey: what differs between pictures shall be the people.
WALL, FAR, ROAD, NEAR, LINE, SKIN, HAIR, SHOES = range(8)
FIRST = 8  # colour of people's clothes: a shirt and trousers each
STEPS = 4  # pictures of a walk
CYCLE = 0.9  # seconds that they take
HUES = (0.0, 0.6, 0.33, 0.13, 0.8, 0.5, 0.07, 0.7)  # of shirts, in the order of the people


class Drawing:
    """Pictures of one street, as numbers of colours."""

    def __init__(self, street: Street, people: int, seed: int = 0) -> None:
        self._street = street
        self._people = people
        self.palette = _palette(people)
        self._background = _background(seed)

    def at(self, time: float) -> Pixels:
        """Return the picture at a time in seconds: height, width."""
        pixels = self._background.copy()
        for person in range(self._people):
            left, top, right, bottom = self._street.place(person, time)
            step = int((time / CYCLE + 0.37 * person) % 1.0 * STEPS)
            _paste(pixels, _figure(
                round((right - left) * WIDTH), round((bottom - top) * HEIGHT), step),
                round(left * WIDTH), round(top * HEIGHT), FIRST + 2 * person)
        return pixels


def _palette(people: int) -> Pixels:
    """Return red, green and blue of each colour."""
    fixed = [(118, 120, 125), (112, 112, 110), (100, 102, 106), (114, 114, 112),
             (124, 124, 122), (226, 178, 142), (58, 44, 36), (30, 30, 34)]
    clothes = []
    for person in range(people):
        hue = HUES[person % len(HUES)] + person // len(HUES) * 0.05
        dark = 0.33 + 0.14 * (person * 5 % 4)
        for colour in (colorsys.hsv_to_rgb(hue % 1.0, 0.82, 0.92),
                       colorsys.hsv_to_rgb((hue + 0.45) % 1.0, 0.5, dark)):
            clothes.append(tuple(round(255 * share) for share in colour))
    return np.array(fixed + clothes, np.uint8)


def _background(seed: int) -> Pixels:
    """Return wall, two pavements and a road; seed: of the windows in the wall."""
    pixels = np.full((HEIGHT, WIDTH), WALL, np.uint8)
    pixels[round(0.36 * HEIGHT):] = FAR
    pixels[round(0.45 * HEIGHT):round(0.86 * HEIGHT)] = ROAD
    pixels[round(0.86 * HEIGHT):] = NEAR
    middle = round(0.65 * HEIGHT)
    for left in range(15, WIDTH, 68):
        pixels[middle:middle + 3, left:left + 38] = LINE
    for left in 11 + 52 * np.random.default_rng(seed).choice(9, 5, replace=False):
        pixels[9:52, left:left + 33] = LINE
        pixels[12:49, left + 3:left + 30] = ROAD
    return pixels


@functools.lru_cache(maxsize=64)
def _figure(width: int, height: int, step: int) -> Pixels:
    """
    Return a figure that fills a box of this size in pixels.

    0: nothing of it; otherwise one more than the colour, clothes counted from FIRST.
    """
    y, x = np.mgrid[0.5:height, 0.5:width]
    y, x = y / height, x / width
    figure = np.zeros((height, width), np.uint8)
    swing = 0.1 * np.sin(2.0 * np.pi * step / STEPS)
    for side in (-1.0, 1.0):
        foot = 0.5 + side * (0.18 + swing)
        way = np.clip((y - 0.52) / 0.44, 0.0, 1.0)
        leg = np.abs(x - (0.5 + side * 0.17 + (foot - 0.5 - side * 0.17) * way)) < 0.17
        figure[leg & (y > 0.5)] = FIRST + 1 + 1
        figure[leg & (y > 0.95)] = SHOES + 1
    shoulders = np.abs(x - 0.5) < 0.47 - 0.12 * np.clip((y - 0.2) / 0.38, 0.0, 1.0)
    figure[shoulders & (y > 0.17) & (y < 0.56)] = FIRST + 1
    head = ((x - 0.5) / 0.3) ** 2 + ((y - 0.095) / 0.095) ** 2 < 1.0
    figure[head] = SKIN + 1
    figure[head & (y < 0.06)] = HAIR + 1
    return figure


def _paste(pixels: Pixels, figure: Pixels, left: int, top: int, clothes: int) -> None:
    """Draw a figure where it is in the picture."""
    begin, end = max(0, left), min(WIDTH, left + figure.shape[1])
    if begin >= end:
        return
    part = figure[:HEIGHT - top, begin - left:end - left].astype(np.int16) - 1
    part[part >= FIRST] += clothes - FIRST
    target = pixels[top:top + part.shape[0], begin:end]
    np.copyto(target, part.astype(np.uint8), where=part >= 0)
