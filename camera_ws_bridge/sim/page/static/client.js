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

// The operator's connection, /client, as any interface of the orchestrator has it.

import { Socket } from './socket.js';

const PROOF = 1000; // milliseconds that a connection has to last

export class Client extends EventTarget {
  #socket = new Socket('/client');
  #proven = false; // who has shown no token is thrown out right behind the first message
  #proof = 0;
  #token = sessionStorage.getItem('token') ?? '';
  #trial = ''; // of a token that was typed in: '', 'due' or 'on'

  constructor() {
    super();
    this.#socket.addEventListener('open', () => {
      if (this.#token) {
        this.#socket.send({ type: 'authenticate', jwt: this.#token });
        this.#trial = this.#trial && 'on';
      }
      // Only who says so is told of new objects and of stops.
      this.#socket.send({ type: 'setUsesImages', usesImages: true });
      this.#proof = setTimeout(() => this.#prove(), PROOF);
    });
    this.#socket.addEventListener('gone', () => {
      clearTimeout(this.#proof);
      this.#proven = false;
      this.dispatchEvent(new Event('gone'));
      if (this.#trial === 'on') {
        this.#trial = '';
        this.dispatchEvent(new Event('refused'));
      }
    });
    this.#socket.addEventListener('news', ({ detail }) => {
      this.#prove();
      // boundingBoxes, newObject or stop.
      this.dispatchEvent(new CustomEvent(detail.type, { detail }));
    });
  }

  get open() {
    return this.#proven;
  }

  #prove() {
    if (!this.#proven) {
      clearTimeout(this.#proof);
      this.#proven = true;
      this.#trial = '';
      this.dispatchEvent(new Event('open'));
    }
  }

  // Shows this token from now on; kept until the tab is closed.
  authenticate(token) {
    this.#token = token;
    this.#trial = 'due';
    sessionStorage.setItem('token', token);
    this.#socket.restart();
  }

  // Asks a camera to track what is in a box, or on an image, or both.
  start(cameraId, { frameId, boxId, image }) {
    const message = { type: 'start', cameraId };
    if (boxId !== undefined) {
      Object.assign(message, { frameId, boxId });
    }
    if (image) {
      message.image = image;
    }
    return this.#socket.send(message);
  }

  stop(objectId) {
    return this.#socket.send({ type: 'stop', objectId });
  }
}
