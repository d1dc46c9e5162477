"""The newest events, read once per process for everybody who waits for them.

Whoever gives positions tells so by NOTIFY, in this process also at once. Nothing is read while nobody waits.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeGuard

import structlog

from chassis.bell import Bell, heard
from chassis.database import Database
from chassis.event_log.positions import Position
from chassis.event_log.reading import HEAD, PAGE_BYTES, Basket, Span, Wish
from chassis.event_log.rows import COLUMNS, Envelope, Logged
from chassis.sequencer import CHANNEL

log = structlog.get_logger(__name__)

KEPT_EVENTS, KEPT_BYTES = 10_000, 16 * 2**20
CHUNK_EVENTS = 1_000
LOOK_SECONDS = 5.0  # a notification can be lost together with the connection it would have come by
RETRY_SECONDS = 0.5
# How long those who wait rely on the watch, and on themselves while there is none.
PATIENCE_SECONDS, LOOK_ALONE_SECONDS = 30.0, 0.25

_NEWER = f"SELECT {COLUMNS} FROM event_log WHERE pos > $1 ORDER BY pos LIMIT $2"  # noqa: S608 - our own names


class Watch:
    """The end of one service's log, while anybody waits there."""

    def __init__(self, database: Database, envelope: Envelope, news: Bell) -> None:
        self._database = database
        self._envelope = envelope
        self._news = news
        self._grown = Bell()
        self._events: deque[tuple[Logged, str]] = deque()
        self._size = 0
        self._begin: Position | None = None  # before the first event held
        self._end: Position | None = None
        self._waiting = 0
        self._is_live = False

    @property
    def patience(self) -> float:
        """How long to wait for a ring before looking by oneself, seconds."""
        return PATIENCE_SECONDS if self._is_live else LOOK_ALONE_SECONDS

    def listen(self) -> asyncio.Event:
        """What is set when there may be more to hear; listen first, then look."""
        return (self._grown if self._is_live else self._news).listen()

    def ring(self) -> None:
        """Let everybody look again."""
        self._news.ring()
        self._grown.ring()

    def page(self, wish: Wish, basket: Basket) -> Span | None:
        """Gather what comes next, when all of it is held; None: read the log itself."""
        end = self._end
        if end is None or not self._holds(wish.after):
            return None
        count, newer = 0, islice(reversed(self._events), end.pos - wish.after.pos)
        for row, text in reversed(list(newer)):
            if wish.wanted.lets(row, wish.caller.admin_units):
                basket.put((row,), (text,))
                count += 1
                if count == wish.limit or basket.size >= PAGE_BYTES:
                    return Span(Position(end.epoch, row.pos), end, count)
        return Span(end, end, count)

    def _holds(self, at: Position | None) -> TypeGuard[Position]:
        """Whether everything after a place is held."""
        begin, end = self._begin, self._end
        if not self._is_live or begin is None or end is None or at is None:
            return False
        return at.epoch == end.epoch and begin.pos <= at.pos <= end.pos

    @contextlib.contextmanager
    def waiting(self, at: Position) -> Iterator[None]:
        """Hold what comes after this place while the block lasts."""
        if not self._waiting and not self._holds(at):
            self._start(at)
        self._waiting += 1
        if self._waiting == 1:
            self._news.ring()  # nobody has looked for a while
        try:
            yield
        finally:
            self._waiting -= 1

    def _start(self, at: Position) -> None:
        self._events.clear()
        self._size = 0
        self._begin = self._end = at

    async def run(self) -> None:
        """Watch for as long as the process lives; a lost database is waited for."""
        while True:
            try:
                await self._watch(await self._database.connect_aside())
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.warning("watch_failed", service=self._database.service, error=str(error) or repr(error))
            finally:
                self._is_live = False
                self._begin = self._end = None
                self.ring()
            await asyncio.sleep(RETRY_SECONDS)

    async def _watch(self, connection: Any) -> None:
        try:
            connection.add_termination_listener(lambda _lost: self._news.ring())
            await connection.add_listener(CHANNEL, self._notified)
            self._is_live = True
            self.ring()
            while True:
                ring = self._news.listen()
                while self._waiting and await self._read_on(connection):
                    pass
                if not await heard(ring, LOOK_SECONDS):
                    await connection.fetchval("SELECT 1", timeout=LOOK_SECONDS)
        finally:
            connection.terminate()

    def _notified(self, _connection: Any, _pid: int, _channel: str, service: object) -> None:
        if service == self._database.service:
            self._news.ring()

    async def _read_on(self, connection: Any) -> bool:
        """Take in what is new; answers whether there may be more."""
        end = self._end
        found = await connection.fetch(_NEWER, end.pos, CHUNK_EVENTS, record_class=Logged) if end else []
        if not found:
            return await self._check(connection)
        if end is not None and self._end is end:
            for row, text in zip(found, self._envelope.texts(found), strict=True):
                self._append(row, text)
            self._end = Position(end.epoch, found[-1].pos)
            self._grown.ring()
        return True

    async def _check(self, connection: Any) -> bool:
        """Begin at the head where the log is another one than before; answers whether it is."""
        head = Position(*await connection.fetchrow(HEAD))
        if self._end and self._end.epoch == head.epoch and self._end.pos <= head.pos:
            return False
        self._start(head)
        self._grown.ring()  # those who waited elsewhere have to look for themselves
        return True

    def _append(self, row: Logged, text: str) -> None:
        self._events.append((row, text))
        self._size += len(text)
        while len(self._events) > KEPT_EVENTS or self._size > KEPT_BYTES:
            left, told = self._events.popleft()
            self._size -= len(told)
            self._begin = Position(self._begin.epoch, left.pos) if self._begin else None
