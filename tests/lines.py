"""A TCP line to a server, which a test cuts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

PIECE = 4096


class Line:
    """Passes connections on to one address; `cut` breaks those there are, `is_up` says whether new ones are taken."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self.is_up = True
        self.connections = 0
        # How many bytes of the next connection's answer go through before it is cut; none: all of them.
        self.lasts: Callable[[], int | None] = lambda: None
        self.address = ""

    async def serve(self, caller_reads: asyncio.StreamReader, caller: asyncio.StreamWriter) -> None:
        """Pass one connection on until either side has had enough."""
        if not self.is_up:
            caller.transport.abort()
            return
        self.connections += 1
        with contextlib.suppress(OSError):
            server_reads, server = await asyncio.open_connection(*self._target)
            ends = {caller, server}
            self._writers |= ends
            ways = [
                asyncio.create_task(_copy(caller_reads, server, None)),
                asyncio.create_task(_copy(server_reads, caller, self.lasts())),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
                self._writers -= ends
                for end in ends:
                    end.transport.abort()

    def cut(self) -> None:
        """Break every connection there is."""
        for writer in list(self._writers):
            writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None) -> None:
    with contextlib.suppress(OSError):
        while left != 0 and (piece := await reader.read(PIECE)):
            piece = piece[:left]
            writer.write(piece)
            await writer.drain()
            left = None if left is None else left - len(piece)


@contextlib.asynccontextmanager
async def line_to(address: str) -> AsyncIterator[Line]:
    """A line to `http://host:port`, at an address of its own."""
    host, port = address.removeprefix("http://").split(":")
    line = Line(host, int(port))
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        server.close()
        line.is_up = False
        line.cut()
