"""Answers with types: what a post came to, and how far an import is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec

T = TypeVar("T")
FINAL = frozenset({"done", "refused", "failed", "cancelled"})


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault or warning: which row (as its sender counts them), which column, the value seen, and why."""

    code: str
    message: str = ""
    row: int | None = None
    column: str | None = None
    value: Any = None


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a post: received = created + updated + unchanged + stale + duplicates + refused."""

    received: int
    created: int
    updated: int
    unchanged: int
    stale: int = 0
    duplicates: int = 0
    refused: int = 0
    left_blank: int = 0
    mode: str = "atomic"
    dry_run: bool = False
    import_id: UUID | None = None
    errors: tuple[Fault, ...] = ()
    errors_total: int = 0
    warnings: tuple[Fault, ...] = ()
    warnings_total: int = 0
    write_token: str | None = None
    receipt: str | None = None
    through: UUID | None = None  # the import by which it was posted; it also has the refused rows as they were sent

    @property
    def written(self) -> int:
        """How many figures are new or changed."""
        return self.created + self.updated

    @property
    def is_whole(self) -> bool:
        """Whether no row was refused."""
        return not self.refused and not self.errors


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an import has come, in rows."""

    rows_read: int = 0
    rows_checked: int = 0
    rows_written: int = 0


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """A post that runs by itself: receiving, queued, running, then done, refused, failed or cancelled."""

    import_id: UUID
    state: str
    mode: str = "atomic"
    dry_run: bool = False
    name: str | None = None
    content_type: str | None = None
    size_bytes: int | None = None
    received_bytes: int | None = None
    sha256: str | None = None
    progress: Progress = Progress()
    result: Posted | None = None
    problem: dict[str, Any] | None = None
    reverts: UUID | None = None
    reverted_by: UUID | None = None
    created_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINAL


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a call under way: "sending" (bytes), "working" (rows), "waiting" (seconds, and why)."""

    phase: str
    done: float = 0
    total: float | None = None
    note: str = ""


def read_as(kind: type[T], body: Any) -> T:
    """A reply as one of these types; what is newer than this library is left out."""
    return msgspec.convert(body, kind, strict=False)


def posted_of(body: Mapping[str, Any]) -> Posted:
    """A reply of the post; where no totals are given, all faults are listed."""
    totals = {f"{name}_total": len(body.get(name) or ()) for name in ("errors", "warnings")}
    return read_as(Posted, {**totals, **{name: value for name, value in body.items() if value is not None}})


def import_of(body: Mapping[str, Any]) -> Import:
    """A reply that shows an import."""
    given = {name: value for name, value in body.items() if value is not None and name != "result"}
    found = read_as(Import, given)
    if not body.get("result"):
        return found
    result = msgspec.structs.replace(posted_of(body["result"]), through=found.import_id)
    return msgspec.structs.replace(found, result=result)


def faults_of(bodies: Iterable[Mapping[str, Any]]) -> tuple[Fault, ...]:
    """The faults of a problem body."""
    return tuple(read_as(Fault, dict(body)) for body in bodies)
