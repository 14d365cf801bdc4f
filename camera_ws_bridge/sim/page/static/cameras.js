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

// All cameras: those that the simulator knows, and those of which boxes come.

import { Camera } from './camera.js';
import { write } from './dom.js';

const NAMELESS = '(no id)'; // boxes that were sent before an identifier

export class Cameras {
  #cameras = new Map();
  #grid = document.querySelector('#cameras');
  #count = document.querySelector('#camera-count');
  #page;

  constructor(page) {
    this.#page = page;
    page.client.addEventListener('boundingBoxes', ({ detail }) => {
      this.#of(`${detail.cameraId ?? NAMELESS}`).take(detail);
    });
    page.site.addEventListener('news', () => this.refresh());
    setInterval(() => this.refresh(), 500);
  }

  get ids() {
    return [...this.#cameras.keys()].sort();
  }

  refresh() {
    const { cameras, pictures } = this.#page.site.state;
    for (const id of [...Object.keys(cameras), ...Object.keys(pictures)]) {
      this.#of(id);
    }
    for (const [id, camera] of this.#cameras) {
      camera.refresh(cameras[id], pictures[id]);
    }
    const here = Object.values(cameras).filter((camera) => camera.registered).length;
    write(this.#count, this.#cameras.size
      ? `${here} of ${this.#cameras.size} registered` : 'none yet');
  }

  #of(id) {
    let found = this.#cameras.get(id);
    if (!found) {
      found = new Camera(id, this.#page);
      this.#cameras.set(id, found);
      const next = this.ids[this.ids.indexOf(id) + 1];
      this.#grid.insertBefore(found.element, next ? this.#cameras.get(next).element : null);
      this.#grid.classList.toggle('many', this.#cameras.size > 6);
      document.querySelector('#no-cameras').hidden = true;
    }
    return found;
  }
}
