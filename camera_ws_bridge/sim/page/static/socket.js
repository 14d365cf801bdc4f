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

// A WebSocket that comes back by itself.

const FIRST = 250; // milliseconds until it tries again
const LONGEST = 4000;

export class Socket extends EventTarget {
  #address;
  #socket = null;
  #wait = FIRST;
  #again = 0; // the timer of a pause

  constructor(path) {
    super();
    this.#address = new URL(path, location.href);
    this.#address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    this.#open();
  }

  get open() {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  // Sends an object as JSON; false: there is no connection.
  send(message) {
    if (this.open) {
      this.#socket.send(JSON.stringify(message));
    }
    return this.open;
  }

  // Begins anew, at once.
  restart() {
    this.#wait = 0;
    if (this.#socket.readyState === WebSocket.CLOSED) {
      clearTimeout(this.#again);
      this.#open();
    } else {
      this.#socket.close();
    }
  }

  #open() {
    this.#socket = new WebSocket(this.#address);
    this.#socket.addEventListener('open', () => {
      this.dispatchEvent(new Event('open'));
    });
    this.#socket.addEventListener('message', (event) => {
      this.#wait = FIRST;
      this.dispatchEvent(new CustomEvent('news', { detail: JSON.parse(event.data) }));
    });
    this.#socket.addEventListener('close', () => {
      this.dispatchEvent(new Event('gone'));
      this.#again = setTimeout(() => this.#open(), this.#wait);
      this.#wait = Math.min(2 * Math.max(this.#wait, FIRST), LONGEST);
    });
  }
}
