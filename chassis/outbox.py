"""From write to log: `lock` the aggregates, `append` their events in the same transaction, and the sequencer
that gives every event a dense position. The statements are those of the design's events page, measured there.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import structlog
import zstandard
from sqlalchemy import text

from chassis import bulk
from chassis.database import Database, ReadSession, Session
from chassis.errors import STALE_VERSION, Gone, PreconditionFailed, Refused, Unavailable, rule
from chassis.replies import encode
from chassis.telemetry import LOG_HEAD

log = structlog.get_logger(__name__)

WRITE_TOKEN_INVALID = rule(
    "write_token_invalid",
    vi="X-Min-Version không phải một write_token.",
    en="X-Min-Version is not a write_token.",
)
WRITE_NOT_YET_VISIBLE = rule(
    "write_not_yet_visible",
    vi="Lần ghi được nhắc đến chưa vào nhật ký; hãy thử lại.",
    en="The write asked for is not in the log yet; try again.",
)

WRITE_LOST = rule(
    "write_lost",
    vi="Nhật ký đã được khôi phục từ bản sao; lần ghi được nhắc đến có thể đã mất.",
    en="The log was restored from a copy since; the write asked for may be lost.",
)

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
    return _token(written.one())


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


def _payload(data: Mapping[str, Any] | msgspec.Raw | Packed) -> tuple[str | None, bytes | None]:
    kept = data if isinstance(data, Packed) else pack(encode(data))
    if isinstance(kept, Packed):
        return None, kept.content
    return bytes(kept).decode(), None


async def write_token(db: Session) -> str:
    """The token of this transaction, for read-your-writes (`X-Min-Version`)."""
    found = await db.execute(
        text(
            "SELECT epoch, pg_current_xact_id()::text AS xid, current_schema() AS service FROM feed_head"
            " WHERE feed = 'main'"
        )
    )
    return _token(found.one())


def _token(row: Any) -> str:
    packed = json.dumps([row.service, row.epoch, row.xid], separators=(",", ":"))
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def read_token(token: str) -> tuple[str, int, int]:
    """Service, epoch and transaction id of a write token.

    Raises:
        Refused: not a write token ("write_token_invalid").
    """
    try:
        service, epoch, xid = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        read = str(service), int(epoch), int(xid)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Refused(WRITE_TOKEN_INVALID) from error
    if not 0 < read[2] < 2**63:
        raise Refused(WRITE_TOKEN_INVALID)
    return read


_RESTORED = text("""
UPDATE feed_head SET epoch = epoch + 1, system_id = here.system_id, timeline = here.timeline
FROM (SELECT s.system_identifier::text AS system_id, c.timeline_id AS timeline
      FROM pg_control_system() s, pg_control_checkpoint() c) here
WHERE feed = 'main' AND (feed_head.system_id, feed_head.timeline) <> (here.system_id, here.timeline)
RETURNING epoch
""")


async def raise_epoch_if_restored(database: Database) -> None:
    """Begin a new epoch where the log was restored into another server, or onto another timeline.

    Positions may then be used again for other events, so cursors and write tokens of the old epoch must end.
    """
    async with database.write() as db:
        epoch = (await db.execute(_RESTORED)).scalar()
    if epoch is not None:
        log.warning("log_was_restored", service=database.service, epoch=epoch)


async def wait_for(database: Database, epoch: int, xid: int, seconds: float = 5.0) -> None:
    """Wait until a write of this database is in the log.

    Raises:
        Gone: the log was restored since, and the write may be lost ("write_lost").
        Refused: no transaction has that number yet ("write_token_invalid").
        Unavailable: it is not there in time ("write_not_yet_visible").
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        async with database.read() as db:
            if await _is_logged(db, epoch, xid):
                return
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable(WRITE_NOT_YET_VISIBLE, headers={"Retry-After": "1"})
        await asyncio.sleep(0.01)


