"""A reply that goes on: server-sent events to one listener, until it leaves, stops reading, or its time is over."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chassis.errors import HouseError
from chassis.problems import problem
from chassis.settings import Settings
from chassis.streams import frames

log = structlog.get_logger(__name__)

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a silent stream says that it lives, how long one write may take, how long a stream lasts; seconds."""

    ping: float
    send: float
    life: float

    @classmethod
    def of(cls, settings: Settings) -> Pace:
        """The pace the settings ask for; lives differ, so that a crowd that came together does not return together."""
        life = settings.stream_seconds * random.uniform(0.8, 1)  # noqa: S311 - no secret
        return cls(settings.stream_ping_seconds, settings.stream_send_timeout_seconds, life)


class Ended(Exception):  # not an error
    """A source has said its last word."""


class Source(Protocol):
    """What a stream tells."""

    async def next(self) -> Sequence[bytes]:
        """The next writes, perhaps none; waits for them as long as it takes, and may be cancelled meanwhile.

        Raises:
            Ended: there is nothing more to say.
            HouseError: why the stream ends, which is told.
        """

    def bookmark(self) -> bytes | None:
        """How far it has come, unless that was said already."""

    async def check(self) -> None:
        """Raise a house error when the listener may no longer hear."""


class _CutOff(Exception):  # not an error of ours: a listener that does not read
    pass


class EventStream(Response):
    """Tells a source to one listener. It ends in order, so that the listener comes back with its last id."""

    media_type = "text/event-stream"

    def __init__(self, source: Source, pace: Pace, closing: asyncio.Event, *, base: str) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["Content-Length"]
        self._source = source
        self._pace = pace
        self._closing = closing
        self._base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell until the end; a listener that stopped reading is left without a last word, which closes its line."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        telling = asyncio.create_task(self._tell(scope, send))
        ends = [asyncio.create_task(_left(receive)), asyncio.create_task(self._closing.wait())]
        try:
            await asyncio.wait({telling, *ends}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, *ends):
                task.cancel()
            told, *_ = await asyncio.gather(telling, *ends, return_exceptions=True)
        if isinstance(told, _CutOff):
            log.warning("stream_cut_off", path=scope["path"], seconds=self._pace.send)
            return
        if isinstance(told, Exception):
            log.error("stream_failed", path=scope["path"], exc_info=told)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pace.send):
                await send({"type": "http.response.body", "body": b""})

    async def _tell(self, scope: Scope, send: Send) -> None:
        try:
            await self._write(send, frames.greeting() + (self._source.bookmark() or b""))
            with contextlib.suppress(Ended):
                await self._go_on(send)
        except HouseError as error:
            await self._write(send, frames.fault(bytes(problem(error, scope, self._base).body)))

    async def _go_on(self, send: Send) -> None:
        now = asyncio.get_running_loop().time
        ends, beat = now() + self._pace.life, now() + self._pace.ping
        while now() < ends:
            for piece in await self._next(min(ends, beat)):
                await self._write(send, piece)
            if now() >= beat:
                beat = now() + self._pace.ping
                await self._source.check()
                await self._write(send, self._source.bookmark() or frames.PING)

    async def _next(self, until: float) -> Sequence[bytes]:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                return await self._source.next()
        return ()

    async def _write(self, send: Send, piece: bytes) -> None:
        try:
            async with asyncio.timeout(self._pace.send):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError as error:
            raise _CutOff from error


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
