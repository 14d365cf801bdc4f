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

// Starts an object by an image from a file: PNG or JPEG, sent as PNG.

import { element } from './dom.js';
import { asPng } from './picture.js';

const LARGEST = 1024; // pixels, the longer side
const KINDS = ['image/png', 'image/jpeg'];

export function setUpUpload(page, cameras) {
  const form = document.querySelector('#upload');
  const { camera, file } = form.elements;

  function offer() {
    const ids = cameras.ids;
    if ([...camera.options].map((option) => option.value).join('\n') !== ids.join('\n')) {
      const chosen = camera.value;
      camera.replaceChildren(...ids.map((id) => element('option', { value: id }, id)));
      camera.value = ids.includes(chosen) ? chosen : (ids[0] ?? '');
    }
  }
  page.site.addEventListener('news', offer);

  async function start(image) {
    if (!camera.value) {
      throw new Error('there is no camera to look for it');
    }
    if (page.site.open && !page.site.registered(camera.value)) {
      throw new Error(`camera ${camera.value} is not registered`);
    }
    if (!image) {
      throw new Error('choose a PNG or JPEG first');
    }
    if (!KINDS.includes(image.type)) {
      throw new Error(`${image.name} is neither PNG nor JPEG`);
    }
    let bitmap;
    try {
      bitmap = await createImageBitmap(image);
    } catch {
      throw new Error(`${image.name} cannot be read as an image`);
    }
    const png = asPng(bitmap, [0, 0, bitmap.width, bitmap.height], LARGEST);
    if (!page.client.start(camera.value, { image: png })) {
      throw new Error('not connected to the orchestrator');
    }
    page.objects.expect(camera.value, png);
    form.reset();
    offer();
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const chosen = camera.value;
    try {
      await start(file.files[0]);
    } catch (error) {
      page.messages.error(`Nothing was started: ${error.message}.`);
    }
    camera.value = chosen;
  });
}
