/*
 * Copyright 2026 camera_ws_bridge developers
 *
 * Licensed under the Apache License, Version 2.0 (the "License");
 * you may not use this file except in compliance with the License.
 * You may obtain a copy of the License at
 *
 *     http://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS,
 * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
 * See the License for the specific language governing permissions and
 * limitations under the License.
 */

// Draws boxes over a picture, at most once each time that the screen is refreshed.

import { label } from './boxes.js';
import { colourOf } from './colours.js';

const LABELS = 60; // boxes up to which all have a label; beyond, only those that are tracked
const dirty = new Set();
let asked = false;
export let paintings = 0; // so far

// Has a view painted by the next refresh; however often it is asked, it is painted once.
export function soon(view) {
  dirty.add(view);
  if (!asked) {
    asked = true;
    requestAnimationFrame(run);
  }
}

function run() {
  asked = false;
  paintings += 1;
  const now = [...dirty];
  dirty.clear();
  for (const view of now) {
    view.paint();
  }
}

export class Painter {
  #canvas;
  #context;
  width = 1; // CSS pixels
  height = 1;

  constructor(canvas, changed) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d');
    new ResizeObserver(([entry]) => {
      ({ width: this.width, height: this.height } = entry.contentRect);
      const scale = Math.min(devicePixelRatio, 2);
      canvas.width = Math.max(1, Math.round(this.width * scale));
      canvas.height = Math.max(1, Math.round(this.height * scale));
      changed();
    }).observe(canvas);
  }

  // chosen: a box that the keyboard or the pointer is on, or null.
  paint(boxes, chosen) {
    const context = this.#context;
    const scale = this.#canvas.width / Math.max(this.width, 1);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    const others = boxes.filter((box) => box.objectId === undefined);
    const tracked = boxes.filter((box) => box.objectId !== undefined);
    // One path for all that look alike: 500 boxes are two strokes.
    this.#outline(others, 'rgb(0 0 0 / 55%)', 3);
    this.#outline(others, 'rgb(255 255 255 / 90%)', 1.25);
    for (const box of tracked) {
      this.#outline([box], 'rgb(0 0 0 / 60%)', 5);
      this.#outline([box], colourOf(box.objectId), 3);
    }
    if (chosen) {
      context.setLineDash([6, 4]);
      this.#outline([chosen], 'rgb(0 0 0 / 80%)', 5);
      this.#outline([chosen], '#ffd54a', 3);
      context.setLineDash([]);
    }
    context.font = '600 11px system-ui, sans-serif';
    context.textBaseline = 'top';
    if (others.length <= LABELS) {
      for (const box of others) {
        this.#label(box, 'rgb(0 0 0 / 62%)', '#fff', true);
      }
    }
    for (const box of tracked) {
      this.#label(box, colourOf(box.objectId), '#000', false);
    }
    if (chosen) {
      this.#label(chosen, '#ffd54a', '#000', false);
    }
  }

  #pixels([left, top, right, bottom]) {
    return [left * this.width, top * this.height,
      (right - left) * this.width, (bottom - top) * this.height];
  }

  #outline(boxes, colour, width) {
    if (!boxes.length) {
      return;
    }
    this.#context.beginPath();
    for (const box of boxes) {
      this.#context.rect(...this.#pixels(box.rect));
    }
    this.#context.strokeStyle = colour;
    this.#context.lineWidth = width;
    this.#context.stroke();
  }

  // Above the box, or within it at the picture's top; onlyIfRoom: not wider than the box.
  #label(box, background, colour, onlyIfRoom) {
    const [left, top, width] = this.#pixels(box.rect);
    const context = this.#context;
    let text = label(box);
    let wide = context.measureText(text).width + 8;
    if (onlyIfRoom && wide > width + 24) {
      text = `${Math.round(100 * box.certainty)} %`;
      wide = context.measureText(text).width + 8;
      if (wide > width + 12) {
        return;
      }
    }
    const x = Math.max(0, Math.min(left, this.width - wide));
    const y = top >= 16 ? top - 16 : top + 1;
    context.fillStyle = background;
    context.fillRect(x, y, wide, 15);
    context.fillStyle = colour;
    context.fillText(text, x + 4, y + 2);
  }
}
