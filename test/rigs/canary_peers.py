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

"""A token server and an orchestrator that give secrets away in every way that they have."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import ssl
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.sim.loop_thread import LoopThread
from rigs import raw_peer
from rigs.shared import WAIT


class Phase(NamedTuple):
    """One way to misbehave: a method's name, and what Status.cause says of it."""

    behave: str
    says: str
    untrusted: bool = False  # whether the server shows a certificate that nobody trusts


class Server:
    """One of the two, in a thread of its own; `behave` is the method that serves a connection."""

    def __init__(self, certificates: tuple[Any, Any] | None) -> None:
        """`certificates`: one that the bridge trusts, one that it does not; None: no TLS."""
        self.behave = 'good'
        self.served = 0  # connections in this way, to their end
        self._untrusted = False
        self._certificates = certificates
        self._tls: ssl.SSLContext | None = None
        if certificates is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.num_tickets = 0  # no resumption: each connection sees the certificate anew
            self._show(certificates[0])
        self._thread = LoopThread()
        self._stack = contextlib.AsyncExitStack()
        self._server = self._thread.submit(self._stack.enter_async_context(
            raw_peer.serving(self._serve, self._tls))).result(WAIT)
        self.url = self._server.named_url

    def _show(self, certificate: Any) -> None:
        assert self._tls is not None
        certificate.configure_cert(self._tls)

    async def _serve(self, peer: raw_peer.Peer) -> None:
        if self._untrusted:  # it has begun before that certificate was shown
            peer.writer.transport.abort()
            return
        behave = self.behave
        try:
            await getattr(self, behave)(peer)
        finally:
            self.served += behave == self.behave

    def turn_to(self, phase: Phase) -> None:
        """Misbehave in this way from the next connection on; open ones are broken."""
        async def turn() -> None:
            self.behave, self._untrusted, self.served = phase.behave, phase.untrusted, 0
            if self._certificates is not None:
                self._show(self._certificates[phase.untrusted])
            for peer in self._server.peers:
                peer.writer.transport.abort()
        self._thread.submit(turn()).result(WAIT)

    def stop(self) -> None:
        """End it."""
        self._thread.submit(self._stack.aclose()).result(WAIT)
        self._thread.stop()

    async def good(self, peer: raw_peer.Peer) -> None:
        """Do what is expected."""
        raise NotImplementedError


class TokenServer(Server):
    """Sends back what it was shown; the token that it gives is the test's."""

    PHASES = (
        Phase('error_500', 'HTTP 500'), Phase('refuse', 'HTTP 401'),
        Phase('redirect', 'redirects'), Phase('no_http', 'no HTTP'),
        Phase('no_json', 'not with a JSON object'), Phase('no_token', 'without an access_token'),
        Phase('bad_token', 'the access_token'))
    UNTRUSTED = Phase('good', 'certificate', untrusted=True)

    def __init__(self, token: str, certificates: tuple[Any, Any] | None = None) -> None:
        self._token = token
        self.secrets: set[str] = set()  # that were shown to it
        super().__init__(certificates)
        scheme = 'http' if certificates is None else 'https'
        self.url = f'{scheme}://localhost:{self._server.port}/token'

    async def good(self, peer: raw_peer.Peer) -> None:
        await self._echo(peer)
        await self._answer(peer, '200 OK', json.dumps(
            {'access_token': self._token, 'token_type': 'Bearer', 'expires_in': 3600}))

    async def error_500(self, peer: raw_peer.Peer) -> None:
        secrets = await self._echo(peer)
        await self._answer(peer, f'500 {secrets[1]}', '\n'.join(secrets), f'X-Echo: {secrets[0]}')

    async def refuse(self, peer: raw_peer.Peer) -> None:
        form, secret, token = await self._echo(peer)
        await self._answer(
            peer, '401 Unauthorized', json.dumps({
                'error': secret, 'error_description': form, 'access_token': token}),
            f'WWW-Authenticate: Bearer error="{secret}"')

    async def redirect(self, peer: raw_peer.Peer) -> None:
        form, secret, token = await self._echo(peer)
        await self._answer(
            peer, '302 Found', form, f'Location: http://localhost:1/{form}?token={token}')

    async def no_http(self, peer: raw_peer.Peer) -> None:
        await peer.send('\r\n'.join(await self._echo(peer)).encode() + b'\r\n\r\n')
        peer.writer.close()

    async def no_json(self, peer: raw_peer.Peer) -> None:
        await self._answer(peer, '200 OK', '{' + ' '.join(await self._echo(peer)))

    async def no_token(self, peer: raw_peer.Peer) -> None:
        form, secret, token = await self._echo(peer)
        await self._answer(peer, '200 OK', json.dumps({'error': secret, token: form}))

    async def bad_token(self, peer: raw_peer.Peer) -> None:
        form, secret, token = await self._echo(peer)
        await self._answer(peer, '200 OK', json.dumps({'access_token': f'{token}\n{secret}'}))

    async def _echo(self, peer: raw_peer.Peer) -> tuple[str, str, str]:
        """Read the request; return the form, the secret in it and the token."""
        await peer.read_request()
        size = int(re.search('content-length: *([0-9]+)', peer.request, re.IGNORECASE)[1])
        form = (await peer.reader.readexactly(size)).decode()
        secret = parse_qs(form)['client_secret'][0]
        self.secrets.add(secret)
        return form, secret, self._token

    async def _answer(
            self, peer: raw_peer.Peer, status: str, body: str, *headers: str) -> None:
        lines = [f'HTTP/1.1 {status}', f'Content-Length: {len(body)}', *headers, '', body]
        await peer.send('\r\n'.join(lines).encode())
        peer.writer.close()


