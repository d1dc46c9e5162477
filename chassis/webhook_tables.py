"""The tables of webhooks: subscriptions, how far each has come, what it is held up by, and what was tried."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.columns import moment, number, words


def _perhaps(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


def _lists(*names: str) -> list[Column[object]]:
    return [Column(name, ARRAY(Text), nullable=False) for name in names]


def webhook_tables(metadata: MetaData) -> None:
    """Declare the tables in one service's metadata; `migrations/ledger_v4.py` creates them."""
    webhook = Table(
        "webhook",
        metadata,
        Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
        words("client_id"),
        words("caller_subject"),
        *_lists("admin_units"),
        words("url"),
        *_lists("types", "provinces", "communes"),
        Column("ordering", Text, CheckConstraint("ordering IN ('key', 'none')", name="ordering"), nullable=False),
        Column("description", Text),
        words("secret"),
        moment("secret_made_at"),
        Column("old_secret", Text),
        _perhaps("old_secret_until"),
        *_state_columns(),
        *_sending_columns(),
    )
    Index(None, webhook.c.client_id)
    _walk_tables(metadata)
    attempt = _attempt_table(metadata)
    Index(None, attempt.c.webhook_id, attempt.c.number)


def _state_columns() -> list[Column[object]]:
    states = CheckConstraint("state IN ('pending', 'active', 'paused')", name="state")
    causes = CheckConstraint("paused_because IN ('asked', 'gone', 'failing', 'unanswered')", name="paused_because")
    return [
        Column("state", Text, states, nullable=False, server_default=text("'pending'")),
        Column("paused_because", Text, causes),
        Column("version", BigInteger, nullable=False, server_default=text("1")),
        moment("created_at"),
        moment("changed_at"),
        _perhaps("activated_at"),
        Column("challenges", SmallInteger, nullable=False, server_default=text("0")),
        moment("challenge_due_at"),
        Column("ping_id", Uuid),
    ]


def _sending_columns() -> list[Column[object]]:
    return [
        Column("lease_number", BigInteger, nullable=False, server_default=text("0")),
        _perhaps("lease_until"),
        Column("failures", Integer, nullable=False, server_default=text("0")),
        _perhaps("failing_since"),
        _perhaps("quiet_until"),
    ]


def _walk_tables(metadata: MetaData) -> None:
    Table(
        "webhook_course",
        metadata,
        Column("webhook_id", Uuid, ForeignKey("webhook.id", ondelete="CASCADE"), primary_key=True),
        Column("number", SmallInteger, primary_key=True, autoincrement=False),
        number("pos"),
        Column("upto", BigInteger),
        moment("asked_at"),
    )
    Table(
        "webhook_held",
        metadata,
        Column("webhook_id", Uuid, primary_key=True),
        Column("course", SmallInteger, primary_key=True, autoincrement=False),
        Column("key", Text, primary_key=True),
        number("pos"),
        Column("attempts", Integer, nullable=False),
        Column("due_at", DateTime(timezone=True), nullable=False),
        ForeignKeyConstraint(
            ["webhook_id", "course"], ["webhook_course.webhook_id", "webhook_course.number"], ondelete="CASCADE"
        ),
    )


def _attempt_table(metadata: MetaData) -> Table:
    return Table(
        "webhook_attempt",
        metadata,
        Column("number", BigInteger, Identity(always=True, increment=-1), primary_key=True),
        Column("webhook_id", Uuid, nullable=False),
        Column("event_id", Uuid, nullable=False),
        words("type"),
        words("subject"),
        Column("pos", BigInteger),
        Column("attempt", Integer, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        words("outcome"),
        Column("status", SmallInteger),
        Column("milliseconds", Integer, nullable=False),
        Column("excerpt", Text),
        Column("detail", Text),
    )
