# Copyright 2026 camera_ws_bridge developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""What tests of several modules need."""

import asyncio
import gc
import ssl
import time

WAIT = 30.0  # seconds until a test gives up; no test takes that long when all is well


def own_words(text: str) -> str:
    """Return what a process said, without Cyclone DDS's line on a loopback without multicast."""
    return ''.join(line for line in text.splitlines(keepends=True)
                   if 'is not multicast-capable' not in line)


def run(job):
    """Run the test's coroutine; nothing may be left in the loop that complains."""
    complaints = []

    async def watched():
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: complaints.append(context))
        await asyncio.wait_for(job, 2 * WAIT)
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(watched())
    gc.collect()
    assert complaints == []


def wait_until(condition, what='it happens', turn=lambda: time.sleep(0.005), patience=WAIT):
    """Wait until the condition holds; `turn` is what is done meanwhile."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, f'waited {patience:g} s until {what}'
        turn()


async def until(condition, patience=WAIT):
    """Wait until the condition holds, in a loop."""
    async def poll():
        while not condition():
            await asyncio.sleep(0.005)
    await asyncio.wait_for(poll(), patience)


class Clock:
    """A monotonic clock that moves when told to."""

    now = 1000.0

    def __call__(self):
        return self.now


class Recorder:
    """A logger that keeps its lines."""

    def __init__(self):
        self.lines = []

    def debug(self, message):
        self.lines.append(message)

    info = warning = error = debug


def server_tls(certificate, clients=None):
    """Return a server's side of TLS; clients: the authority that must have signed theirs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if clients is not None:
        clients.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def tls_pem(authority):
    """Return PEM texts by name: a camera's certificate and key, and what can be wrong there."""
    from cryptography.hazmat.primitives import serialization

    ours = authority.issue_cert('camera@site')
    other = authority.issue_cert('other@site')
    key = serialization.load_pem_private_key(ours.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b'a password'))
    return {
        'ca': authority.cert_pem.bytes(),
        'cert': b''.join(blob.bytes() for blob in ours.cert_chain_pems),
        'key': ours.private_key_pem.bytes(), 'both': ours.private_key_and_cert_chain_pem.bytes(),
        'locked': locked, 'other_key': other.private_key_pem.bytes(), 'garbage': b'no PEM at all',
        'empty': b''}


def replace_text(path, text):
    """Write a file that another process reads at any time: it sees the old text or the new."""
    fresh = path.with_name(path.name + '.fresh')
    fresh.write_text(text)
    fresh.replace(path)
