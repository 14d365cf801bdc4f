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

// Questions about the boxes of one frame; rects are left, top, right, bottom, 0 to 1.

export function label(box) {
  const certainty = `${Math.round(100 * box.certainty)} %`;
  const object = box.objectId === undefined ? '' : `#${box.objectId} `;
  return `${object}${box.objectType} ${certainty}`;
}

// In words, for who hears it.
export function description(box) {
  const tracked = box.objectId === undefined ? '' : `, tracked as object ${box.objectId}`;
  return `Box ${box.boxId}: ${box.objectType}, ${Math.round(100 * box.certainty)} percent${tracked}`;
}

function area([left, top, right, bottom]) {
  return Math.max(0, right - left) * Math.max(0, bottom - top);
}

function distance([left, top, right, bottom], x, y, width, height) {
  const dx = Math.max(left - x, 0, x - right) * width;
  const dy = Math.max(top - y, 0, y - bottom) * height;
  return Math.hypot(dx, dy);
}

// The box at a point: the smallest that holds it, else the nearest within reach. Width, height and
// reach are in pixels, so that a finger finds a small box.
export function boxAt(boxes, x, y, { width, height, reach = 12 }) {
  let best = null;
  let bestScore = [Infinity, Infinity];
  for (const box of boxes) {
    const away = distance(box.rect, x, y, width, height);
    const score = [away, area(box.rect)];
    if (away <= reach && (score[0] < bestScore[0]
        || (score[0] === bestScore[0] && score[1] < bestScore[1]))) {
      best = box;
      bestScore = score;
    }
  }
  return best;
}

// Left to right, in which order the arrow keys go.
export function ordered(boxes) {
  return [...boxes].sort((one, other) => one.rect[0] - other.rect[0] || one.boxId - other.boxId);
}

function overlap(one, other) {
  const both = area([
    Math.max(one[0], other[0]), Math.max(one[1], other[1]),
    Math.min(one[2], other[2]), Math.min(one[3], other[3])]);
  return both / (area(one) + area(other) - both || 1);
}

// The box of a newer frame that shows the same: not all detectors keep their ids.
export function sameBox(boxes, old) {
  const same = boxes.find((box) => box.boxId === old.boxId);
  if (same && (same.objectId === old.objectId || overlap(same.rect, old.rect) > 0)) {
    return same;
  }
  return boxes.find((box) => overlap(box.rect, old.rect) > 0.4) ?? null;
}
