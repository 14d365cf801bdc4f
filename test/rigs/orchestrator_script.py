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

"""
Plays one script of messages to any orchestrator and notes who is answered what, step by step.

The script (test/data/orchestrator-script.json) has scenes. Each begins with a fresh orchestrator,
which may demand tokens ("tokens": of whom) or forget objects ("tracking_timeout": after so many
seconds). A step is a list: who, what and arguments:

  CONNECTION open PATH           a WebSocket
  CONNECTION say MESSAGE...      JSON, one text frame each, sent at once
  CONNECTION text TEXT           any text frame
  CONNECTION bytes TEXT          a binary frame, Latin-1
  CONNECTION close CODE          a farewell
  CONNECTION vanish              none: the TCP connection ends
  CONNECTION hears COUNT         wait until so many messages came unasked
  http METHOD PATH               a request
  orchestrator restart           it is killed and started again

In messages {"$token": NAME} is a token and {"$repeat": [TEXT, COUNT]} a long text.

A step ends when every connection has got the pong of a ping sent after it, so that all its answers
are known. The answers are [connection, text] pairs: a message as on the wire, `closed CODE`,
`refused STATUS`, or what an HTTP request brought. Long texts are shortened to length and digest,
and the time in a timeline is left out.

orchestrator_recorder.py records the answers of an orchestrator that runs as a program.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import pathlib
import re
from typing import Any

from tornado import httpclient, websocket

DATA = pathlib.Path(__file__).parents[1] / 'data'
SCRIPT = DATA / 'orchestrator-script.json'
ANSWERS = DATA / 'orchestrator-answers.jsonl'  # of a real one
WAIT = 30.0  # seconds until a step gives up; none takes that long when all is well
LONG = 200  # characters that a text may have in the answers
BIGGEST = 64 * 2 ** 20  # bytes of a message to us
SETTLING = 3  # rounds of pings until a server has seen for sure that a connection is gone


class Connection:
    """A WebSocket that keeps what comes until a step asks for it."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.over = False
        self._pongs = 0
        self._news = asyncio.Condition()
        self._client: websocket.WebSocketClientConnection | None = None
        self._protocol: Any = None
        self._quiet = False  # it is we who end it
        self._farewell = False  # a close frame has come
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, url: str) -> None:  # noqa: A003 - what it is called in the script
        """Connect; a refusal counts as heard."""
        try:
            client = await asyncio.wait_for(websocket.websocket_connect(
                url, on_message_callback=self._on_message, max_message_size=BIGGEST), WAIT)
        except httpclient.HTTPClientError as error:
            self.over = True
            self.heard.append(f'refused {error.code}')
            return
        client.on_pong = self._on_pong  # type: ignore[method-assign]
        self._client, self._protocol = client, client.protocol
        handle = self._protocol._handle_message

        def watched(opcode: int, data: bytes) -> Any:
            self._farewell |= opcode == 0x8
            return handle(opcode, data)

        self._protocol._handle_message = watched

    async def send(self, *frames: str | bytes) -> None:
        """Send frames in one go, as far as the connection takes them."""
        assert self._client is not None
        with contextlib.suppress(websocket.WebSocketClosedError):
            for sent in [self._client.write_message(frame, isinstance(frame, bytes))
                         for frame in frames]:
                await sent

    async def ping(self) -> None:
        """Wait until everything sent so far is answered, or the connection is over."""
        if self.over:
            return
        assert self._client is not None
        expected = self._pongs + 1
        with contextlib.suppress(websocket.WebSocketClosedError):
            self._client.ping(str(expected).encode())
        await self.until(lambda: self._pongs >= expected)

    async def end(self, code: int | None) -> None:
        """Close; without a code: the TCP connection only."""
        self._quiet = True
        if code is None:
            self._protocol.stream.close()
        elif self._client is not None:
            self._client.close(code)
        await self.until(lambda: False)

    async def until(self, condition: Any, seconds: float = WAIT) -> None:
        """Wait until the condition holds, or the connection is over."""
        async with self._news:
            await asyncio.wait_for(
                self._news.wait_for(lambda: self.over or condition()), seconds)

    def take(self) -> list[str]:
        """Return what was heard since the last time."""
        heard, self.heard = self.heard, []
        return heard

    def _on_message(self, text: str | bytes | None) -> None:
        if text is not None:
            self.heard.append(text if isinstance(text, str) else repr(text))
        elif not self.over:
            self.over = True
            if not self._quiet:
                self.heard.append(f'closed {self._code()}')
        self._tell()

    def _on_pong(self, data: bytes) -> None:
        self._pongs = int(data)
        self._tell()

    def _code(self) -> int:
        assert self._client is not None
        if self._client.close_code is not None:
            return self._client.close_code
        return 1005 if self._farewell else 1006

    def _tell(self) -> None:
        async def tell() -> None:
            async with self._news:
                self._news.notify_all()

        task = asyncio.create_task(tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Player:
    """Plays a scene to an orchestrator: anything with start, kill and tokens, as Program has."""

    def __init__(self, orchestrator: Any, settings: dict[str, Any]) -> None:
        self._orchestrator = orchestrator
        self._settings = settings
        self._origin = ''
        self._connections: dict[str, Connection] = {}

    async def play(self, steps: list[list[Any]]) -> list[list[list[str]]]:
        """Return the answers to each step."""
        self._origin = await self._orchestrator.start(self._settings)
        answers = []
        for step in steps:
            told = await self._act(*step)
            for name, connection in self._connections.items():
                told += [[name, shortened(text)] for text in connection.take()]
            answers.append(told)
        for connection in self._connections.values():
            if not connection.over:
                await connection.end(1000)
        return answers

    async def _act(self, who: str, verb: str, *arguments: Any) -> list[list[str]]:
        if who == 'http':
            return [[who, await self._request(verb, *arguments)]]
        if who == 'orchestrator':
            await self._orchestrator.kill()
            for connection in self._connections.values():
                await connection.until(lambda: False)
            self._origin = await self._orchestrator.start(self._settings)
            return []
        if verb == 'open':
            self._connections.pop(who, None)
            self._connections[who] = Connection()
        connection = self._connections[who]
        rounds = 1
        if verb == 'open':
            await connection.open(self._origin + arguments[0])
        elif verb == 'say':
            await connection.send(*(
                json.dumps(self._filled(message)) for message in arguments))
        elif verb == 'text':
            await connection.send(arguments[0])
        elif verb == 'bytes':
            await connection.send(arguments[0].encode('latin-1'))
        elif verb == 'hears':
            with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
                await connection.until(lambda: len(connection.heard) >= arguments[0])
        elif verb in ('close', 'vanish'):
            await connection.end(*arguments or [None])
            rounds = SETTLING
        else:
            raise ValueError(f'{verb!r} is no verb')
        for _ in range(rounds):
            await self._settle(connection)
        return []

    async def _settle(self, acting: Connection) -> None:
        # The acting one first: what it said is handled when its pong is here, and what that made
        # the server say to others is behind it then, so in front of their pongs.
        await acting.ping()
        if acting.over:
            await self._request('GET', '/settle')
        for connection in self._connections.values():
            if connection is not acting:
                await connection.ping()

    async def _request(self, method: str, path: str) -> str:
        answer = await httpclient.AsyncHTTPClient().fetch(
            self._origin.replace('ws', 'http', 1) + path, method=method, raise_error=False,
            body='' if method == 'POST' else None, follow_redirects=False, request_timeout=WAIT)
        if answer.code != 200:
            return str(answer.code)
        body = answer.body.decode()
        body = re.sub(r'\d{4}/\d\d/\d\d \| \d\d:\d\d:\d\d', 'YYYY/MM/DD | HH:MM:SS', body)
        return '\n'.join([
            str(answer.code), answer.headers.get('Content-Type', ''),
            answer.headers.get('Access-Control-Allow-Origin', ''), body])

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            if '$token' in value:
                return self._orchestrator.tokens[value['$token']]
            if '$repeat' in value:
                text, count = value['$repeat']
                return text * count
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        return value


def shortened(text: str) -> str:
    """Return a message with long texts in it replaced by their length and digest."""
    if len(text) <= LONG:
        return text

    def short(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: short(item) for key, item in value.items()}
        if isinstance(value, list):
            return [short(item) for item in value]
        if isinstance(value, str) and len(value) > LONG:
            digest = hashlib.sha256(value.encode()).hexdigest()[:16]
            return f'{len(value)} characters, {digest}'
        return value

    return json.dumps(short(json.loads(text)))


def normal(text: str) -> str:
    """Return JSON in one spelling: keys keep their order, and 1 is not 1.0; else the text."""
    *head, body = text.split('\n')
    with contextlib.suppress(ValueError):
        body = json.dumps(json.loads(body))
    return '\n'.join([*head, body])


def read_script(path: pathlib.Path = SCRIPT) -> list[dict[str, Any]]:
    """Return the scenes."""
    scenes: list[dict[str, Any]] = json.loads(path.read_text(encoding='utf-8'))['scenes']
    return scenes


async def play(scene: dict[str, Any], orchestrator: Any) -> list[dict[str, Any]]:
    """Return a row for each step of a scene, with its answers."""
    answers = await Player(orchestrator, scene['settings']).play(scene['steps'])
    return [
        {'scene': scene['name'], 'step': number, 'does': step, 'answers': told}
        for number, (step, told) in enumerate(zip(scene['steps'], answers), 1)]


def read_answers(path: pathlib.Path) -> list[dict[str, Any]]:
    """Return the rows of a recording."""
    with path.open(encoding='utf-8') as lines:
        return [json.loads(line) for line in lines]


def differences(expected: list[dict[str, Any]], rows: list[dict[str, Any]]) -> list[str]:
    """Return a text for each step that was answered differently."""
    def told(row: dict[str, Any]) -> list[list[str]]:
        return [[who, normal(text)] for who, text in row['answers']]

    theirs = {(row['scene'], row['step']): row for row in expected}
    found = []
    for row in rows:
        other = theirs[row['scene'], row['step']]
        if other['does'] != row['does']:
            found.append(f'{row["scene"]}, step {row["step"]}: the recording is of another script')
        elif told(other) != told(row):
            found.append('\n  '.join([
                f'{row["scene"]}, step {row["step"]}: {json.dumps(row["does"])}',
                *(f'- {who}: {text!r}' for who, text in told(other)),
                *(f'+ {who}: {text!r}' for who, text in told(row))]))
    return found
