"""Server-sent events over a feed: one reader of the log per process, many listeners."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from fastapi import Request
from starlette.types import Receive, Scope, Send

from chassis.auth import Caller, identify_again
from chassis.errors import HouseError, TooManyRequests, Unavailable, rule
from chassis.feed import Feed, Filter
from chassis.problems import problem
from chassis.settings import Settings
from chassis.streams.listening import Listener, Shared
from chassis.streams.reading import Reader
from chassis.streams.response import EventStream, Pace
from chassis.telemetry import STREAMS

__all__ = ["Streams"]

STREAMS_TOO_MANY = rule(
    "streams_too_many",
    vi="Bên gọi này đã mở {limit} luồng; hãy đóng bớt rồi thử lại.",
    en="This caller has {limit} streams open; close some, then try again.",
)
STREAMS_FULL = rule(
    "streams_full",
    vi="Tiến trình này đã mở đủ {limit} luồng; hãy thử lại sau.",
    en="This process has {limit} streams open and takes no more; try again later.",
)


class Streams:
    """The open streams of one service in this process."""

    def __init__(self, feed: Feed, settings: Settings) -> None:
        self._settings = settings
        self._service = feed.database.service
        self._shared = Shared(Reader(feed))
        self._open: Counter[str] = Counter()
        self._listeners: set[Listener] = set()
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End every stream: the process is about to end."""
        self._closing.set()

    @property
    def count(self) -> int:
        """How many are open."""
        return self._open.total()

    def behind(self, head: int) -> int:
        """How many positions before the log's head the listener furthest behind has not passed; 0: nobody listens."""
        return max((head - listener.at.pos for listener in self._listeners), default=0)

    async def open(self, request: Request, caller: Caller, cursor: str | None, wanted: Filter) -> EventStream:
        """A stream of what a caller may hear after a cursor (none: from now on).

        Raises:
            TooManyRequests: the caller has too many streams open ("streams_too_many").
            Unavailable: the process has too many streams open ("streams_full").
            Refused: not one of our cursors ("feed_cursor_invalid").
            Gone: a dead cursor ("feed_rewound" and the like).
        """
        place = f"address {request.client.host}" if caller.is_anonymous and request.client else caller.client_id
        self._refuse_more(place)
        start = await self._shared.reader.start(cursor)
        listener = Listener(self._shared, caller, wanted, start, partial(identify_again, request))
        return _Counted(self, place, listener)

    def _refuse_more(self, place: str) -> None:
        settings = self._settings
        if self.count >= settings.max_streams:
            raise Unavailable(STREAMS_FULL, limit=settings.max_streams, headers={"Retry-After": "5"})
        if self._open[place] >= settings.max_streams_per_caller:
            limit = settings.max_streams_per_caller
            raise TooManyRequests(STREAMS_TOO_MANY, limit=limit, headers={"Retry-After": "5"})

    @contextmanager
    def counted(self, place: str, listener: Listener) -> Iterator[None]:
        """Count a listener among those of its caller while the block lasts.

        Raises:
            TooManyRequests, Unavailable: as `open` does.
        """
        self._refuse_more(place)  # others may have come since the stream was asked for
        self._open[place] += 1
        self._listeners.add(listener)
        STREAMS.labels(self._service).inc()
        try:
            with self._shared.blocks.listening():
                yield
        finally:
            self._open -= Counter((place,))  # a caller without streams is no longer listed
            self._listeners.discard(listener)
            STREAMS.labels(self._service).dec()


class _Counted(EventStream):
    """A stream that counts among the open ones for as long as it lasts."""

    def __init__(self, streams: Streams, place: str, listener: Listener) -> None:
        base = f"/v1/{streams._service}"
        super().__init__(listener, Pace.of(streams._settings), streams._closing, base=base)
        self._streams = streams
        self._place = place
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._streams.counted(self._place, self._listener):
                await super().__call__(scope, receive, send)
        except HouseError as refusal:
            await problem(refusal, scope, self._base)(scope, receive, send)
