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

// What the page says in words: shown for a while, and read out by screen readers.

import { element } from './dom.js';

const SECONDS = { info: 6, error: 15 };
const SHOWN = 4; // at a time

export class Messages {
  #list = document.querySelector('#messages');
  #quiet = document.querySelector('#announcement');

  info(text) {
    this.#show('info', text);
  }

  error(text) {
    this.#show('error', text);
  }

  // Reads a text out without showing it.
  announce(text) {
    this.#quiet.textContent = text;
  }

  #show(kind, text) {
    const line = element('li', { class: kind, role: kind === 'error' ? 'alert' : 'status' },
      element('span', {}, text),
      element('button', {
        type: 'button', class: 'quiet', 'aria-label': `Dismiss: ${text}`,
        onclick: () => line.remove(),
      }, '×'));
    this.#list.append(line);
    while (this.#list.children.length > SHOWN) {
      this.#list.firstChild.remove();
    }
    setTimeout(() => line.remove(), 1000 * SECONDS[kind]);
  }
}
