"""The log in blocks of equal length, each read once for all listeners of a process.

Listeners walk from block to block at their own pace, and a crowd that was cut off together shares what it missed.
A block is read when somebody asks for it; those asked for last are kept. The last one grows with the log.
"""

from __future__ import annotations

import asyncio
import contextlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from operator import attrgetter

import structlog

from chassis.errors import HouseError
from chassis.event_log.positions import Position
from chassis.feed import Filter
from chassis.streams import frames
from chassis.streams.reading import EVERYBODY, Audience, Change, Page, Reader

log = structlog.get_logger(__name__)

BLOCK, PAGE = 512, 256
KEPT_BYTES = 8 * 2**20
BATCH_SECONDS = 0.05  # changes that come within it go out together
WAIT_SECONDS = 20.0
RETRY_SECONDS = 0.5


class Block:
    """The changes after one round position up to the next one, as far as they were read."""

    def __init__(self, epoch: int, after: int) -> None:
        self.after = after
        self.upto = Position(epoch, after)
        self.reading: asyncio.Task[None] | None = None
        self.pause_until = 0.0
        self.size = 0
        self._end = after + BLOCK
        self._changes: list[Change] = []
        self._shared: dict[tuple[Audience, int], Sequence[bytes]] | None = None

    @property
    def missing(self) -> int:
        """How many changes it has still to take in."""
        return self._end - self.upto.pos

    def add(self, page: Page) -> None:
        """Take in what follows; those who ask for it are many, and what is made for one is kept for the others."""
        self._changes += page.changes
        self.size += sum(len(change.frame) for change in page.changes)
        self.upto = page.upto
        self._shared = {}

    def share_no_more(self) -> None:
        """Drop what was made for audiences: nearly everybody has it by now."""
        self._shared = None

    def batch(self, audience: Audience, after: int) -> Sequence[bytes]:
        """What an audience hears of it after a position, as writes."""
        if self._shared is None:
            return self._batch(audience, after)
        if (audience, after) not in self._shared:
            self._shared[audience, after] = self._batch(audience, after)
        return self._shared[audience, after]

    def _batch(self, audience: Audience, after: int) -> Sequence[bytes]:
        changes = self._changes[bisect_right(self._changes, after, key=attrgetter("pos")) :]
        heard = {kind: audience.hears(kind) for kind in {change.kind for change in changes}}
        return list(frames.pieces(change.frame for change in changes if heard[change.kind]))


class Blocks:
    """The blocks that were asked for last, while anybody listens."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._kept: OrderedDict[tuple[int, int], Block] = OrderedDict()
        self._listeners = 0
        self._readings: set[asyncio.Task[None]] = set()
        self._newest: Block | None = None

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Count a listener in while the block lasts; after the last one nothing is read or kept any more."""
        self._listeners += 1
        try:
            yield
        finally:
            self._listeners -= 1
            if not self._listeners:
                self._forget()

    def at(self, position: Position) -> Block:
        """The block that goes on from a position."""
        key = position.epoch, position.pos // BLOCK
        if key not in self._kept:
            self._kept[key] = Block(position.epoch, key[1] * BLOCK)
        self._kept.move_to_end(key)
        return self._kept[key]

    async def more(self, block: Block) -> None:
        """Return when a block was read on, or has waited long for its next change.

        Raises:
            Gone: the log was rewound, or no longer reaches back to the beginning of the block.
        """
        if block.reading is None or block.reading.done():
            block.reading = asyncio.create_task(self._read(block))
            self._readings.add(block.reading)
            block.reading.add_done_callback(self._done)
        await asyncio.shield(block.reading)

    def _done(self, reading: asyncio.Task[None]) -> None:
        self._readings.discard(reading)
        if not reading.cancelled():
            reading.exception()  # it is told to those who wait; they may all have left

    async def _read(self, block: Block) -> None:
        await asyncio.sleep(block.pause_until - asyncio.get_running_loop().time())
        limit = min(PAGE, block.missing)
        try:
            page = await self._reader.page(EVERYBODY, Filter(), block.upto, limit=limit, wait=WAIT_SECONDS)
        except HouseError:
            raise
        except Exception as error:
            log.warning("stream_reader_failed", error=repr(error))
            await asyncio.sleep(RETRY_SECONDS)
            return
        if page.changes:
            self._add(block, page)
        if len(page.changes) < limit:
            block.pause_until = asyncio.get_running_loop().time() + BATCH_SECONDS

    def _add(self, block: Block, page: Page) -> None:
        if self._newest is not None and self._newest is not block:
            self._newest.share_no_more()
        self._newest = block
        block.add(page)
        while len(self._kept) > 1 and sum(one.size for one in self._kept.values()) > KEPT_BYTES:
            self._kept.popitem(last=False)

    def _forget(self) -> None:
        for reading in self._readings:
            reading.cancel()
        self._kept.clear()
        self._newest = None
