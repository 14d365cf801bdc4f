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

// A camera's picture: an image (MJPEG) or a video (HLS, MP4), and cut-outs of it.

import { element } from './dom.js';

const AGAIN = 2000; // milliseconds until a picture that failed is tried again
const LARGEST = 640; // pixels, the longer side of a cut-out
const ALLOWED = document.documentElement.dataset.origins.split(' ');

// Tells whether the policy of this page names where the picture comes from.
export function mayShow({ origin }) {
  return ALLOWED.includes(origin);
}

export class Picture {
  #stage;
  #shown = null; // the element
  #source = null; // what the simulator says
  #readable = true; // whether the server lets this page read the pixels
  #retry = 0;
  #paused = false;
  problem = ''; // in words

  constructor(stage, changed) {
    this.#stage = stage;
    this.changed = changed; // called when there is a new size or problem
  }

  get readable() {
    return this.#readable && this.#width > 0;
  }

  get present() {
    return this.#width > 0;
  }

  get #width() {
    return this.#shown?.naturalWidth || this.#shown?.videoWidth || 0;
  }

  get #height() {
    return this.#shown?.naturalHeight || this.#shown?.videoHeight || 0;
  }

  // Width through height, or null.
  get shape() {
    return this.#width ? this.#width / this.#height : null;
  }

  show(source) {
    if (source?.url === this.#source?.url) {
      return;
    }
    this.#source = source ?? null;
    this.#readable = true;
    this.#load();
  }

  // A MJPEG stream goes on even if nobody looks: away with it while the camera is out of sight.
  pause(hidden) {
    this.#paused = hidden;
    if (hidden) {
      this.#remove();
    } else if (!this.#shown) {
      this.#load();
    }
  }

  #remove() {
    clearTimeout(this.#retry);
    if (this.#shown) {
      this.#shown.removeAttribute('src'); // which ends the stream
      this.#shown.remove();
      this.#shown = null;
    }
  }

  #load() {
    this.#remove();
    this.problem = '';
    if (!this.#source || this.#paused) {
      this.changed();
      return;
    }
    const attributes = this.#readable ? { crossorigin: 'anonymous' } : {};
    if (this.#source.kind === 'video') {
      this.#shown = element('video', { ...attributes, muted: true, autoplay: true, loop: true,
        playsInline: true, 'aria-hidden': 'true' });
      this.#shown.addEventListener('loadedmetadata', () => this.#loaded());
    } else {
      this.#shown = element('img', { ...attributes, alt: '' });
      this.#shown.addEventListener('load', () => this.#loaded());
    }
    this.#shown.addEventListener('error', () => this.#failed());
    this.#shown.src = this.#source.url;
    this.#stage.prepend(this.#shown);
  }

  #loaded() {
    this.problem = this.#readable ? ''
      : 'No cut-outs: the server of this picture does not let other pages read it.';
    this.changed();
  }

  #failed() {
    if (this.#readable && !this.present) {
      // Perhaps only its pixels are not for us.
      this.#readable = false;
      this.#load();
      return;
    }
    this.#remove();
    this.#readable = true;
    this.problem = `No picture: ${this.#source.url} cannot be shown.`;
    this.changed();
    this.#retry = setTimeout(() => this.#load(), AGAIN);
  }

  // A PNG as a data URI of what a rect shows, or null.
  cutOut([left, top, right, bottom]) {
    if (!this.readable) {
      return null;
    }
    const clip = (value) => Math.min(1, Math.max(0, value));
    const x = Math.floor(clip(left) * this.#width);
    const y = Math.floor(clip(top) * this.#height);
    const width = Math.ceil(clip(right) * this.#width) - x;
    const height = Math.ceil(clip(bottom) * this.#height) - y;
    if (width < 1 || height < 1) {
      return null;
    }
    return asPng(this.#shown, [x, y, width, height], LARGEST);
  }
}

// Draws a part of something, made smaller where it has to be; returns a PNG as a data URI.
export function asPng(source, [x, y, width, height], largest) {
  const scale = Math.min(1, largest / Math.max(width, height));
  const canvas = element('canvas');
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.getContext('2d').drawImage(
    source, x, y, width, height, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/png');
}
