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

// When which camera saw an object, as bars: a row a camera.

import { drawing } from './dom.js';

const SPAN = 120; // seconds
const ROW = 12; // pixels

export function timeline(seen, now, colour) {
  const cameras = [...new Set(seen.map(([camera]) => camera))].sort();
  const height = Math.max(1, cameras.length) * ROW;
  const rows = cameras.map((camera, index) => {
    const bars = seen.filter(([whose, , to]) => whose === camera && to > now - SPAN).map(
      ([, from, to]) => {
        const begin = Math.max(0, SPAN - (now - from));
        return drawing('rect', {
          x: begin, y: index * ROW + 3, width: Math.max(0.8, SPAN - (now - to) - begin),
          height: ROW - 6, fill: colour, rx: 0.6,
        });
      });
    return drawing('g', {}, drawing('line', {
      x1: 0, x2: SPAN, y1: index * ROW + ROW / 2, y2: index * ROW + ROW / 2, class: 'axis',
    }), ...bars);
  });
  return { cameras, picture: drawing('svg', {
    viewBox: `0 0 ${SPAN} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true',
    height: `${height}`,
  }, ...rows) };
}

// Where it was seen last, in words.
export function lastSeen(seen, now) {
  if (!seen.length) {
    return 'not seen yet';
  }
  const [camera, , to] = seen.reduce((one, other) => (other[2] >= one[2] ? other : one));
  const ago = Math.max(0, Math.round(now - to));
  return ago < 2 ? `on ${camera} now` : `last on ${camera}, ${ago} s ago`;
}
