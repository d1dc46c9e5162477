"""`Idempotency-Key`: the same request twice has one effect and one answer, also across a crash.

Key, effect, event and stored reply are one transaction. A running twin is seen by an advisory try-lock, so
nobody waits; only 2xx replies are kept, and a dry run never.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Header, Request
from sqlalchemy import text
from starlette.responses import Response

from chassis.auth import identify
from chassis.database import Session, Writing, on_return
from chassis.errors import Conflict, Refused, Unreadable, rule
from chassis.replies import encode

KEY_MISSING = rule(
    "idempotency_key_missing",
    vi="Cần tiêu đề Idempotency-Key để gửi lại an toàn.",
    en="An Idempotency-Key header is needed, so that a retry is safe.",
)
KEY_INVALID = rule(
    "idempotency_key_invalid",
    vi="Idempotency-Key dài từ 1 đến 255 ký tự ASCII in được.",
    en="An Idempotency-Key has 1 to 255 printable ASCII characters.",
)
KEY_REUSED = rule(
    "idempotency_key_reused",
    vi="Idempotency-Key này đã dùng cho một yêu cầu khác.",
    en="This Idempotency-Key was used for another request.",
)
IN_PROGRESS = rule(
    "request_in_progress",
    vi="Yêu cầu cùng Idempotency-Key đang được xử lý; hãy thử lại sau giây lát.",
    en="The request with this Idempotency-Key is still running; try again in a moment.",
)

KEPT_DAYS = 30
Work = Callable[[], Awaitable[Response]]


class RunOnce:
    """Runs work once per key."""

    def __init__(self, request: Request, db: Session, key: str | None) -> None:
        self._request = request
        self._db = db
        self._key = key

    async def __call__(self, work: Work) -> Response:
        """The work's reply, or the stored one of the first time.

        Raises:
            Conflict: the first request is still running ("request_in_progress").
            Refused: the key belongs to another request ("idempotency_key_reused").
        """
        if self._key is None or self._db.info.get("dry_run"):
            return await work()
        caller = await identify(self._request)
        fingerprint = await self._fingerprint()
        await self._claim(caller.client_id)
        stored = await self._stored(caller.client_id, fingerprint)
        if stored is not None:
            return stored
        on_return(self._db, lambda: self._claim_again(caller.client_id))
        response = await work()
        if 200 <= response.status_code < 300:
            await self._store(caller.client_id, fingerprint, response)
        return response

    async def _fingerprint(self) -> bytes:
        request = self._request
        digest = hashlib.sha256()
        for part in (request.method, request.url.path, request.url.query):
            digest.update(part.encode() + b"\x00")
        digest.update(getattr(request.state, "body_digest", None) or await request.body())
        return digest.digest()

    async def _claim(self, client_id: str) -> None:
        service = self._request.app.state.house.database.service
        name = hashlib.sha256(f"{service}\x00{client_id}\x00{self._key}".encode()).digest()[:8]
        number = int.from_bytes(name, "big", signed=True)
        found = await self._db.execute(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": number})
        if not found.scalar():
            raise Conflict(IN_PROGRESS, headers={"Retry-After": "1"})

    async def _claim_again(self, client_id: str) -> None:
        """The claim ends with the transaction; a twin that ran meanwhile has the answer, which a retry gets."""
        await self._claim(client_id)
        if await self._stored(client_id, await self._fingerprint()) is not None:
            raise Conflict(IN_PROGRESS, headers={"Retry-After": "1"})

    async def _stored(self, client_id: str, fingerprint: bytes) -> Response | None:
        found = await self._db.execute(
            text(
                "SELECT fingerprint, status, headers, body FROM idempotency_key"
                " WHERE client_id = :client_id AND key = :key AND at > now() - make_interval(days => :days)"
            ),
            {"client_id": client_id, "key": self._key, "days": KEPT_DAYS},
        )
        row = found.one_or_none()
        if row is None:
            return None
        if row.fingerprint != fingerprint:
            raise Refused(KEY_REUSED)
        return Response(row.body, row.status, headers={**row.headers, "Idempotency-Replayed": "true"})

    async def _store(self, client_id: str, fingerprint: bytes, response: Response) -> None:
        headers = {k: v for k, v in response.headers.items() if k != "content-length"}
        await self._db.execute(
            text(
                "WITH old AS (DELETE FROM idempotency_key WHERE ctid = ANY (ARRAY("
                "   SELECT ctid FROM idempotency_key WHERE at <= now() - make_interval(days => :days)"
                "   ORDER BY at LIMIT 100 FOR UPDATE SKIP LOCKED)) AND (client_id, key) <> (:client_id, :key))"
                " INSERT INTO idempotency_key AS k (client_id, key, fingerprint, status, headers, body)"
                " VALUES (:client_id, :key, :fingerprint, :status, CAST(:headers AS jsonb), :body)"
                " ON CONFLICT (client_id, key) DO UPDATE SET fingerprint = excluded.fingerprint,"
                " status = excluded.status, headers = excluded.headers, body = excluded.body, at = now()"
            ),
            {
                "client_id": client_id,
                "key": self._key,
                "days": KEPT_DAYS,
                "fingerprint": fingerprint,
                "status": response.status_code,
                "headers": encode(headers).decode(),
                "body": bytes(response.body),
            },
        )


IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="Makes a retry safe; quoted or bare; kept 30 days."),
]


def _read_key(asked: str | None) -> str | None:
    if asked is None:
        return None
    key = asked[1:-1] if len(asked) > 1 and asked[0] == asked[-1] == '"' else asked
    if not 0 < len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise Unreadable(KEY_INVALID)
    return key


def _once(request: Request, db: Writing, key: IdempotencyKey = None) -> RunOnce:
    if key is None:
        raise Unreadable(KEY_MISSING)
    return RunOnce(request, db, _read_key(key))


def _once_if_keyed(request: Request, db: Writing, key: IdempotencyKey = None) -> RunOnce:
    return RunOnce(request, db, _read_key(key))


Once = Annotated[RunOnce, Depends(_once, scope="function")]
OnceIfKeyed = Annotated[RunOnce, Depends(_once_if_keyed, scope="function")]
