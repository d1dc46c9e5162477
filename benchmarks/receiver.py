"""A receiver of webhooks that does next to nothing: a process of its own that counts, and takes no time to answer.

`python -m benchmarks.receiver` says at which port it hears; GET /told answers what it has heard. What comes to a path
that begins with /hang is never answered.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import uvloop

END = b"\r\n\r\n"
TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


class Told:
    """What was heard so far."""

    def __init__(self) -> None:
        self.ids: set[bytes] = set()
        self.repeats = 0
        self.first = self.last = 0.0

    def note(self, webhook_id: bytes) -> None:
        self.last = time.perf_counter()
        self.first = self.first or self.last
        self.repeats += webhook_id in self.ids
        self.ids.add(webhook_id)

    def as_json(self) -> bytes:
        return json.dumps(
            {"events": len(self.ids), "repeats": self.repeats, "seconds": self.last - self.first}
        ).encode()


class Hearing(asyncio.Protocol):
    """One connection: requests come one after the other."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._content = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._content += data
        while (end := self._content.find(END)) >= 0:
            head = self._content[:end].lower()
            length = int(_header(head, b"content-length") or 0)
            body_end = end + len(END) + length
            if len(self._content) < body_end:
                return
            body, self._content = self._content[end + len(END) : body_end], self._content[body_end:]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"get /told"):
            self._reply(self._told.as_json())
        elif b".webhook.challenged.v1" in body[:400]:
            self._reply(json.dumps({"challenge": json.loads(body)["data"]["challenge"]}).encode())
        elif not head.startswith(b"post /hang"):
            self._told.note(_header(head, b"webhook-id"))
            self._transport.write(TAKEN)

    def _reply(self, body: bytes) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))


def _header(head: bytes, name: bytes) -> bytes:
    _, found, rest = head.partition(b"\r\n" + name + b":")
    return rest.partition(b"\r\n")[0].strip() if found else b""


async def main() -> None:
    """Hear until the standard input ends."""
    told = Told()
    server = await asyncio.get_running_loop().create_server(lambda: Hearing(told), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(main())
