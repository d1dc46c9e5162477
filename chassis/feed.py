"""The change feed of one service: cursors, who may hear what, and the long poll over the event log."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.expression import literal_column

from chassis.auth import Caller
from chassis.bell import Bell, heard
from chassis.database import Database
from chassis.errors import Gone, Refused, Rule, rule
from chassis.event_log import (
    MOST_EVENTS,
    Basket,
    Envelope,
    Expired,
    Filter,
    Logged,
    LogReader,
    Position,
    Rewound,
    Span,
    Watch,
    Wish,
    encode_position,
)
from chassis.sequencer import Sequencer

__all__ = [
    "MOST_EVENTS",
    "Changes",
    "Feed",
    "Filter",
    "Position",
    "ToldChanges",
    "decode_position",
    "encode_position",
    "gone",
    "head_column",
]

FEED_CURSOR_INVALID = rule(
    "feed_cursor_invalid", vi="Con trỏ thay đổi không hợp lệ.", en="The change cursor is not valid."
)
FEED_REWOUND = rule(
    "feed_rewound",
    vi="Nhật ký đã được khôi phục từ bản sao; hãy đọc lại toàn bộ (lists) rồi theo dõi từ Changes-Cursor mới.",
    en="The log was restored from a copy; list everything again (lists), then follow from the new Changes-Cursor.",
)
CURSOR_EXPIRED = rule(
    "cursor_expired",
    vi="Các thay đổi sau con trỏ này đã ra khỏi nhật ký: đọc tiếp từ tệp lưu trữ (archives) tới con trỏ oldest, hoặc"
    " đọc lại toàn bộ (lists) rồi theo dõi từ Changes-Cursor mới.",
    en="The changes after this cursor have left the log: go on with the archives up to the cursor oldest, or list"
    " everything again (lists), then follow from the new Changes-Cursor.",
)
_POSITION = re.compile(r"(\d{1,9})\.(\d{1,18})", re.ASCII)


def head_column() -> ColumnElement[str]:
    """The feed's head as a scalar of the rows' own statement: a lower bound to follow from."""
    return literal_column("(SELECT epoch || '.' || pos FROM feed_head WHERE feed = 'main')")


def decode_position(cursor: str) -> Position:
    """Epoch and position of a cursor.

    Raises:
        Refused: not one of our cursors ("feed_cursor_invalid").
    """
    try:
        position = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError as error:
        raise Refused(FEED_CURSOR_INVALID) from error
    found = _POSITION.fullmatch(position)
    if found is None:
        raise Refused(FEED_CURSOR_INVALID)
    return Position(int(found[1]), int(found[2]))


class _Rows:
    """A page as rows."""

    def __init__(self) -> None:
        self.rows: list[Logged] = []
        self.size = 0

    def put(self, rows: Sequence[Logged], _texts: Sequence[str] | None = None) -> None:
        """Add events."""
        self.rows += rows
        self.size += sum(row.size for row in rows)


class _Told:
    """A page as CloudEvents, their JSON separated by commas."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self.pieces: list[bytes] = []
        self.size = 0

    def put(self, rows: Sequence[Logged], texts: Sequence[str] | None = None) -> None:
        """Add events."""
        told = ",".join(texts or self._envelope.texts(rows)).encode()
        self.pieces += [b",", told] if self.pieces else [told]
        self.size += len(told)


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of the feed as rows; `next` always moves, also when a filter skipped everything."""

    rows: Sequence[Logged]
    next: str
    head: str

    @property
    def items(self) -> list[dict[str, Any]]:
        """Every event as a row, with its data as an object."""
        return [row.as_dict() for row in self.rows]


@dataclass(frozen=True, slots=True)
class ToldChanges:
    """A page of the feed as CloudEvents in JSON, separated by commas, in pieces; `next` always moves."""

    pieces: Sequence[bytes]
    next: str
    head: str
    behind: int


class Feed:
    """The feed of one service in this process: reads, and waits for more with one waiter per process."""

    def __init__(self, database: Database, sequencer: Sequencer | None, public_url: str | None = None) -> None:
        self.database = database
        self.lists: Sequence[str] = ()
        self.news = sequencer.news if sequencer else Bell()
        self.envelope = Envelope(database.service, public_url)
        self._reader = LogReader(database)
        self._watch = Watch(database, self.envelope, self.news)
        self._is_closing = False

    def close(self) -> None:
        """Let nobody wait any longer: the process is about to end."""
        self._is_closing = True
        self._watch.ring()

    async def run(self) -> None:
        """Hear of news at once for as long as the process lives, whoever gave them their positions."""
        await self._watch.run()

    async def changes(self, caller: Caller, cursor: str | None, wanted: Filter, *, limit: int, wait: float) -> Changes:
        """A page of changes; when there is none yet, wait up to `wait` seconds for one.

        Raises:
            Refused: not one of our cursors ("feed_cursor_invalid").
            Gone: the log was rewound since ("feed_rewound"), or no longer reaches back so far ("cursor_expired").
        """
        basket = _Rows()
        span = await self._gather(Wish(caller, _at(cursor), wanted, limit), basket, wait)
        return Changes(basket.rows, span.upto.cursor, span.head.cursor)

    async def told(self, caller: Caller, cursor: str | None, wanted: Filter, *, limit: int, wait: float) -> ToldChanges:
        """The same as CloudEvents in JSON, for who passes them on."""
        basket = _Told(self.envelope)
        span = await self._gather(Wish(caller, _at(cursor), wanted, limit), basket, wait)
        behind = span.head.pos - span.upto.pos
        return ToldChanges(basket.pieces, span.upto.cursor, span.head.cursor, behind)

    async def _gather(self, wish: Wish, basket: Basket, wait: float) -> Span:
        deadline = asyncio.get_running_loop().time() + wait
        while True:
            ring = self._watch.listen()
            # Who does not wait wants what is there now, and the watch may be a moment behind.
            held = self._watch.page(wish, basket) if wait else None
            span = held or await self._page(wish, basket)
            remaining = deadline - asyncio.get_running_loop().time()
            if span.count or remaining <= 0 or self._is_closing:
                return span
            wish = replace(wish, after=span.upto)
            if span.is_at_head:
                with self._watch.waiting(span.upto):
                    await heard(ring, min(remaining, self._watch.patience))

    async def _page(self, wish: Wish, basket: Basket) -> Span:
        try:
            return await self._reader.page(wish, basket)
        except Rewound:
            oldest, rule = await self._reader.oldest(), FEED_REWOUND
        except Expired as expired:
            oldest, rule = expired.oldest, CURSOR_EXPIRED
        raise gone(rule, self.database.service, oldest, self.lists)


def gone(rule: Rule, service: str, oldest: Position, lists: Sequence[str]) -> Gone:
    """A dead cursor, with what to read instead: the oldest cursor, the archives, the lists."""
    members = {"oldest": oldest.cursor, "archives": f"/v1/{service}/changes/archives", "lists": lists}
    return Gone(rule, members=members)


def _at(cursor: str | None) -> Position | None:
    return decode_position(cursor) if cursor else None
