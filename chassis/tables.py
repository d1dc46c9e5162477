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


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_kw: object) -> str:
        """The type's name in DDL."""
        return "XID8"


def _moment(name: str, default: str = "clock_timestamp()") -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=text(default))


def _event_columns() -> list[Column[object]]:
    return [
        Column("event_id", Uuid, nullable=False, server_default=text("uuidv7()")),
        Column("type", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("version", BigInteger, nullable=False),
        Column("province", Text),
        Column("commune", Text),
        Column("is_public", Boolean, nullable=False),
        Column("data", JSONB),
        Column("packed", LargeBinary),
        Column("trace", Text),
        _moment("at"),
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
        _moment("logged_at"),
        postgresql_partition_by="RANGE (pos)",
    )
    Table(
        "feed_head",
        metadata,
        Column("feed", Text, primary_key=True),
        Column("epoch", Integer, nullable=False),
        Column("pos", BigInteger, nullable=False),
        Column("system_id", Text, nullable=False),
        Column("timeline", Integer, nullable=False),
    )
    Table(
        "event_archive",
        metadata,
        Column("first_pos", BigInteger, primary_key=True),
        Column("audience", Text, primary_key=True),
        Column("last_pos", BigInteger, nullable=False),
        Column("epoch", Integer, nullable=False),
        Column("events", BigInteger, nullable=False),
        Column("bytes", BigInteger, nullable=False),
        Column("sha256", LargeBinary, nullable=False),
        Column("file", Text, nullable=False, unique=True),
        _moment("at"),
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
        _moment("at"),
        Column("client_id", Text, nullable=False),
        Column("caller_subject", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("subject", Text, nullable=False),
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
        _moment("at"),
    )
    Index("ix_idempotency_key_at", kept.c.at)
    Table(
        "follower",
        metadata,
        Column("source", Text, primary_key=True),
        Column("cursor", Text, nullable=False),
        _moment("at"),
    )
