"""A proxy before PostgreSQL's socket that cuts connections in the middle of answers, or lets them hang.

What was sent has arrived and was done; whether it was, the one who sent it never learns.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

SOCKET = ".s.PGSQL.5432"
PIECE = 64 * 1024


class Cutter:
    """Forwards everything, and loses so large a share of the server's answers, connection and all."""

    def __init__(self, folder: Path, target: Path, seed: int) -> None:
        self.folder = folder
        self.share = 0.0
        self.cuts = 0
        self.target = target
        self._random = Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, caller: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """One connection, until either end has enough."""
        try:
            answers, server = await asyncio.open_unix_connection(str(self.target / SOCKET))
        except OSError:
            back.close()
            return
        there = asyncio.create_task(self._forward(caller, server))
        here = asyncio.create_task(self._answer(answers, back))
        self._tasks |= {there, here}
        await asyncio.wait({there, here}, return_when=asyncio.FIRST_COMPLETED)
        for task in (there, here):
            task.cancel()
            self._tasks.discard(task)
        for end in (server, back):
            end.close()

    async def close(self) -> None:
        """End every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _forward(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(PIECE):
                target.write(piece)
                await target.drain()

    async def _answer(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(PIECE):
                if self._random.random() < self.share:
                    self.cuts += 1
                    return
                target.write(piece)
                await target.drain()


@contextlib.asynccontextmanager
async def cutting(target: Path, seed: int) -> AsyncIterator[Cutter]:
    """A proxy before the socket in a folder, while the block lasts."""
    with tempfile.TemporaryDirectory(prefix="chitieu-cut-") as folder:
        cutter = Cutter(Path(folder), target, seed)
        async with await asyncio.start_unix_server(cutter.serve, str(Path(folder) / SOCKET)):
            try:
                yield cutter
            finally:
                await cutter.close()
