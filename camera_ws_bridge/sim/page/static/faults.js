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

// The simulator's faults, and what the bridges did about them.

import { element, write } from './dom.js';

function number(field) {
  return field.value === '' ? undefined : Number(field.value);
}

export class Faults {
  #page;
  #state = document.querySelector('#fault-state');
  #stall = document.querySelector('#stall');
  #rows = document.querySelector('#outcome');
  #shown = new Map(); // cells by camera

  constructor(page) {
    this.#page = page;
    const forms = {
      drop: () => [['drop']],
      stall: () => [[page.site.state.faults.stalled ? 'resume' : 'stall']],
      away: () => [['refuse', { status: 503 }], ['drop']],
      accept: () => [['accept']],
      refuse: ({ status, after }) => [
        ['refuse', { status: number(status), retry_after: number(after) }]],
      close: ({ code }) => [['accept_then_close', { code: number(code) }]],
      redirect: ({ location }) => [['redirect', { location: location.value }]],
      token: ({ token, whose }) => [['demand_token', {
        token: token.value || null, operators: whose.value === 'operators' }]],
      send: ({ camera, text }) => [['send', { camera: camera.value, text: text.value }]],
    };
    for (const form of document.querySelectorAll('#faults form')) {
      form.addEventListener('submit', (event) => {
        event.preventDefault();
        this.#order(forms[form.dataset.fault](form.elements));
      });
    }
    page.site.addEventListener('news', () => this.#refresh());
  }

  async #order(orders) {
    try {
      for (const [what, fields] of orders) {
        await this.#page.site.order(what, fields);
      }
    } catch (error) {
      this.#page.messages.error(`Refused: ${error.message}.`);
    }
  }

  #refresh() {
    const { faults, cameras } = this.#page.site.state;
    const words = [
      faults.stalled ? 'stalled: nothing is read or answered' : '',
      faults.handshake ? `cameras are ${faults.handshake}` : '',
      faults.token ? 'cameras need a token' : '',
      faults.operatorToken ? 'operators need a token' : ''].filter(Boolean);
    write(this.#state, words.length ? `Now: ${words.join('; ')}.` : 'Now: no fault is on.');
    this.#state.classList.toggle('on', words.length > 0);
    write(this.#stall, faults.stalled ? 'Resume' : 'Stall');
    for (const id of Object.keys(cameras).sort()) {
      this.#row(id, cameras[id]);
    }
  }

  #row(id, camera) {
    if (!this.#shown.has(id)) {
      const cells = Array.from({ length: 5 }, () => element('td'));
      this.#shown.set(id, cells);
      this.#rows.append(element('tr', {}, element('th', { scope: 'row' }, id), ...cells));
    }
    const seconds = (value) => (value === null ? '–' : `${value.toFixed(1)} s`);
    const texts = [
      camera.registered ? '–' : seconds(camera.awayFor), seconds(camera.backAfter),
      `${camera.buffered}`, `${camera.again}`, `${camera.frames}`];
    this.#shown.get(id).forEach((cell, index) => write(cell, texts[index]));
  }
}
