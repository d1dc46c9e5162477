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
        try:
            if self.is_up:
                self.connections += 1
                server_reads, server = await asyncio.open_connection(*self._target)
                await self._pass_on({caller: server_reads, server: caller_reads})
        except OSError:
            pass  # nobody is there
        finally:
            caller.transport.abort()

    async def _pass_on(self, ways: dict[asyncio.StreamWriter, asyncio.StreamReader]) -> None:
        self._writers |= ways.keys()
        caller, server = ways
        tasks = [
            asyncio.create_task(_copy(ways[server], server, None)),
            asyncio.create_task(_copy(ways[caller], caller, self.lasts())),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._writers -= ways.keys()
            server.transport.abort()

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
