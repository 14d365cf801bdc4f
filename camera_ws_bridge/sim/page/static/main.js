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

// Puts the page together.

import { Cameras } from './cameras.js';
import { Client } from './client.js';
import { write } from './dom.js';
import { Faults } from './faults.js';
import { Messages } from './messages.js';
import { Objects } from './objects.js';
import { paintings } from './painter.js';
import { mayShow } from './picture.js';
import { Site } from './site.js';
import { setUpUpload } from './upload.js';

const page = { client: new Client(), site: new Site(), messages: new Messages() };
page.objects = new Objects(page);
const cameras = new Cameras(page);
new Faults(page);
setUpUpload(page, cameras);

// ---- the connection

const pill = document.querySelector('#connection');
const signIn = document.querySelector('#sign-in');
let connected = null;

function showConnection() {
  const wanted = page.site.state.faults.operatorToken ?? false;
  signIn.hidden = !wanted || page.client.open;
  write(pill, page.client.open ? 'connected' : wanted ? 'needs a token' : 'not connected');
  pill.classList.toggle('bad', !page.client.open);
  if (connected === true && !page.client.open && !wanted) {
    page.messages.error('The orchestrator has closed the connection. Trying again.');
  } else if (connected === false && page.client.open) {
    page.messages.info('Connected to the orchestrator again.');
  }
  connected = page.client.open || (connected === null ? null : false);
}

page.client.addEventListener('open', showConnection);
page.client.addEventListener('gone', showConnection);
page.client.addEventListener('refused', () => page.messages.error(
  'This token is not accepted: the orchestrator closed the connection right behind it.'));
page.site.addEventListener('news', showConnection);
signIn.addEventListener('submit', (event) => {
  event.preventDefault();
  page.client.authenticate(signIn.elements.token.value);
});

// ---- pictures of other origins: the policy of this page has to name them

page.site.addEventListener('news', () => {
  const strangers = !Object.values(page.site.state.pictures).every(mayShow);
  const before = Number(sessionStorage.getItem('reloaded') ?? 0);
  if (strangers && Date.now() - before > 3000) {
    sessionStorage.setItem('reloaded', `${Date.now()}`);
    location.reload();
  }
});

// ---- how the page itself does

const refreshes = document.querySelector('#refreshes');
let before = paintings;
setInterval(() => {
  write(refreshes, `page: ${paintings - before} drawings a second`);
  before = paintings;
}, 1000);
