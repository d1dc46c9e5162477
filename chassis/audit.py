"""Audit rows: who did what to what, in the same transaction as the deed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from chassis.auth import Caller
from chassis.database import Session
from chassis.replies import encode


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
    await db.execute(
        text(
            "INSERT INTO audit (client_id, caller_subject, action, subject, province, commune, request_id, old, new)"
            " VALUES (:client_id, :caller_subject, :action, :subject, :province, :commune, :request_id,"
            " CAST(:old AS jsonb), CAST(:new AS jsonb))"
        ),
        {
            "client_id": caller.client_id,
            "caller_subject": caller.subject,
            "action": action,
            "subject": subject,
            "province": units[0],
            "commune": units[1],
            "request_id": db.info.get("request_id"),
            "old": None if change[0] is None else encode(change[0]).decode(),
            "new": None if change[1] is None else encode(change[1]).decode(),
        },
    )


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing a write touched: its subject, where it lies (province, commune), and what it says now."""

    subject: str
    province: str | None
    commune: str | None
    new: Any


async def record_all(db: Session, caller: Caller, action: str, deeds: Sequence[Deed]) -> None:
    """Note a write that touched many subjects: one row each, in one statement."""
    rows = [
        {"subject": each.subject, "province": each.province, "commune": each.commune, "new": each.new} for each in deeds
    ]
    await db.execute(
        text(
            "INSERT INTO audit (client_id, caller_subject, action, subject, province, commune, request_id, new)"
            " SELECT :client_id, :caller_subject, :action, subject, province, commune, :request_id, new"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(subject text, province text, commune text, new jsonb)"
        ),
        {
            "client_id": caller.client_id,
            "caller_subject": caller.subject,
            "action": action,
            "request_id": db.info.get("request_id"),
            "rows": encode(rows).decode(),
        },
    )
