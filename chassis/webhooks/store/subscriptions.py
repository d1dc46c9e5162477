"""Webhooks as their owners see and change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import MetaData, Select, Table, Text, case, cast, func, literal_column, select, text
from sqlalchemy.sql.elements import ColumnElement

from chassis.auth import Caller
from chassis.database import ReadSession, Session
from chassis.listing import Listing
from chassis.webhooks.store.reading import FIRST_KEPT

MAIN_COURSE = 0
COLUMNS = (
    "id", "url", "types", "province", "commune", "ordering", "description", "state", "paused_because", "client_id",
    "admin_units", "version", "created_at", "changed_at", "activated_at", "old_secret_until", "failing_since",
    "behind_events", "held_keys", "replays",
)  # fmt: skip
ATTEMPT_COLUMNS = (
    "event_id", "type", "subject", "sequence", "attempt", "at", "outcome", "status", "milliseconds", "excerpt",
    "detail",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one service."""

    webhook: Table
    course: Table
    held: Table
    attempt: Table

    @classmethod
    def of(cls, metadata: MetaData, service: str) -> Tables:
        """Find them in the service's metadata."""
        names = ("webhook", "webhook_course", "webhook_held", "webhook_attempt")
        return cls(*(metadata.tables[f"{service}.{name}"] for name in names))


def _owned(webhook: Table, caller: Caller) -> ColumnElement[bool]:
    """A webhook is its client's; who acts everywhere sees all."""
    if "*" in caller.admin_units:
        return literal_column("true")
    return webhook.c.client_id == caller.client_id


def _query(tables: Tables, caller: Caller) -> Select[Any]:
    webhook, course, held = tables.webhook, tables.course, tables.held
    head: ColumnElement[int] = literal_column("(SELECT pos FROM feed_head WHERE feed = 'main')")
    main = (
        select(func.greatest(head - course.c.pos, 0))
        .where(course.c.webhook_id == webhook.c.id, course.c.number == MAIN_COURSE)
        .scalar_subquery()
    )
    replays = (
        select(func.count()).where(course.c.webhook_id == webhook.c.id, course.c.number > MAIN_COURSE).scalar_subquery()
    )
    waiting = select(func.count()).where(held.c.webhook_id == webhook.c.id).scalar_subquery()
    old_until = case((webhook.c.old_secret_until > func.clock_timestamp(), webhook.c.old_secret_until))
    plain = [webhook.c[name] for name in COLUMNS if name in webhook.c and name != "old_secret_until"]
    return select(
        *plain,
        webhook.c.provinces.label("province"),
        webhook.c.communes.label("commune"),
        old_until.label("old_secret_until"),
        main.label("behind_events"),
        waiting.label("held_keys"),
        replays.label("replays"),
    ).where(_owned(webhook, caller))


def list_webhooks(tables: Tables, caller: Caller) -> Listing:
    """The webhooks a caller sees, oldest first."""
    return Listing(_query(tables, caller), (tables.webhook.c.id,), COLUMNS)


async def find(db: ReadSession, tables: Tables, caller: Caller, webhook_id: UUID) -> Mapping[str, Any] | None:
    """One webhook as its owner sees it."""
    found = await db.execute(_query(tables, caller).where(tables.webhook.c.id == webhook_id))
    row = found.mappings().one_or_none()
    return None if row is None else dict(row)


async def find_for_change(db: Session, tables: Tables, caller: Caller, webhook_id: UUID) -> Mapping[str, Any] | None:
    """A webhook's own row, locked until the transaction ends."""
    webhook = tables.webhook
    query = select(webhook).where(webhook.c.id == webhook_id, _owned(webhook, caller)).with_for_update()
    row = (await db.execute(query)).mappings().one_or_none()
    return None if row is None else dict(row)


async def count_of(db: Session, client_id: str) -> int:
    """How many webhooks a client has; others of that client that are made at once wait for this one."""
    await db.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' webhooks of ' || :client_id, 0))"),
        {"client_id": client_id},
    )
    found = await db.execute(text("SELECT count(*) FROM webhook WHERE client_id = :id"), {"id": client_id})
    return int(found.scalar_one())


async def new_id(db: Session) -> UUID:
    """An id for a webhook that is about to be made: its secret is sealed for it."""
    found: UUID = (await db.execute(text("SELECT uuidv7()"))).scalar_one()
    return found


async def create(db: Session, tables: Tables, fields: Mapping[str, Any], after: int | None) -> None:
    """Make a webhook that hears what comes after a position; none: after the log's head."""
    await db.execute(tables.webhook.insert().values(**fields))
    await db.execute(
        text(
            "INSERT INTO webhook_course (webhook_id, number, pos)"
            " SELECT :id, 0, coalesce(CAST(:after AS bigint), pos) FROM feed_head WHERE feed = 'main'"
        ),
        {"id": fields["id"], "after": after},
    )


