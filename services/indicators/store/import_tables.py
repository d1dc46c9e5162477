"""The tables of imports: terms and state, the bytes sent so far, and refused rows for whoever sent them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

if TYPE_CHECKING:
    from sqlmodel import SQLModel as Base
else:
    from services.indicators.store.tables import Base


def _moment(*, default: str | None = None, nullable: bool = False) -> Any:
    kept = None if default is None else text(default)
    return Column(DateTime(timezone=True), nullable=nullable, server_default=kept)


def _texts(default: str | None = None) -> Any:
    return Column(ARRAY(Text), nullable=False, server_default=None if default is None else text(default))


def _count() -> Any:
    return Column(Integer, nullable=False, server_default=text("0"))


def _whose() -> Any:
    reference = ForeignKey("indicators.import.import_id", ondelete="CASCADE")
    return Column(Uuid, reference, primary_key=True)


class Import(Base, table=True):
    """A large post: who sends it with which rights, how, how far it has come, and what became of it.

    `due_at` says when a runner may take it: once it is queued, or when the lease of the one that has it ends;
    `attempt` tells the runners of one import apart. `lapses` are attempts that ended without a word, `waits` those
    that an outage ended.
    """

    __tablename__ = "import"
    __table_args__ = (
        CheckConstraint(
            "state IN ('receiving', 'queued', 'running', 'done', 'refused', 'failed', 'cancelled')", name="state"
        ),
        Index("ix_import_client_id_import_id", "client_id", "import_id"),
        Index("ix_import_due_at", "due_at", postgresql_where=text("state IN ('queued', 'running')")),
        Index("ix_import_expires_at", "expires_at"),
        Index(
            "uq_import_reverts",
            "reverts",
            unique=True,
            postgresql_where=text("reverts IS NOT NULL AND state IN ('queued', 'running', 'done')"),
        ),
    )

    import_id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("uuidv7()")))
    state: str = Field(sa_type=Text)
    client_id: str = Field(sa_type=Text)
    caller_subject: str = Field(sa_type=Text)
    scopes: list[str] = Field(sa_column=_texts())
    admin_units: list[str] = Field(sa_column=_texts())
    request_id: str | None = Field(default=None, sa_type=Text)
    trace: str | None = Field(default=None, sa_type=Text)
    names_client: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("true")))
    mode: str = Field(sa_type=Text)
    on_stale: str = Field(sa_type=Text)
    on_blank: str = Field(sa_type=Text)
    is_dry_run: bool = Field(sa_type=Boolean)
    number_style: str | None = Field(default=None, sa_type=Text)
    sheet: str | None = Field(default=None, sa_type=Text)
    name: str | None = Field(default=None, sa_type=Text)
    content_type: str | None = Field(default=None, sa_type=Text)
    content_encoding: str | None = Field(default=None, sa_type=Text)
    size_bytes: int | None = Field(default=None, sa_type=BigInteger)
    sha256: bytes | None = Field(default=None, sa_type=LargeBinary)
    received_bytes: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    reverts: UUID | None = Field(default=None, sa_type=Uuid)
    reason: str | None = Field(default=None, sa_type=Text)
    attempt: int = Field(sa_column=_count())
    lapses: int = Field(sa_column=_count())
    waits: int = Field(sa_column=_count())
    due_at: datetime = Field(sa_column=_moment(default="clock_timestamp()"))
    is_cancelling: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    rows_read: int = Field(sa_column=_count())
    rows_checked: int = Field(sa_column=_count())
    rows_written: int = Field(sa_column=_count())
    result: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    problem: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    error_columns: list[str] = Field(sa_column=_texts("'{}'"))
    created_at: datetime = Field(sa_column=_moment(default="clock_timestamp()"))
    started_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    finished_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    expires_at: datetime = Field(sa_column=_moment())


class ImportChunk(Base, table=True):
    """Bytes of an import as they were sent, from a place on."""

    __tablename__ = "import_chunk"

    import_id: UUID = Field(sa_column=_whose())
    starts_at: int = Field(primary_key=True, sa_type=BigInteger)
    content: bytes = Field(sa_type=LargeBinary)


class ImportErrorPart(Base, table=True):
    """Refused rows of an import up to a row, with their faults: lines of JSON, packed."""

    __tablename__ = "import_error_part"

    import_id: UUID = Field(sa_column=_whose())
    last_row: int = Field(primary_key=True, sa_type=BigInteger)
    content: bytes = Field(sa_type=LargeBinary)
