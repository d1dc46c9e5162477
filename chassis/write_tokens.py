"""Write tokens: what a write is known by, so that its writer can read it back (`X-Min-Version`)."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from sqlalchemy import text

from chassis.bell import Bell, heard
from chassis.database import Database, ReadSession, Session
from chassis.errors import Gone, Refused, Unavailable, rule

LOOK_SECONDS = 0.05
WRITE_TOKEN_INVALID = rule(
    "write_token_invalid",
    vi="X-Min-Version không phải một write_token.",
    en="X-Min-Version is not a write_token.",
)
WRITE_NOT_YET_VISIBLE = rule(
    "write_not_yet_visible",
    vi="Lần ghi được nhắc đến chưa vào nhật ký; hãy thử lại.",
    en="The write asked for is not in the log yet; try again.",
)

WRITE_LOST = rule(
    "write_lost",
    vi="Nhật ký đã được khôi phục từ bản sao; lần ghi được nhắc đến có thể đã mất.",
    en="The log was restored from a copy since; the write asked for may be lost.",
)


async def write_token(db: Session) -> str:
    """The token of this transaction, for read-your-writes (`X-Min-Version`)."""
    found = await db.execute(
        text(
            "SELECT epoch, pg_current_xact_id()::text AS xid, current_schema() AS service FROM feed_head"
            " WHERE feed = 'main'"
        )
    )
    return token_of(found.one())


def token_of(row: Any) -> str:
    """The token of a row of service, epoch and xid."""
    packed = json.dumps([row.service, row.epoch, row.xid], separators=(",", ":"))
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def read_token(token: str) -> tuple[str, int, int]:
    """Service, epoch and transaction id of a write token.

    Raises:
        Refused: not a write token ("write_token_invalid").
    """
    try:
        service, epoch, xid = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        read = str(service), int(epoch), int(xid)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Refused(WRITE_TOKEN_INVALID) from error
    if not 0 < read[2] < 2**63:
        raise Refused(WRITE_TOKEN_INVALID)
    return read


async def wait_for(database: Database, epoch: int, xid: int, news: Bell, seconds: float = 5.0) -> None:
    """Wait until a write of this database is in the log; look again whenever there are news of it.

    Raises:
        Gone: the log was restored since, and the write may be lost ("write_lost").
        Refused: no transaction has that number yet ("write_token_invalid").
        Unavailable: it is not there in time ("write_not_yet_visible").
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        ring = news.listen()
        async with database.read() as db:
            if await _is_logged(db, epoch, xid):
                return
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable(WRITE_NOT_YET_VISIBLE, headers={"Retry-After": "1"})
        await heard(ring, LOOK_SECONDS)


async def _is_logged(db: ReadSession, epoch: int, xid: int) -> bool:
    found = await db.execute(
        text(
            "SELECT (SELECT epoch FROM feed_head WHERE feed = 'main') AS epoch,"
            " CAST(:xid AS text)::xid8 >= pg_snapshot_xmax(pg_current_snapshot()) AS is_future,"
            " pg_visible_in_snapshot(CAST(:xid AS text)::xid8, pg_current_snapshot())"
            " AND NOT EXISTS (SELECT 1 FROM outbox WHERE xid = CAST(:xid AS text)::xid8) AS is_logged"
        ),
        {"xid": str(xid)},
    )
    row = found.one()
    if row.epoch != epoch:
        raise Gone(WRITE_LOST)
    # Nobody can hold the token of a write that has not begun, so there is nothing to wait for.
    if row.is_future:
        raise Refused(WRITE_TOKEN_INVALID)
    return bool(row.is_logged)
