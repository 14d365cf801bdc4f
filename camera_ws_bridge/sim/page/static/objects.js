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

// The tracked objects: cut-out, who has a feature map, where they were seen, and an end to it.

import { colourOf } from './colours.js';
import { element, write } from './dom.js';
import { lastSeen, timeline } from './timeline.js';

const PATIENCE = 5000; // milliseconds until an answer to a start is missed

class Entry {
  constructor(objectId, stop) {
    this.colour = colourOf(objectId);
    this.image = element('img', { alt: `Cut-out of object ${objectId}`, hidden: true });
    this.blank = element('span', { class: 'blank', 'aria-hidden': 'true' }, `${objectId}`);
    this.where = element('span', { class: 'where' }, 'not seen yet');
    this.maps = element('ul', { class: 'maps', 'aria-label': 'Cameras with a feature map' });
    this.times = element('div', { class: 'times' });
    const swatch = element('span', { class: 'swatch', 'aria-hidden': 'true' });
    swatch.style.background = this.colour;
    this.element = element('li', { class: 'object', 'data-object': `${objectId}` },
      element('div', { class: 'cutout' }, this.image, this.blank),
      element('div', { class: 'about' },
        element('h3', {}, swatch, `Object ${objectId}`), this.where, this.maps, this.times),
      element('button', {
        type: 'button', 'aria-label': `Stop object ${objectId}`, onclick: stop,
      }, 'Stop'));
    this.element.style.setProperty('--colour', this.colour);
  }

  show(image) {
    if (image?.startsWith('data:image/')) {
      this.image.src = image;
      this.image.hidden = false;
      this.blank.hidden = true;
    }
  }

  refresh(known, cameras, now) {
    write(this.where, lastSeen(known.seen, now));
    const has = new Set(known.maps);
    const text = cameras.map((camera) => `${camera}${has.has(camera)}`).join('\n');
    if (this.maps.dataset.text !== text) {
      this.maps.dataset.text = text;
      this.maps.replaceChildren(...cameras.map((camera) => element(
        'li', { class: has.has(camera) ? 'has' : '' },
        has.has(camera) ? '✓ ' : '– ', camera,
        element('span', { class: 'hidden' },
          has.has(camera) ? ' has a feature map' : ' has no feature map'))));
    }
    const { cameras: rows, picture } = timeline(known.seen, now, this.colour);
    this.times.replaceChildren(
      element('div', { class: 'rows' }, ...rows.map((camera) => element('span', {}, camera))),
      picture);
  }
}

export class Objects {
  #entries = new Map(); // by object id
  #list = document.querySelector('#objects');
  #none = document.querySelector('#no-objects');
  #page;
  #expected = []; // cameras that were asked to start one: { camera, image, timer }

  constructor(page) {
    this.#page = page;
    page.client.addEventListener('newObject', ({ detail }) => {
      const mine = this.#expected.findIndex(({ image }) => (image ?? undefined) === detail.image);
      if (mine >= 0) {
        const [{ camera, timer }] = this.#expected.splice(mine, 1);
        clearTimeout(timer);
        page.messages.info(`Object ${detail.objectId} started on camera ${camera}.`);
      }
      this.#of(detail.objectId).show(detail.image);
    });
    page.client.addEventListener('stop', ({ detail }) => this.#remove(detail.objectId));
    page.site.addEventListener('news', () => this.#refresh());
  }

  // A start was sent: if nothing comes of it, that is said.
  expect(camera, image) {
    const expected = { camera, image, timer: setTimeout(() => {
      this.#expected.splice(this.#expected.indexOf(expected), 1);
      this.#page.messages.error(`Nothing was heard of the start on camera ${camera}.`
        + ' Is the orchestrator stalled?');
    }, PATIENCE) };
    this.#expected.push(expected);
  }

  highlight(objectId) {
    const entry = this.#entries.get(objectId);
    if (entry) {
      entry.element.scrollIntoView({ block: 'nearest' });
      entry.element.classList.remove('flash');
      requestAnimationFrame(() => entry.element.classList.add('flash'));
    }
  }

  #refresh() {
    const { objects, cameras, now } = this.#page.site.state;
    for (const objectId of Object.keys(objects)) {
      this.#of(Number(objectId)).refresh(objects[objectId], Object.keys(cameras).sort(), now);
    }
    // Some end without a stop for operators: by a restart, or after a time.
    for (const objectId of this.#entries.keys()) {
      if (!(objectId in objects)) {
        this.#remove(objectId);
      }
    }
    this.#none.hidden = this.#entries.size > 0;
  }

  #of(objectId) {
    let entry = this.#entries.get(objectId);
    if (!entry) {
      entry = new Entry(objectId, () => {
        if (!this.#page.client.stop(objectId)) {
          this.#page.messages.error('Not connected to the orchestrator: nothing was stopped.');
        }
      });
      this.#entries.set(objectId, entry);
      this.#list.prepend(entry.element);
      this.#none.hidden = true;
    }
    return entry;
  }

  #remove(objectId) {
    const entry = this.#entries.get(objectId);
    if (entry) {
      const focused = entry.element.contains(document.activeElement);
      entry.element.remove();
      this.#entries.delete(objectId);
      this.#none.hidden = this.#entries.size > 0;
      this.#page.messages.announce(`Object ${objectId} is not tracked any more.`);
      if (focused) {
        document.querySelector('#objects-heading').focus();
      }
    }
  }
}
