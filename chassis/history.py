"""Versioned sets: rows that say when they were known, so that nothing is overwritten unseen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, LargeBinary, and_, insert, or_, select, update
from sqlmodel import Field, SQLModel

from chassis.database import Session
from chassis.replies import encode


class Versioned(SQLModel):
    """Known from one moment until another (none: still so), with the hash of what the row says."""

    known_from: datetime = Field(sa_type=DateTime(timezone=True))
    known_to: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    content_hash: bytes = Field(sa_type=LargeBinary)


@dataclass(frozen=True, slots=True)
class SetDiff:
    """What applying a set changed, as lists of keys; `kept` were missing from the body and not pruned."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    @property
    def has_changes(self) -> bool:
        """Whether anything was written."""
        return bool(self.created or self.updated or self.removed)

    def summary(self) -> dict[str, Any]:
        """The reply's form: keys of what changed, a number for what did not."""
        return {
            "created": self.created,
            "updated": self.updated,
            "unchanged": len(self.unchanged),
            "removed": self.removed,
            "kept": self.kept,
        }


def as_of(table: Any, known_at: datetime | None) -> ColumnElement[bool]:
    """Rows known now, or at a moment (transaction time)."""
    if known_at is None:
        current: ColumnElement[bool] = table.known_to.is_(None)
        return current
    return and_(table.known_from <= known_at, or_(table.known_to.is_(None), table.known_to > known_at))


def content_hash(row: Mapping[str, Any]) -> bytes:
    """A hash of what a row says, independent of the order of its columns."""
    return hashlib.sha256(encode(dict(sorted(row.items())))).digest()


def compare(current: Mapping[str, bytes], incoming: Mapping[str, bytes], *, prune: bool) -> SetDiff:
    """Sort keys into created, updated, unchanged, and removed or kept."""
    missing = [key for key in current if key not in incoming]
    return SetDiff(
        created=[key for key in incoming if key not in current],
        updated=[key for key in incoming if key in current and current[key] != incoming[key]],
        unchanged=[key for key in incoming if current.get(key) == incoming[key]],
        removed=missing if prune else [],
        kept=[] if prune else missing,
    )


async def apply_set(
    db: Session,
    table: Any,
    scope: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    *,
    prune: bool,
    at: datetime,
) -> SetDiff:
    """Make the rows of one scope say what the body says, keeping what they said before.

    `rows` carry a column "key", unique within the scope. Three statements, whatever the number of rows;
    the caller holds the lock of the aggregate.
    """
    within = [getattr(table, name) == value for name, value in scope.items()]
    found = await db.execute(select(table.key, table.content_hash).where(table.known_to.is_(None), *within))
    hashes = {row["key"]: content_hash(row) for row in rows}
    diff = compare({row.key: row.content_hash for row in found}, hashes, prune=prune)
    closing = diff.updated + diff.removed
    if closing:
        await db.execute(
            update(table)
            .where(table.known_to.is_(None), table.key.in_(closing), *within)
            .values(known_to=at)
            .execution_options(synchronize_session=False)
        )
    written = set(diff.created + diff.updated)
    if written:
        # Without `render_nulls` the rows would be split by which of their columns are null, a statement for each.
        await db.execute(
            insert(table).execution_options(render_nulls=True),
            [
                {**scope, **row, "known_from": at, "content_hash": hashes[row["key"]]}
                for row in rows
                if row["key"] in written
            ],
        )
    return diff
