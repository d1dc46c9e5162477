"""One listener: where it stands in the log, and what it hears next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from chassis.auth import Caller
from chassis.errors import Gone, HouseError
from chassis.event_log.positions import Position
from chassis.feed import Filter
from chassis.problems import is_passing
from chassis.streams import frames
from chassis.streams.blocks import Blocks
from chassis.streams.reading import EVERYBODY, Audience, Page, Reader, Start

log = structlog.get_logger(__name__)

OWN_CHANGES, PAGES_AT_ONCE = 256, 2
FAR = 10_000  # changes behind the head
SPARSE = 4  # who hears less than every fourth change is better served by the database
RETRY_SECONDS = 0.5


class Shared:
    """What the listeners of a process have together: the log in blocks, and few turns to read pages of their own."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.blocks = Blocks(reader)
        self.turn = asyncio.Semaphore(PAGES_AT_ONCE)


class Listener:
    """Hears every change it may, once and in order.

    It walks along the blocks that all read together. Far behind the head, one who hears little reads pages of its
    own, which the database has filtered, until it is near or hears much.
    """

    def __init__(
        self, shared: Shared, caller: Caller, wanted: Filter, start: Start, check: Callable[[], Awaitable[None]]
    ) -> None:
        self._shared = shared
        self._caller = caller
        self._wanted = wanted
        self._audience = Audience.of(caller, wanted)
        self.at = start.at
        self._is_alone = start.behind > FAR and self._audience != Audience.of(EVERYBODY, Filter())
        self._told: Position | None = None
        self._check = check

    def bookmark(self) -> bytes | None:
        """How far it has come, unless its last id says so already."""
        if self._told == self.at:
            return None
        self._told = self.at
        return frames.bookmark(self.at.cursor)

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
        if self._is_alone:
            return await self._own_page()
        block = self._shared.blocks.at(self.at)
        try:
            # Held until it comes to where we are: what others read meanwhile may have taken its room among the kept.
            while block.upto.pos <= self.at.pos:
                await self._shared.blocks.more(block)
        except Gone:
            if self.at.pos == block.after:
                raise
            return await self._own_page()  # the block begins before us: what is gone of it may not be ours
        batch = block.batch(self._audience, self.at.pos)
        self.at = block.upto
        return batch

    async def _own_page(self) -> Sequence[bytes]:
        page = await self._read()
        if page is None:
            return ()
        self._is_alone = page.behind > FAR and page.upto.pos - self.at.pos > SPARSE * OWN_CHANGES
        self.at = page.upto
        return list(frames.pieces(change.frame for change in page.changes))

    async def _read(self) -> Page | None:
        """A page of its own; none while the database is away."""
        try:
            async with self._shared.turn:
                return await self._shared.reader.page(self._caller, self._wanted, self.at, limit=OWN_CHANGES)
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("stream_page_failed", error=repr(error))
        await asyncio.sleep(RETRY_SECONDS)
        return None
