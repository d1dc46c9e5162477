"""Audit rows: who did what to what, in the same transaction as the deed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import text

from chassis.auth import Caller
from chassis.database import Session
from chassis.replies import encode

MAX_BYTES = 256 * 1024  # of one side of one row; the values themselves stay readable in the history of their tables


async def record(
    db: Session,
    caller: Caller,
    action: str,
    subject: str,
    *,
    units: tuple[str | None, str | None] = (None, None),
    change: tuple[Any, Any] = (None, None),
) -> None:
    """Note a write: `units` is (province, commune), `change` is (old, new); the role may insert and read only."""
    await record_all(db, caller, action, [Deed(subject, *units, change[1], old=change[0])])


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing a write touched: its subject, where it lies (province, commune), and what it says now and said."""

    subject: str
    province: str | None
    commune: str | None
    new: Any
    old: Any = None


async def record_all(db: Session, caller: Caller, action: str, deeds: Sequence[Deed]) -> None:
    """Note a write that touched many subjects: one row each, in one statement."""
    rows = [
        {
            "subject": each.subject,
            "province": each.province,
            "commune": each.commune,
            "old": _bounded(each.old),
            "new": _bounded(each.new),
        }
        for each in deeds
    ]
    await db.execute(
        text(
            "INSERT INTO audit (client_id, caller_subject, action, subject, province, commune, request_id, old, new)"
            " SELECT :client_id, :caller_subject, :action, subject, province, commune, :request_id, old, new"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb))"
            " AS r(subject text, province text, commune text, old jsonb, new jsonb)"
        ),
        {
            "client_id": caller.client_id,
            "caller_subject": caller.subject,
            "action": action,
            "request_id": db.info.get("request_id"),
            "rows": encode(rows).decode(),
        },
    )


def _bounded(said: Any) -> Any:
    """What was said as it is written; of very much, the keys of what it is about."""
    written = encode(said)
    if len(written) <= MAX_BYTES:
        return msgspec.Raw(written)
    outline = {name: _outline(part) for name, part in said.items()} if isinstance(said, Mapping) else {}
    return {"is_shortened": True, **outline}


def _outline(part: Any) -> Any:
    if isinstance(part, Mapping):
        return sorted(part)
    return part if part is None or isinstance(part, str | int) else None
