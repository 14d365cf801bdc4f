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

// One camera: its picture, the boxes over it, and what a click or a key on them does.

import { boxAt, description, ordered, sameBox } from './boxes.js';
import { element, write } from './dom.js';
import { Meter } from './meter.js';
import { Painter, soon } from './painter.js';
import { mayShow, Picture } from './picture.js';

const STALE = 2000; // milliseconds after which boxes say nothing of now

export class Camera {
  meter = new Meter();
  #id;
  #page; // client, site, messages
  #frame = null; // the newest
  #drawn = null; // the one on the screen
  #chosen = null; // the box that the keyboard is on
  #pointed = null; // the box that the pointer is on
  #visible = true;

  constructor(id, page) {
    this.#id = id;
    this.#page = page;
    this.canvas = element('canvas', { 'aria-hidden': 'true' });
    this.option = element('span', { id: `chosen-${id}`, role: 'option', class: 'hidden' });
    this.note = element('p', { class: 'note' });
    this.stage = element('div', {
      class: 'stage', role: 'listbox', tabindex: '0',
      'aria-label': `Boxes of camera ${id}: arrow keys choose one, Enter tracks it`,
      onkeydown: (event) => this.#key(event),
      onclick: (event) => this.#click(event),
      onpointermove: (event) => this.#point(this.#boxAt(event)),
      onpointerleave: () => this.#point(null),
      onblur: () => this.#choose(null),
    }, this.canvas, this.note, this.option);
    this.figures = element('span', { class: 'figures' });
    this.badge = element('span', { class: 'badge' });
    this.element = element('article', { class: 'camera', 'aria-label': `Camera ${id}` },
      element('header', {}, element('h3', {}, id), this.badge, this.figures,
        element('button', {
          type: 'button', class: 'quiet', 'aria-label': `Picture of camera ${id}`,
          title: 'Where the picture comes from', onclick: () => this.#askForPicture(),
        }, '⋯')),
      this.stage, this.#form());
    this.painter = new Painter(this.canvas, () => soon(this));
    this.picture = new Picture(this.stage, () => this.#pictureChanged());
    new IntersectionObserver(([entry]) => {
      this.#visible = entry.isIntersecting;
      this.picture.pause(!this.#visible);
      soon(this);
    }, { rootMargin: '100px' }).observe(this.element);
  }

  // ---- what comes

  take(frame) {
    this.#frame = frame;
    this.meter.count(frame.frameId);
    if (this.#visible) {
      soon(this);
    }
  }

  paint() {
    const stale = this.meter.idle > STALE;
    this.#drawn = stale ? null : this.#frame;
    const boxes = this.#drawn?.boxes ?? [];
    this.#chosen = this.#chosen && sameBox(boxes, this.#chosen);
    this.#pointed = this.#pointed && sameBox(boxes, this.#pointed);
    if (this.#visible) {
      this.painter.paint(boxes, this.#chosen ?? this.#pointed);
    }
  }

  // Shows what changes slowly; is called a few times a second.
  refresh(known, source) {
    this.picture.show(source && mayShow(source) ? source : null); // else the page loads anew
    const registered = known?.registered ?? false;
    this.element.classList.toggle('away', !registered);
    const away = known?.awayFor === null || known?.awayFor === undefined
      ? 'not registered' : `away for ${Math.round(known.awayFor)} s`;
    write(this.badge, registered ? 'registered' : away);
    write(this.figures, this.meter.idle > STALE ? '' : `${this.meter}`);
    write(this.note, this.#noteText(registered));
    this.note.classList.toggle('small', this.picture.present);
    if (this.meter.idle > STALE && this.#drawn) {
      soon(this);
    }
  }

  #noteText(registered) {
    if (this.#frame === null) {
      return registered ? 'No boxes yet.' : 'Waiting for this camera.';
    }
    if (this.meter.idle > STALE) {
      return `No boxes for ${Math.round(this.meter.idle / 1000)} s.`;
    }
    return this.picture.problem;
  }

  #pictureChanged() {
    const shape = this.picture.shape;
    if (shape) {
      this.stage.style.aspectRatio = `${shape}`;
    }
    this.stage.classList.toggle('pictured', this.picture.present);
    soon(this);
  }

  // ---- what is asked for

  #boxAt(event) {
    const place = this.stage.getBoundingClientRect();
    return this.#drawn && boxAt(
      this.#drawn.boxes, (event.clientX - place.left) / place.width,
      (event.clientY - place.top) / place.height, place);
  }

  #point(box) {
    if (box !== this.#pointed) {
      this.#pointed = box;
      this.stage.style.cursor = box ? 'pointer' : '';
      soon(this);
    }
  }

