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

// Frames a second and their delay, of what came within the last moments.

const WINDOW = 2000; // milliseconds
const DAY = 86400; // seconds

export class Meter {
  #arrivals = []; // milliseconds, oldest first
  #delay = null; // seconds, smoothed
  newest = -Infinity;

  // frameId: seconds; of the clock, or since the stream began: then it says nothing of a delay.
  count(frameId) {
    const now = performance.now();
    this.newest = now;
    this.#arrivals.push(now);
    const delay = Date.now() / 1000 - frameId;
    if (Math.abs(delay) > DAY) {
      this.#delay = null;
    } else {
      this.#delay = this.#delay === null ? delay : 0.9 * this.#delay + 0.1 * delay;
    }
  }

  get idle() { // milliseconds without a frame
    return performance.now() - this.newest;
  }

  get rate() {
    const since = performance.now() - WINDOW;
    let old = 0;
    while (old < this.#arrivals.length && this.#arrivals[old] < since) {
      old += 1;
    }
    this.#arrivals.splice(0, old);
    return this.#arrivals.length / (WINDOW / 1000);
  }

  toString() {
    const rate = `${this.rate.toFixed(this.rate < 10 ? 1 : 0)} fps`;
    if (this.#delay === null || !this.#arrivals.length) {
      return rate;
    }
    const delay = Math.abs(this.#delay) < 10
      ? `${Math.round(1000 * this.#delay)} ms` : `${Math.round(this.#delay)} s`;
    return `${rate} · ${delay}`;
  }
}