class Orchestrator(Server):
    """Sends back the token that it was shown, in all that a WebSocket server can say."""

    PHASES = (
        Phase('close', 'rejected_token'), Phase('close_with_reason', 'rejected_token'),
        Phase('close_later', 'code 4401'), Phase('handshake_401', 'HTTP 401'),
        Phase('redirect', 'redirects'), Phase('bad_accept', 'not_websocket'),
        Phase('bad_status_line', 'not_websocket'), Phase('bad_header', 'not_websocket'))
    UNTRUSTED = Phase('good', 'certificate', untrusted=True)

    def __init__(self, token: str, certificates: tuple[Any, Any] | None = None) -> None:
        self._token = token
        self.tokens: set[str] = set()  # that were shown to it
        self.frame_ids: list[float] = []
        super().__init__(certificates)

    async def good(self, peer: raw_peer.Peer) -> None:
        await self._register(peer)
        token = self._token
        for text in (
                token, f'"{token}"', f'{{"{token}":1,"{token}":2}}', *map(strict_json.dumps, (
                    {'type': token}, {token: 1}, {'type': 'stop', 'objectId': token},
                    {'type': 'start', 'objectId': 1, 'image': token, 'boxId': token},
                    {'type': 'featureMap', 'objectId': 1, 'featureMap': [token]},
                    {'type': 'stop', 'objectId': 1}))):
            await peer.send(raw_peer.frame(raw_peer.TEXT, text.encode()))
        await peer.send(raw_peer.frame(raw_peer.BINARY, token.encode()))
        while True:
            await self._pongs(peer)

    async def close(self, peer: raw_peer.Peer) -> None:
        await self._authenticated(peer)
        await self._farewell(peer)

    async def close_with_reason(self, peer: raw_peer.Peer) -> None:
        await self._authenticated(peer)
        await self._farewell(peer, 4401, f'no: {self._token}')

    async def close_later(self, peer: raw_peer.Peer) -> None:
        await self._register(peer)
        await asyncio.sleep(1.5)  # the bridge blames the token for what comes sooner
        await self._farewell(peer, 4401, f'expired: {self._token}')

    async def handshake_401(self, peer: raw_peer.Peer) -> None:
        await peer.answer(f'401 {self._token}', f'WWW-Authenticate: Bearer {self._token}',
                          body=self._token.encode())

    async def redirect(self, peer: raw_peer.Peer) -> None:
        await peer.answer('302 Found', f'Location: ws://localhost:1/{self._token}?{self._token}')

    async def bad_accept(self, peer: raw_peer.Peer) -> None:
        await peer.answer('101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade',
                          f'Sec-WebSocket-Accept: {self._token}')

    async def bad_status_line(self, peer: raw_peer.Peer) -> None:
        await peer.read_request()
        await peer.send(f'{self._token} {self._token}\r\n\r\n'.encode())
        peer.writer.close()

    async def bad_header(self, peer: raw_peer.Peer) -> None:
        await peer.read_request()
        await peer.send(f'HTTP/1.1 101 Up\r\n{self._token}\r\n\r\n'.encode())
        peer.writer.close()

    async def _farewell(self, peer: raw_peer.Peer, *code_and_reason: Any) -> None:
        await peer.send(raw_peer.close_frame(*code_and_reason))
        while (await peer.read_frame())[0] != raw_peer.CLOSE:
            pass  # what was on the way
        peer.writer.close()

    async def _authenticated(self, peer: raw_peer.Peer) -> None:
        await peer.upgrade()
        kind, text = await peer.read_frame()
        if kind == raw_peer.CLOSE:  # it was told to end while it still waited for its token
            raise ConnectionResetError
        self.tokens.add(strict_json.loads(text)['jwt'])

    async def _register(self, peer: raw_peer.Peer) -> None:
        await self._authenticated(peer)
        await self._pongs(peer)

    async def _pongs(self, peer: raw_peer.Peer) -> None:
        """Read up to the next ping, and answer it."""
        while True:
            kind, payload = await peer.read_frame()
            if kind == raw_peer.PING:
                await peer.send(raw_peer.frame(raw_peer.PONG, payload))
                return
            if kind == raw_peer.CLOSE:
                await peer.send(raw_peer.frame(raw_peer.CLOSE, payload))
                raise ConnectionResetError  # what the server takes for the end
            message = strict_json.loads(payload)
            if message['type'] == 'boundingBoxes':
                self.frame_ids.append(message['frameId'])
