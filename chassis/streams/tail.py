"""The newest part of the log, read once for all listeners of a process.

Listeners walk along it window by window, each at its own pace; nobody's slowness makes anything grow. It is read
on when somebody has come to its end, and forgotten at its beginning: who falls off there reads pages of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator, Sequence

import structlog

from chassis.errors import HouseError
from chassis.feed import Filter
from chassis.streams import frames
from chassis.streams.reading import EVERYBODY, Audience, Change, Page, Position, Reader

log = structlog.get_logger(__name__)

BATCH_SECONDS = 0.05  # changes that come within it go out together
KEPT_BYTES, KEPT_WINDOWS = 8 * 2**20, 256
SHARED_WINDOWS = 4  # the newest ones keep the bytes made for each audience
PAGE_BYTES, MOST_CHANGES, FEWEST_CHANGES = 2**20, 500, 20
WAIT_SECONDS = 20.0
RETRY_SECONDS = 0.5


class Window:
    """A piece of the log: everything after one position up to another."""

    def __init__(self, after: int, page: Page) -> None:
        self.after = after
        self.upto = page.upto.pos
        self.size = sum(len(change.frame) for change in page.changes)
        self._changes = page.changes
        self._batches: dict[Audience, Sequence[bytes]] | None = {}

    def batch(self, audience: Audience, after: int) -> Sequence[bytes]:
        """What an audience hears of it after a position, as writes; made once for all who ask for all of it."""
        if after > self.after:
            return _batch(audience, [change for change in self._changes if change.pos > after])
        if self._batches is None:
            return _batch(audience, self._changes)
        if audience not in self._batches:
            self._batches[audience] = _batch(audience, self._changes)
        return self._batches[audience]

    def share_no_more(self) -> None:
        """Drop the bytes made for audiences: nearly everybody has them by now."""
        self._batches = None


def _batch(audience: Audience, changes: Sequence[Change]) -> Sequence[bytes]:
    heard = {kind: audience.hears(kind) for kind in {change.kind for change in changes}}
    return list(frames.pieces(change.frame for change in changes if heard[change.kind]))


class Tail:
    """The windows at the end of the log, while anybody listens."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._windows: deque[Window] = deque()
        self._size = 0
        self._end: Position | None = None
        self._listeners = 0
        self._limit = MOST_CHANGES
        self._task: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        self._grown: asyncio.Future[None] | None = None

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Count a listener in while the block lasts; after the last one nothing is read any more."""
        self._listeners += 1
        try:
            yield
        finally:
            self._listeners -= 1
            if not self._listeners:
                self._stop()

    def begin(self, at: Position) -> None:
        """Begin here, unless it runs already; for a listener that has come to the head by itself."""
        if self._end is None:
            self._end = at
            self._task = asyncio.create_task(self._run())

    def has_passed(self, position: Position) -> bool:
        """Whether a listener here must read for itself: the tail does not reach back to it, or does not run."""
        begins = self._windows[0].after if self._windows else self._end and self._end.pos
        return begins is None or position.pos < begins

    def window(self, position: Position) -> Window | None:
        """The window that goes on from a position; none yet at the end."""
        return next((one for one in reversed(self._windows) if one.after <= position.pos < one.upto), None)

    async def more(self) -> None:
        """Return when the tail has grown.

        Raises:
            Gone: the log was rewound; every listener has to start anew.
        """
        self._wanted.set()
        if self._grown is None:
            self._grown = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._grown)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task, self._end = None, None
        self._windows.clear()
        self._size = 0
        self._wanted.clear()

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            try:
                page = await self._read()
            except HouseError as error:
                self._fail(error)
                return
            except Exception as error:
                log.warning("stream_reader_failed", error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if not page.changes:
                continue
            is_full = len(page.changes) == self._limit
            self._append(page)
            if not is_full:
                await asyncio.sleep(BATCH_SECONDS)

    async def _read(self) -> Page:
        assert self._end
        return await self._reader.page(EVERYBODY, Filter(), self._end, limit=self._limit, wait=WAIT_SECONDS)

    def _append(self, page: Page) -> None:
        assert self._end
        window = Window(self._end.pos, page)
        self._windows.append(window)
        self._end = page.upto
        self._size += window.size
        self._limit = max(FEWEST_CHANGES, min(MOST_CHANGES, PAGE_BYTES * len(page.changes) // window.size))
        while len(self._windows) > 1 and (self._size > KEPT_BYTES or len(self._windows) > KEPT_WINDOWS):
            self._size -= self._windows.popleft().size
        if len(self._windows) > SHARED_WINDOWS:
            self._windows[-SHARED_WINDOWS - 1].share_no_more()
        self._wanted.clear()
        grown, self._grown = self._grown, None
        if grown is not None:
            grown.set_result(None)

    def _fail(self, error: HouseError) -> None:
        grown, self._grown = self._grown, None
        self._stop()
        if grown is not None:
            grown.set_exception(error)
            grown.exception()  # somebody has looked: those who waited may all have left
