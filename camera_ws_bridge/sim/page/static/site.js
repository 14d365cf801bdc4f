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

// What the simulator tells besides /client (/page/state), and its orders (/control).

import { Socket } from './socket.js';

export class Site extends EventTarget {
  state = { now: 0, cameras: {}, objects: {}, faults: {}, pictures: {} };
  #socket = new Socket('/page/state');

  constructor() {
    super();
    this.#socket.addEventListener('news', ({ detail }) => {
      this.state = detail;
      this.dispatchEvent(new Event('news'));
    });
    this.#socket.addEventListener('gone', () => this.dispatchEvent(new Event('gone')));
  }

  get open() {
    return this.#socket.open;
  }

  registered(cameraId) {
    return this.state.cameras[cameraId]?.registered ?? false;
  }

  // Gives an order; throws an Error that says why it was not obeyed.
  async order(what, fields = {}) {
    let answer;
    try {
      answer = await fetch('/control', {
        method: 'POST', body: JSON.stringify({ do: what, ...fields }),
      });
    } catch {
      throw new Error('the orchestrator does not answer');
    }
    if (!answer.ok) {
      let why = `HTTP status ${answer.status}`;
      try {
        why = (await answer.json()).error;
      } catch {
        // Not of the simulator: the status says it.
      }
      throw new Error(why);
    }
  }
}
