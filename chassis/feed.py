"""The change feed: positions, cursors, who may hear what, and the long poll over the event log."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.expression import literal_column

from chassis.auth import Caller
from chassis.bell import Bell, heard
from chassis.database import Database, ReadSession, exact_json
from chassis.errors import Gone, Refused, rule
from chassis.outbox import unpack
from chassis.sequencer import Sequencer

FEED_CURSOR_INVALID = rule(
    "feed_cursor_invalid", vi="Con trỏ thay đổi không hợp lệ.", en="The change cursor is not valid."
)
FEED_REWOUND = rule(
    "feed_rewound",
    vi="Nhật ký đã được khôi phục từ bản sao; hãy đọc lại toàn bộ rồi theo dõi từ Changes-Cursor mới.",
    en="The log was restored from a copy; list everything again, then follow from the new Changes-Cursor.",
)

# One page never scans further than this, so that a narrow filter cannot hold a connection for long.
SCAN_WINDOW = 50_000


_POSITION = re.compile(r"(\d{1,9})\.(\d{1,18})", re.ASCII)


def head_column() -> ColumnElement[str]:
    """The feed's head as a scalar of the rows' own statement: a lower bound to follow from."""
    return literal_column("(SELECT epoch || '.' || pos FROM feed_head WHERE feed = 'main')")


def encode_position(position: str) -> str:
    """`epoch.pos` as callers see it: opaque."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def decode_position(cursor: str) -> tuple[int, int]:
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
    return int(found[1]), int(found[2])


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events: by type, province, commune."""

    types: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    communes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of the feed; `next` always moves, also when a filter skipped everything."""

    items: list[dict[str, Any]]
    next: str
    head: str


_READ = text("""
SELECT h.epoch, h.pos AS head, e.*
FROM (SELECT epoch, pos FROM feed_head WHERE feed = 'main') h
LEFT JOIN LATERAL (
  SELECT pos, event_id, type, subject, version, province, commune, is_public, data, packed, trace, at
  FROM event_log
  WHERE pos > :after AND pos <= least(h.pos, :after + :window)
    AND (CAST(:types AS text[]) = '{}' OR type = ANY(:types))
    AND (CAST(:provinces AS text[]) = '{}' OR province = ANY(:provinces))
    AND (CAST(:communes AS text[]) = '{}' OR commune = ANY(:communes))
    AND (is_public OR :everywhere OR province = ANY(:units) OR commune = ANY(:units))
  ORDER BY pos LIMIT :limit
) e ON true
ORDER BY e.pos
""")


async def read_changes(db: ReadSession, caller: Caller, cursor: str | None, wanted: Filter, limit: int) -> Changes:
    """Events after a cursor (none: from the beginning) that the caller may hear. One statement.

    Raises:
        Gone: the log was rewound since ("feed_rewound").
    """
    epoch, after = decode_position(cursor) if cursor else (None, 0)
    rows = (
        await db.execute(
            _READ,
            {
                "after": after,
                "window": SCAN_WINDOW,
                "limit": limit,
                "types": list(wanted.types),
                "provinces": list(wanted.provinces),
                "communes": list(wanted.communes),
                "everywhere": "*" in caller.admin_units,
                "units": caller.unit_codes,
            },
        )
    ).all()
    first = rows[0]
    if (epoch is not None and epoch != first.epoch) or after > first.head:
        raise Gone(FEED_REWOUND)
    found = [row for row in rows if row.pos is not None]
    reached = found[-1].pos if len(found) == limit else min(first.head, after + SCAN_WINDOW)
    return Changes(
        [_unpacked(row._asdict()) for row in found],
        encode_position(f"{first.epoch}.{max(after, reached)}"),
        encode_position(f"{first.epoch}.{first.head}"),
    )


def _unpacked(row: Mapping[str, Any]) -> dict[str, Any]:
    """A log row with its payload as an object, however it is kept."""
    packed = row["packed"]
    data = row["data"] if packed is None else exact_json.decode(unpack(packed))
    return {**{name: value for name, value in row.items() if name != "packed"}, "data": data}


class Feed:
    """The feed of one service in this process: reads, and waits for more with one waiter per process."""

    def __init__(self, database: Database, sequencer: Sequencer | None) -> None:
        self.database = database
        self._news = sequencer.news if sequencer else Bell()
        self._is_closing = False

    def close(self) -> None:
        """Let nobody wait any longer: the process is about to end."""
        self._is_closing = True

    async def changes(self, caller: Caller, cursor: str | None, wanted: Filter, *, limit: int, wait: float) -> Changes:
        """A page of changes; when there is none yet, wait up to `wait` seconds for one."""
        deadline = asyncio.get_running_loop().time() + wait
        while True:
            ring = self._news.listen()
            async with self.database.read() as db:
                page = await read_changes(db, caller, cursor, wanted, limit)
            remaining = deadline - asyncio.get_running_loop().time()
            if page.items or remaining <= 0 or self._is_closing:
                return page
            cursor = page.next
            if page.next == page.head:
                # Another process's sequencer may move our events, so the wait ends by itself as well.
                await heard(ring, min(remaining, 0.25))


def cloud_event(service: str, row: dict[str, Any], public_url: str | None = None) -> dict[str, Any]:
    """A log row as a CloudEvents 1.0 structured event; `source` and `dataschema` are absolute under a public URL."""
    base = public_url or ""
    event = {
        "specversion": "1.0",
        "id": str(row["event_id"]),
        "source": f"{base}/{service}",
        "type": row["type"],
        "subject": row["subject"],
        "time": row["at"],
        "datacontenttype": "application/json",
        "dataschema": f"{base}/v1/{service}/event-schemas/{row['type']}",
        "sequence": f"{row['pos']:020d}",
        "partitionkey": row["subject"],
        "province": row["province"],
        "traceparent": row["trace"],
        "data": {**row["data"], "version": row["version"]},
    }
    return {name: value for name, value in event.items() if value is not None}