  #click(event) {
    const box = this.#boxAt(event);
    if (box) {
      this.#start(box);
    }
  }

  #start(box) {
    const { client, site, messages } = this.#page;
    if (box.objectId !== undefined) {
      messages.info(`This is object ${box.objectId} already; it can be stopped in the list.`);
      this.#page.objects.highlight(box.objectId);
    } else if (!Number.isSafeInteger(box.boxId)) {
      messages.error(`Box ${box.boxId}: no browser can name such a large id exactly.`);
    } else if (site.open && !site.registered(this.#id)) {
      messages.error(`Camera ${this.#id} is not registered: the orchestrator would ignore this.`);
    } else {
      const { frameId } = this.#drawn;
      const image = this.picture.cutOut(box.rect);
      if (client.start(this.#id, { frameId, boxId: box.boxId, image })) {
        this.#page.objects.expect(this.#id, image);
        messages.announce(`Asked camera ${this.#id} to track: ${description(box)}`);
      } else {
        messages.error('Not connected to the orchestrator: nothing was started.');
      }
    }
  }

  // ---- the keyboard

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) {
      return; // the browser's own, e.g. back
    }
    const boxes = ordered(this.#drawn?.boxes ?? []);
    const at = this.#chosen ? boxes.findIndex((box) => box === this.#chosen) : -1;
    const to = {
      ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1,
      Home: 0, End: boxes.length - 1,
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.#choose(boxes.length ? boxes[(to + boxes.length) % boxes.length] : null, boxes);
    } else if ((event.key === 'Enter' || event.key === ' ') && event.target === this.stage) {
      event.preventDefault();
      if (this.#chosen) {
        this.#start(this.#chosen);
      }
    } else if (event.key === 'Escape') {
      this.#choose(null);
    }
  }

  #choose(box, boxes = []) {
    this.#chosen = box;
    if (box) {
      write(this.option, description(box));
      this.option.setAttribute('aria-setsize', boxes.length);
      this.option.setAttribute('aria-posinset', boxes.indexOf(box) + 1);
      this.option.setAttribute('aria-selected', 'true');
      this.stage.setAttribute('aria-activedescendant', this.option.id);
      this.#page.messages.announce(description(box));
    } else {
      this.stage.removeAttribute('aria-activedescendant');
      write(this.option, '');
    }
    soon(this);
  }

  // ---- where the picture comes from

  #form() {
    this.address = element('input', {
      type: 'url', placeholder: 'http://…  MJPEG, HLS or MP4', 'aria-label':
      `URL of the picture of camera ${this.#id}`, spellcheck: 'false',
    });
    this.dialog = element('form', { class: 'address', hidden: true, onsubmit: async (event) => {
      event.preventDefault();
      try {
        await this.#page.site.order(
          'picture', { camera: this.#id, url: this.address.value.trim() || null });
        this.dialog.hidden = true;
      } catch (error) {
        this.#page.messages.error(`Picture of camera ${this.#id}: ${error.message}`);
      }
    } }, this.address, element('button', { type: 'submit' }, 'Show'));
    return this.dialog;
  }

  #askForPicture() {
    this.dialog.hidden = !this.dialog.hidden;
    if (!this.dialog.hidden) {
      this.address.value = this.#page.site.state.pictures[this.#id]?.url ?? '';
      this.address.focus();
    }
  }
}