async def change(db: Session, tables: Tables, webhook_id: UUID, fields: Mapping[str, Any]) -> None:
    """Change a webhook; its version goes up with each change, and whoever delivers it takes it anew."""
    webhook = tables.webhook
    always = {"version": webhook.c.version + 1, "changed_at": func.clock_timestamp()}
    await db.execute(webhook.update().where(webhook.c.id == webhook_id).values(**fields, **always))


async def begin_anew(db: Session, webhook_id: UUID) -> None:
    """Let whatever waits after failures be tried at once, and forget how many there were."""
    await db.execute(
        text("UPDATE webhook_held SET due_at = clock_timestamp() WHERE webhook_id = :i"), {"i": webhook_id}
    )


async def ask_ping(db: Session, webhook_id: UUID) -> UUID:
    """Have a ping sent; one that is still to be sent is the same."""
    found = await db.execute(
        text("UPDATE webhook SET ping_id = coalesce(ping_id, uuidv7()) WHERE id = :id RETURNING ping_id"),
        {"id": webhook_id},
    )
    ping: UUID = found.scalar_one()
    return ping


async def rotate(db: Session, tables: Tables, webhook_id: UUID, sealed: str, overlap: timedelta) -> None:
    """Put a new secret in the place of the old one, which signs as well for a time."""
    fields = {
        "old_secret": tables.webhook.c.secret,
        "old_secret_until": func.clock_timestamp() + overlap,
        "secret": sealed,
        "secret_made_at": func.clock_timestamp(),
    }
    await change(db, tables, webhook_id, fields)


async def delete(db: Session, tables: Tables, webhook_id: UUID) -> None:
    """Remove a webhook; its log of deliveries stays until its time is over."""
    await db.execute(tables.webhook.delete().where(tables.webhook.c.id == webhook_id))


async def secret_made_within(db: ReadSession, webhook_id: UUID, age: timedelta) -> str | None:
    """A webhook's sealed secret, if it was made no longer ago than that."""
    found = await db.execute(
        text(
            "SELECT secret FROM webhook WHERE id = :id AND secret_made_at > clock_timestamp() - CAST(:age AS interval)"
        ),
        {"id": webhook_id, "age": age},
    )
    secret: str | None = found.scalar_one_or_none()
    return secret


async def position_at(db: ReadSession, moment: datetime) -> int:
    """The position of the last event that came into the log before a moment, by halving: positions are dense."""
    low, (_, high) = await first_position(db), await head(db)
    while low <= high:
        middle = (low + high) // 2
        logged_at = (await db.execute(_LOGGED_AT, {"pos": middle})).scalar_one_or_none()
        is_before = logged_at is None or logged_at < moment  # the beginning may leave while we look
        low, high = (middle + 1, high) if is_before else (low, middle - 1)
    return high


_LOGGED_AT = text("SELECT logged_at FROM event_log WHERE pos = :pos")


async def first_position(db: ReadSession) -> int:
    """The position of the first event the log still holds; one after its head where it holds none."""
    return int((await db.execute(text(FIRST_KEPT))).scalar_one())


async def head(db: ReadSession) -> tuple[int, int]:
    """The log's epoch and the position of its last event."""
    row = (await db.execute(text("SELECT epoch, pos FROM feed_head WHERE feed = 'main'"))).one()
    return row.epoch, row.pos


async def courses(db: Session, webhook_id: UUID) -> Sequence[Any]:
    """How far a webhook has come in each of its courses."""
    found = await db.execute(
        text("SELECT number, pos FROM webhook_course WHERE webhook_id = :id ORDER BY number FOR UPDATE"),
        {"id": webhook_id},
    )
    return found.all()


async def add_course(db: Session, webhook_id: UUID, number: int, *, after: int, upto: int) -> None:
    """Let a webhook go over a part of the log once more."""
    await db.execute(
        text("INSERT INTO webhook_course (webhook_id, number, pos, upto) VALUES (:id, :number, :after, :upto)"),
        {"id": webhook_id, "number": number, "after": after, "upto": upto},
    )


def list_attempts(tables: Tables, webhook_id: UUID, events: Sequence[UUID], outcomes: Sequence[str]) -> Listing:
    """The tries to deliver to a webhook, newest first."""
    attempt = tables.attempt
    sequence = func.lpad(cast(attempt.c.pos, Text), 20, "0")
    plain = [attempt.c[name] for name in ATTEMPT_COLUMNS if name in attempt.c]
    query = select(attempt.c.number, *plain, sequence.label("sequence")).where(attempt.c.webhook_id == webhook_id)
    if events:
        query = query.where(attempt.c.event_id.in_(events))
    if outcomes:
        query = query.where(attempt.c.outcome.in_(outcomes))
    return Listing(query, (attempt.c.number,), ATTEMPT_COLUMNS)
