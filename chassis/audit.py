"""Audit rows: who did what to what, in the same transaction as the deed."""

from __future__ import annotations

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
