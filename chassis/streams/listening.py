"""One listener: where it stands in the log, and what it hears next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from chassis.auth import Caller
from chassis.errors import HouseError
from chassis.feed import Filter
from chassis.problems import is_passing
from chassis.streams import frames
from chassis.streams.reading import Audience, Page, Position, Reader
from chassis.streams.tail import Tail

log = structlog.get_logger(__name__)

OWN_CHANGES, PAGES_AT_ONCE = 100, 2
RETRY_SECONDS = 0.5


class Shared:
    """What the listeners of a process have together: the tail, and few turns to read pages of their own."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.tail = Tail(reader)
        # A crowd that comes back at once must not take every connection to the database.
        self.turn = asyncio.Semaphore(PAGES_AT_ONCE)


class Listener:
    """Hears every change it may, once and in order: own pages of the log until it meets the tail, then with all."""

    def __init__(
        self, shared: Shared, caller: Caller, wanted: Filter, at: Position, check: Callable[[], Awaitable[None]]
    ) -> None:
        self._shared = shared
        self._tail = shared.tail
        self._caller = caller
        self._wanted = wanted
        self._audience = Audience.of(caller, wanted)
        self._at = at
        self._told: Position | None = None
        self._check = check

    def bookmark(self) -> bytes | None:
        """How far it has come, unless its last id says so already."""
        if self._told == self._at:
            return None
        self._told = self._at
        return frames.bookmark(self._at.cursor)

    async def check(self) -> None:
        """Look again whether the caller may hear; what keeps us from looking is no reason to end a stream.

        Raises:
            Unauthenticated: its token holds no longer.
        """
        try:
            await self._check()
        except HouseError:
            raise
        except Exception as error:
            log.warning("stream_check_failed", error=repr(error))

    async def next(self) -> Sequence[bytes]:
        """The next writes; none where the log went on without a change for this listener.

        Raises:
            Gone: the log was rewound, or no longer reaches back this far.
        """
        if self._tail.has_passed(self._at):
            return await self._own_page()
        window = self._tail.window(self._at)
        if window is None:
            await self._tail.more()
            return ()
        batch = window.batch(self._audience, self._at.pos)
        self._at = self._at._replace(pos=window.upto)
        return batch

    async def _own_page(self) -> Sequence[bytes]:
        page = await self._read()
        if page is None:
            return ()
        self._at = page.upto
        if page.is_at_head:
            self._tail.begin(page.upto)
        return list(frames.pieces(change.frame for change in page.changes))

    async def _read(self) -> Page | None:
        """A page of its own; none while the database is away."""
        try:
            async with self._shared.turn:
                return await self._shared.reader.page(self._caller, self._wanted, self._at, limit=OWN_CHANGES)
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("stream_page_failed", error=repr(error))
        await asyncio.sleep(RETRY_SECONDS)
        return None
