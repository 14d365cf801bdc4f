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
A name server of few words: every name has the addresses that stand in a file.

    python3 resolver.py ADDRESS FILE

The file is read for every question, an address a line. It says `ready`, and answers on port 53.
"""

from __future__ import annotations

import pathlib
import socket
import struct
import sys

A = 1  # the type of a question for IPv4 addresses


def answer(question: bytes, addresses: list[str]) -> bytes:
    """Return the answer to a question that a client has sent."""
    end = question.index(0, 12) + 5  # the name, its type and class
    kind, = struct.unpack_from('!H', question, end - 4)
    found = addresses if kind == A else []
    records = b''.join(
        b'\xc0\x0c' + struct.pack('!HHIH', A, 1, 0, 4) + socket.inet_aton(address)
        for address in found)
    return question[:2] + struct.pack('!HHHHH', 0x8180, 1, len(found), 0, 0) + (
        question[12:end] + records)


def main() -> None:
    """Answer until it is killed."""
    host, path = sys.argv[1:]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((host, 53))
        print('ready', flush=True)
        while True:
            question, client = server.recvfrom(1500)
            server.sendto(answer(question, pathlib.Path(path).read_text().split()), client)


if __name__ == '__main__':
    main()
