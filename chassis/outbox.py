"""From write to outbox: `lock` the aggregates, `append` their events in the same transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import zstandard
from sqlalchemy import text

from chassis import bulk
from chassis.database import Session
from chassis.errors import STALE_VERSION, PreconditionFailed
from chassis.replies import encode
from chassis.write_tokens import token_of, write_token

MAX_EVENT_BYTES = 48 * 1024
_ENVELOPE_BYTES = 1024
PACKED_FROM_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Event:
    """What is announced: type, aggregate, data (an object, or its JSON), and who may hear it (all, or its unit)."""

    type: str
    subject: str
    data: Mapping[str, Any] | msgspec.Raw | Packed
    province: str | None = None
    commune: str | None = None
    is_public: bool = True


def parts_of(changes: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Changes in parts that fit into one event each."""
    part: list[dict[str, Any]] = []
    size = 0
    for change in changes:
        weight = len(encode(change)) + 1
        if part and size + weight > MAX_EVENT_BYTES - _ENVELOPE_BYTES:
            yield part
            part, size = [], 0
        part.append(change)
        size += weight
    if part:
        yield part


@dataclass(slots=True)
class Heads:
    """Locked aggregates: their versions, and one reading of the clock taken after the locks."""

    at: datetime
    versions: dict[str, int] = field(default_factory=dict)

    def version(self, subject: str) -> int:
        """The aggregate's version: 0 before its first event."""
        return self.versions[subject]

    def require(self, subject: str, asked: int | None) -> None:
        """Hold a write to the version its caller has read; None: upon any.

        Raises:
            PreconditionFailed: it changed since ("stale_version").
        """
        current = self.version(subject)
        if asked is not None and asked != current:
            raise PreconditionFailed(STALE_VERSION, current=current, asked=asked)


async def lock(db: Session, subjects: Iterable[str]) -> Heads:
    """Lock aggregates in order, so that overlapping writes queue and never deadlock.

    `at` is read after the locks and lies after every earlier change of the same aggregates: a change that
    committed while we waited can never look younger than ours.
    """
    names = sorted(set(subjects))
    await db.execute(
        text(
            "INSERT INTO aggregate_head (subject, recorded_at)"
            " SELECT s, '-infinity' FROM unnest(CAST(:names AS text[])) s ORDER BY s ON CONFLICT DO NOTHING"
        ),
        {"names": names},
    )
    locked = await db.execute(
        text("SELECT subject, version FROM aggregate_head WHERE subject = ANY(:names) ORDER BY subject FOR UPDATE"),
        {"names": names},
    )
    versions = {row.subject: row.version for row in locked}
    moved = await db.execute(
        text(
            "UPDATE aggregate_head h SET recorded_at = c.at FROM (SELECT greatest(clock_timestamp(),"
            " max(recorded_at) + interval '1 microsecond') AS at FROM aggregate_head WHERE subject = ANY(:names)) c"
            " WHERE h.subject = ANY(:names) RETURNING c.at"
        ),
        {"names": names},
    )
    return Heads(at=moved.scalars().first() or _never(), versions=versions)


def _never() -> datetime:
    raise ValueError("lock() needs at least one subject")


async def rely(db: Session, lists: Iterable[str]) -> None:
    """Read lists that others change (units, offices, the catalogue) and build on what they say: until the end of
    this transaction nobody changes them. Any number may rely on a list at once.

    Lists are taken in the order of their names, by whoever takes several, and before the aggregates are locked.
    """
    await _agree(db, "pg_advisory_xact_lock_shared", lists)


async def hold(db: Session, lists: Iterable[str]) -> None:
    """Change lists that others rely on: wait until those are through, and let new ones wait."""
    await _agree(db, "pg_advisory_xact_lock", lists)


async def _agree(db: Session, lock_function: str, lists: Iterable[str]) -> None:
    await db.execute(
        text(
            f"SELECT {lock_function}(hashtextextended(current_schema() || ' ' || name, 0))"
            " FROM (SELECT DISTINCT unnest(CAST(:names AS text[])) AS name ORDER BY 1) ordered"
        ),
        {"names": list(lists)},
    )


async def append(db: Session, heads: Heads, events: Sequence[Event]) -> str:
    """Write the events of locked aggregates, each with its own consecutive version; answers the write token.

    Raises:
        KeyError: an event of an aggregate that was not locked.
    """
    rows = []
    for event in events:
        heads.versions[event.subject] += 1
        place = (event.province, event.commune, event.is_public)
        rows.append((event.type, event.subject, heads.versions[event.subject], *place, *_payload(event.data)))
    if not rows:
        return await write_token(db)
    trace = db.info.get("traceparent")
    await bulk.copy_rows(db, "outbox", _APPENDED, [(*row, trace) for row in rows])
    subjects = list({event.subject for event in events})
    written = await db.execute(
        text(
            "WITH h AS (UPDATE aggregate_head SET version = m.version FROM"
            " unnest(CAST(:subjects AS text[]), CAST(:versions AS bigint[])) AS m(subject, version)"
            " WHERE aggregate_head.subject = m.subject RETURNING 1)"
            " SELECT epoch, pg_current_xact_id()::text AS xid, current_schema() AS service FROM feed_head"
            " WHERE feed = 'main'"
        ),
        {"subjects": subjects, "versions": [heads.versions[subject] for subject in subjects]},
    )
    return token_of(written.one())


_APPENDED = ("type", "subject", "version", "province", "commune", "is_public", "data", "packed", "trace")


@dataclass(frozen=True, slots=True)
class Packed:
    """A payload as it is kept when it is long."""

    content: bytes


def pack(written: bytes) -> Packed | msgspec.Raw:
    """A payload already written as JSON, packed when it is long: the database's own compression is ten times slower."""
    if len(written) < PACKED_FROM_BYTES:
        return msgspec.Raw(written)
    if not hasattr(_thread, "packer"):
        _thread.packer = zstandard.ZstdCompressor(level=1)  # making one costs as much as packing 48 KiB with it
    return Packed(_thread.packer.compress(written))


_thread = threading.local()


def unpack(content: bytes) -> bytes:
    """The JSON of a packed payload."""
    return zstandard.decompress(content)


def unpacked_size(content: bytes) -> int:
    """How many bytes the JSON of a packed payload has, without unpacking it."""
    return zstandard.frame_content_size(content)


def _payload(data: Mapping[str, Any] | msgspec.Raw | Packed) -> tuple[str | None, bytes | None]:
    if isinstance(data, Mapping) and "version" in data:
        raise ValueError("the version of an event's subject is given by the log")
    kept = data if isinstance(data, Packed) else pack(encode(data))
    if isinstance(kept, Packed):
        return None, kept.content
    return bytes(kept).decode(), None