async def _is_logged(db: ReadSession, epoch: int, xid: int) -> bool:
    found = await db.execute(
        text(
            "SELECT (SELECT epoch FROM feed_head WHERE feed = 'main') AS epoch,"
            " CAST(:xid AS text)::xid8 >= pg_snapshot_xmax(pg_current_snapshot()) AS is_future,"
            " pg_visible_in_snapshot(CAST(:xid AS text)::xid8, pg_current_snapshot())"
            " AND NOT EXISTS (SELECT 1 FROM outbox WHERE xid = CAST(:xid AS text)::xid8) AS is_logged"
        ),
        {"xid": str(xid)},
    )
    row = found.one()
    if row.epoch != epoch:
        raise Gone(WRITE_LOST)
    # Nobody can hold the token of a write that has not begun, so there is nothing to wait for.
    if row.is_future:
        raise Refused(WRITE_TOKEN_INVALID)
    return bool(row.is_logged)


_COLUMNS = "event_id, type, subject, version, province, commune, is_public, data, packed, trace, at"
_MOVE = f"""
WITH snap AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin),
moved AS (DELETE FROM outbox WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM outbox WHERE xid >= CAST(:low AS text)::xid8 ORDER BY id LIMIT :batch)) RETURNING *),
ins AS (INSERT INTO event_log (pos, xid, {_COLUMNS})
          SELECT h.pos + row_number() OVER (ORDER BY m.id), m.xid, {", ".join("m." + c for c in _COLUMNS.split(", "))}
          FROM moved m CROSS JOIN (SELECT pos FROM feed_head WHERE feed = 'main') h RETURNING 1),
cnt AS (SELECT count(*) AS n FROM ins)
UPDATE feed_head SET pos = pos + (SELECT n FROM cnt) WHERE feed = 'main'
  RETURNING (SELECT n FROM cnt) AS n, (SELECT xmin::text FROM snap) AS low, pos
"""


class Sequencer:
    """Moves outbox to log, one pass at a time; any number may run, a row lock makes them queue."""

    def __init__(self, database: Database, *, batch: int, poll_seconds: float) -> None:
        self._database = database
        self._batch = batch
        self._poll_seconds = poll_seconds
        self._low = "0"
        self._partition_until = 0
        self._bell = asyncio.Event()
        self.moved = asyncio.Condition()
        self.moves = 0
        database.on_commit(self._bell.set)

    async def pass_once(self) -> int:
        """Give positions to at most one batch; answers how many events were moved."""
        async with self._database.engine.begin() as connection:
            # An idle pass takes no lock: a lock alone is a write, and fifty a second would keep the disk busy.
            if not await connection.scalar(text("SELECT EXISTS (SELECT 1 FROM outbox)")):
                return 0
            head = await connection.scalar(text("SELECT pos FROM feed_head WHERE feed = 'main' FOR UPDATE"))
            if head + self._batch >= self._partition_until:
                await self._make_room(connection, head)
            row = (await connection.execute(text(_MOVE), {"low": self._low, "batch": self._batch})).one()
            if row.n:
                await connection.execute(text("SELECT pg_notify('feed', current_schema())"))
        LOG_HEAD.labels(self._database.service).set(row.pos)
        if row.n < self._batch:
            self._low = row.low
        if row.n:
            self.moves += 1
            async with self.moved:
                self.moved.notify_all()
        return int(row.n)

    async def _make_room(self, connection: Any, head: int) -> None:
        size = 1_000_000
        for upto in (head + self._batch, head + self._batch + size // 2):
            await connection.execute(text("SELECT ensure_log_partition(:upto)"), {"upto": upto})
        self._partition_until = ((head + self._batch + size // 2) // size + 1) * size

    async def run(self) -> None:
        """Move events for as long as the process lives; a lost database is waited for."""
        while True:
            try:
                self._bell.clear()
                while await self.pass_once() == self._batch:
                    pass
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.warning("sequencer_failed", service=self._database.service, error=str(error))
                self._low = "0"
                await asyncio.sleep(0.5)
            # Not `wait_for`: on Python 3.11 it swallows a cancellation that meets the bell, and the process never ends.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._bell.wait()
