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
A simulator of the orchestrator: the executable `orchestrator_sim`.

It speaks the real protocol on /processor and /client (docs/protocol.md), and serves a page for
operators to look at in a browser (docs/operator_page.md). It can be told to misbehave, by option,
on the page, or over HTTP on the same port:

  curl http://127.0.0.1:8080/stats
  curl http://127.0.0.1:8080/control -d '{"do": "drop"}'

What it can `do`: drop (break all processor connections), stall and resume (neither read nor
answer), refuse (with "status" and "retry_after") and accept, accept_then_close (with "code"),
redirect (with "location"), demand_token (with "token", and "operators": true for theirs), send
(with "camera" and "text": any text), picture (with "camera" and "url": where the page finds it).
The faults are for processors; only a stall is felt by operators too. Whoever can reach the port
can give orders, but for web pages of other origins: mind that with --host.

As the real one it answers /objectIds (all of this life) and /timelines?objectId=1 (who saw it).
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import logging
import signal
import ssl
import sys

from camera_ws_bridge.sim.arguments import parse, port, positive
from camera_ws_bridge.sim.orchestrator.server import OrchestratorSim
from camera_ws_bridge.sim.orchestrator.timelines import Timelines
from camera_ws_bridge.sim.page.pictures import named
from tornado import ioloop

__all__ = ['main', 'OrchestratorSim']

EXAMPLES = """
examples:
  orchestrator_sim                                  on port 8080 of the loopback interface
  orchestrator_sim --port 0 --record traffic.jsonl  on a free port, with all traffic in a file
  orchestrator_sim --refuse 503 --retry-after 5     an orchestrator that is overloaded
  orchestrator_sim --accept-then-close 1011         one that fails behind the handshake
  orchestrator_sim --drop-every 10                  one behind a bad network
  orchestrator_sim --picture gate=http://127.0.0.1:8081/stream?topic=/gate/image
                                                    with the picture of a real camera on its page
"""


def main(args: list[str] | None = None) -> int:
    """Serve until a signal comes."""
    parser = _parser()
    arguments = parse(parser, args)
    if arguments.tls_key and not arguments.tls_cert:
        parser.error('--tls-key without --tls-cert')
    logging.basicConfig(
        level=arguments.log_level.upper(), format='[%(levelname)s] [%(name)s]: %(message)s')
    try:
        asyncio.run(_serve(arguments))
    except (OSError, ValueError) as error:
        where = ''  # which the error of a socket does not say
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            where = f'{arguments.host} port {arguments.port}: '
        print(f'orchestrator_sim: {where}{error}', file=sys.stderr)
        return 1
    return 0


async def _serve(arguments: argparse.Namespace) -> None:
    tls: ssl.SSLContext | None = None
    if arguments.tls_cert:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(arguments.tls_cert, arguments.tls_key)
    sim = OrchestratorSim(
        host=arguments.host, port=arguments.port, token=arguments.token,
        record=arguments.record, tls=tls)
    sim.state.operator_token = arguments.operator_token
    sim.state.tracking_timeout = arguments.tracking_timeout
    sim.timelines = Timelines(arguments.timelines)
    for camera, url in arguments.picture:
        sim.page.pictures.show(camera, url)
    for name in arguments.allow_host:
        sim.page.guard.allow(name)
    if arguments.refuse is not None:
        sim.refuse(arguments.refuse, arguments.retry_after)
    elif arguments.accept_then_close is not None:
        sim.accept_then_close(arguments.accept_then_close or None)
    elif arguments.redirect is not None:
        sim.redirect(arguments.redirect)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await sim.start()
    print(f'listening on {sim.url}', flush=True)
    print("operator's page:", sim.page_url, flush=True)
    if arguments.drop_every:
        ioloop.PeriodicCallback(sim.drop, 1000 * arguments.drop_every).start()
    if arguments.stall_after is not None:
        asyncio.get_running_loop().call_later(arguments.stall_after, sim.faults.stall)
    await ended.wait()
    await sim.stop()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='orchestrator_sim', description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--host', default='127.0.0.1', help='address to listen on (127.0.0.1)')
    parser.add_argument('--port', type=port, default=8080, help='0: the kernel picks (8080)')
    parser.add_argument('--record', metavar='FILE', help='append all traffic, a JSON line each')
    parser.add_argument('--token', help='demand this token of processors')
    parser.add_argument('--operator-token', help='demand this token of operators')
    parser.add_argument('--tracking-timeout', type=positive, metavar='SECONDS',
                        help='stop each object so long after its start')
    parser.add_argument('--timelines', metavar='FOLDER',
                        help='keep there who has seen which object, over restarts')
    parser.add_argument('--tls-cert', metavar='FILE', help='PEM certificate: serve wss://')
    parser.add_argument('--tls-key', metavar='FILE', help='PEM key, if not in --tls-cert')
    parser.add_argument('--picture', type=_picture, action='append', default=[],
                        metavar='CAMERA=URL', help="where the page finds a camera's picture: "
                        'MJPEG, HLS or MP4 over HTTP; may be given for each camera')
    parser.add_argument('--allow-host', action='append', default=[], metavar='NAME',
                        help='a name under which browsers reach the page, besides localhost, '
                        "the machine's own and IP addresses")
    upgrade = parser.add_mutually_exclusive_group()
    upgrade.add_argument('--refuse', type=int, metavar='STATUS',
                         help='answer handshakes with an HTTP status, e.g. 401, 403, 404 or 503')
    upgrade.add_argument('--accept-then-close', type=int, nargs='?', const=0, metavar='CODE',
                         help='accept, then close at once (without a code)')
    upgrade.add_argument('--redirect', metavar='URL', help='redirect processors elsewhere')
    parser.add_argument('--retry-after', type=int, metavar='SECONDS',
                        help='what --refuse says in the header Retry-After')
    parser.add_argument('--drop-every', type=float, metavar='SECONDS',
                        help='break all processor connections again and again')
    parser.add_argument('--stall-after', type=float, metavar='SECONDS',
                        help='stop reading and answering after so long; 0: from the start')
    parser.add_argument('--log-level', default='info',
                        choices=('debug', 'info', 'warning', 'error'), help='(info)')
    return parser


def _picture(text: str) -> tuple[str, str]:
    try:
        return named(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == '__main__':
    sys.exit(main())
