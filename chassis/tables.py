"""The tables every service has beside its own: outbox, log, heads, audit, stored replies, followers."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType

from chassis.columns import moment, number, words


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_kw: object) -> str:
        """The type's name in DDL."""
        return "XID8"


def _event_columns() -> list[Column[object]]:
    return [
        Column("event_id", Uuid, nullable=False, server_default=text("uuidv7()")),
        words("type"),
        words("subject"),
        number("version"),
        Column("province", Text),
        Column("commune", Text),
        Column("is_public", Boolean, nullable=False),
        Column("data", JSONB),
        Column("packed", LargeBinary),
        Column("trace", Text),
        moment("at"),
    ]


def ledger_tables(metadata: MetaData) -> None:
    """Declare the ledger's tables in one service's metadata; `migrations/ledger_v*.py` create them."""
    outbox = Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
        *_event_columns(),
    )
    Index("outbox_pick", outbox.c.xid, outbox.c.id)
    Table(
        "event_log",
        metadata,
        Column("pos", BigInteger, primary_key=True),
        Column("xid", Xid8, nullable=False),
        *_event_columns(),
        moment("logged_at"),
        postgresql_partition_by="RANGE (pos)",
    )
    Table(
        "feed_head",
        metadata,
        Column("feed", Text, primary_key=True),
        Column("epoch", Integer, nullable=False),
        number("pos"),
        words("system_id"),
        Column("timeline", Integer, nullable=False),
    )
    Table(
        "event_archive",
        metadata,
        Column("first_pos", BigInteger, primary_key=True),
        Column("audience", Text, primary_key=True),
        number("last_pos"),
        Column("epoch", Integer, nullable=False),
        number("events"),
        number("bytes"),
        Column("sha256", LargeBinary, nullable=False),
        Column("file", Text, nullable=False, unique=True),
        moment("at"),
    )
    Table(
        "aggregate_head",
        metadata,
        Column("subject", Text, primary_key=True),
        Column("version", BigInteger, nullable=False, server_default=text("0")),
        Column("recorded_at", DateTime(timezone=True), nullable=False),
    )
    _record_tables(metadata)


def _record_tables(metadata: MetaData) -> None:
    audit = Table(
        "audit",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        moment("at"),
        words("client_id"),
        words("caller_subject"),
        words("action"),
        words("subject"),
        Column("province", Text),
        Column("commune", Text),
        Column("request_id", Text),
        Column("old", JSONB),
        Column("new", JSONB),
    )
    Index("ix_audit_subject", audit.c.subject, audit.c.id)
    kept = Table(
        "idempotency_key",
        metadata,
        Column("client_id", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("status", SmallInteger, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary, nullable=False),
        moment("at"),
    )
    Index("ix_idempotency_key_at", kept.c.at)
    Table(
        "follower",
        metadata,
        Column("source", Text, primary_key=True),
        words("cursor"),
        moment("at"),
    )
