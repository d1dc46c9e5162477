"""The statements of an import's life: sent, taken by a runner, watched, ended, forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text

from chassis.auth import Caller
from chassis.database import ReadSession, Session
from chassis.listing import Listing
from chassis.replies import encode
from services.indicators.domain.imports import State, Upload
from services.indicators.store.import_tables import Import, ImportChunk
from services.indicators.store.tables import table_of

imports = table_of(Import)
chunks = table_of(ImportChunk)
PROGRESS = ("rows_read", "rows_checked", "rows_written")
LISTED = (
    "import_id", "state", "mode", "on_stale", "on_blank", "dry_run", "name", "content_type", "size_bytes",
    "received_bytes", "sha256", "progress", "counts", "reverts", "client_id", "created_at", "started_at",
    "finished_at", "expires_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Claim:
    """An import that a runner has taken: `attempt` tells it from every other runner of the same import."""

    import_id: UUID
    attempt: int
    caller: Caller
    terms: Mapping[str, Any]


async def count_open(db: ReadSession, client_id: str) -> int:
    """How many imports of a client are not over."""
    found = await db.execute(
        text(
            "SELECT count(*) FROM import WHERE client_id = :client_id AND state IN ('receiving', 'queued', 'running')"
        ),
        {"client_id": client_id},
    )
    return int(found.scalar_one())


async def watch(db: ReadSession, import_id: UUID) -> dict[str, Any] | None:
    """How far an import has come; None where it was forgotten meanwhile."""
    found = await db.execute(
        text(
            "SELECT import_id, state, received_bytes, rows_read, rows_checked, rows_written,"
            " result -> 'counts' AS counts FROM import WHERE import_id = :import_id"
        ),
        {"import_id": import_id},
    )
    row = found.mappings().one_or_none()
    return None if row is None else dict(row)


async def create(db: Session, caller: Caller, kept: timedelta, fields: Mapping[str, Any]) -> UUID | None:
    """Note an import with the rights its sender has now; None where what it reverts is being reverted already."""
    made = await db.execute(
        text(
            "INSERT INTO import (client_id, names_client, caller_subject, scopes, admin_units, request_id, trace,"
            f" expires_at, {', '.join(fields)}) VALUES (:client_id, :names_client, :caller_subject, :scopes,"
            " :admin_units, :request_id, :trace,"
            f" clock_timestamp() + :kept, {', '.join(':' + name for name in fields)})"
            " ON CONFLICT DO NOTHING RETURNING import_id"
        ),
        {
            "client_id": caller.client_id,
            "names_client": caller.names_client,
            "caller_subject": caller.subject,
            "scopes": sorted(caller.scopes),
            "admin_units": caller.unit_codes,
            "request_id": db.info.get("request_id"),
            "trace": db.info.get("traceparent"),
            "kept": kept,
            **fields,
        },
    )
    import_id: UUID | None = made.scalar()
    return import_id


async def lock_upload(db: Session, caller: Caller, import_id: UUID) -> Upload | None:
    """What is held of a caller's own import; nobody else adds to it until the end of this transaction."""
    found = await db.execute(
        text(
            "SELECT state, received_bytes, size_bytes FROM import WHERE import_id = :import_id"
            " AND client_id = :client_id AND caller_subject = :subject FOR UPDATE"
        ),
        {"import_id": import_id, "client_id": caller.client_id, "subject": caller.subject},
    )
    row = found.one_or_none()
    return None if row is None else Upload(State(row.state), row.received_bytes, row.size_bytes)


# A unit of one list for which the other list may act: named itself, by its province, or everywhere.
_MAY_ACT = """('*' = ANY ({held}) OR unit = ANY ({held}) OR EXISTS (
  SELECT FROM admin_unit a WHERE a.code = unit AND a.province_code = ANY ({held})))"""
_NARROW = f"""
UPDATE import i SET
  scopes = ARRAY(SELECT unnest(i.scopes) INTERSECT SELECT unnest(CAST(:scopes AS text[])) ORDER BY 1),
  admin_units = ARRAY(
    SELECT unit FROM unnest(i.admin_units) unit WHERE {_MAY_ACT.format(held="CAST(:units AS text[])")}
    UNION
    SELECT unit FROM unnest(CAST(:units AS text[])) unit WHERE {_MAY_ACT.format(held="i.admin_units")}
    ORDER BY 1)
WHERE import_id = :import_id
"""


async def narrow(db: Session, caller: Caller, import_id: UUID) -> None:
    """Leave a locked import the rights that its caller has now, of those it had before."""
    await db.execute(
        text(_NARROW), {"import_id": import_id, "scopes": sorted(caller.scopes), "units": caller.unit_codes}
    )


async def append(db: Session, import_id: UUID, piece: tuple[int, bytes], kept: timedelta) -> None:
    """Keep more bytes of a locked import from a place on; it waits for the next ones as long as it is kept."""
    offset, content = piece
    await db.execute(insert(chunks).values(import_id=import_id, starts_at=offset, content=content))
    await db.execute(
        text(
            "UPDATE import SET received_bytes = :held, expires_at = clock_timestamp() + :kept"
            " WHERE import_id = :import_id"
        ),
        {"import_id": import_id, "held": offset + len(content), "kept": kept},
    )


async def queue(db: Session, import_id: UUID, kept: timedelta) -> None:
    """Let a runner take a locked import."""
    await db.execute(
        text(
            "UPDATE import SET state = 'queued', due_at = clock_timestamp(), expires_at = clock_timestamp() + :kept"
            " WHERE import_id = :import_id"
        ),
        {"import_id": import_id, "kept": kept},
    )


# An import is seen by who sent it and by who acts everywhere; in outline, by who acts for every unit it wrote for.
_SEEN = """
SELECT i.*, p.import_id AS posting_import_id, p.client_id AS posting_client_id, p.mode AS posting_mode, p.received,
  p.created, p.updated, p.unchanged, p.stale, p.duplicates, p.refused, p.sha256 AS posting_sha256,
  p.reverts AS posting_reverts, p.recorded_at, r.import_id AS reverted_by, c.is_own,
  c.is_own OR c.is_everywhere AS is_whole
FROM (SELECT CAST(:import_id AS uuid) AS id) asked
LEFT JOIN import i ON i.import_id = asked.id
LEFT JOIN posting p ON p.import_id = asked.id
LEFT JOIN posting r ON r.reverts = asked.id
CROSS JOIN LATERAL (
  SELECT CAST(:everywhere AS boolean) AS is_everywhere,
    coalesce(i.client_id, p.client_id) = :client_id
      AND coalesce(i.caller_subject, p.caller_subject) = :subject AS is_own,
    cardinality(p.admin_unit_ids) > 0 AND NOT EXISTS (
      SELECT FROM admin_unit u WHERE u.id = ANY (p.admin_unit_ids)
        AND NOT (u.code = ANY (:units) OR coalesce(u.province_code = ANY (:units), false))) AS covers
) c
WHERE coalesce(i.import_id, p.import_id) IS NOT NULL
  AND (c.is_own OR c.is_everywhere OR c.covers)
"""


async def find(db: ReadSession, caller: Caller, import_id: UUID) -> dict[str, Any] | None:
    """An import, or what is known of a post at once, if the caller may see it; `is_whole`: all there is of it."""
    found = await db.execute(
        text(_SEEN),
        {
            "import_id": import_id,
            "client_id": caller.client_id,
            "subject": caller.subject,
            "units": caller.unit_codes,
            "everywhere": "*" in caller.admin_units,
        },
    )
    row = found.mappings().one_or_none()
    return None if row is None else dict(row)


def list_imports(caller: Caller, states: Sequence[str]) -> Listing:
    """A caller's own imports, oldest first; who acts everywhere sees those of the whole client."""
    counts = imports.c.result["counts"].label("counts")
    own = [column for column in imports.c if column.name in (*LISTED, *PROGRESS, "is_dry_run")]
    query = select(*own, counts).where(imports.c.client_id == caller.client_id)
    if "*" not in caller.admin_units:
        query = query.where(imports.c.caller_subject == caller.subject)
    if states:
        query = query.where(imports.c.state.in_(states))
    return Listing(query, (imports.c.import_id,), LISTED, _listed)


def _listed(row: Mapping[str, Any]) -> dict[str, Any]:
    digest = row["sha256"]
    return {
        **row,
        "dry_run": row["is_dry_run"],
        "sha256": digest.hex() if digest else None,
        "progress": {name: row[name] for name in PROGRESS},
    }


async def cancel(db: Session, import_id: UUID, kept: timedelta) -> State | None:
    """Cancel an import that waits, or ask its runner to stop; answers what it was, None where it is over."""
    found = await db.execute(
        text(
            "WITH old AS (SELECT import_id, state FROM import WHERE import_id = :import_id"
            "   AND state IN ('receiving', 'queued', 'running') FOR UPDATE),"
            " gone AS (DELETE FROM import_chunk USING old WHERE import_chunk.import_id = old.import_id"
            "   AND old.state <> 'running')"
            " UPDATE import i SET is_cancelling = true, expires_at = clock_timestamp() + :kept,"
            "   state = CASE old.state WHEN 'running' THEN 'running' ELSE 'cancelled' END,"
            "   finished_at = CASE old.state WHEN 'running' THEN NULL ELSE clock_timestamp() END"
            " FROM old WHERE i.import_id = old.import_id RETURNING old.state"
        ),
        {"import_id": import_id, "kept": kept},
    )
    state = found.scalar()
    return None if state is None else State(state)


# --- what runners do


async def claim(db: Session, lease: timedelta) -> Claim | None:
    """Take the import that has been due for longest: queued, or left without a word by a runner (a lapse)."""
    found = await db.execute(
        text(
            "UPDATE import SET state = 'running', attempt = attempt + 1, due_at = clock_timestamp() + :lease,"
            " lapses = lapses + CASE state WHEN 'running' THEN 1 ELSE 0 END,"
            " started_at = coalesce(started_at, clock_timestamp()), rows_read = 0, rows_checked = 0, rows_written = 0"
            " WHERE import_id = (SELECT import_id FROM import WHERE state IN ('queued', 'running')"
            "   AND due_at <= clock_timestamp() ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *"
        ),
        {"lease": lease},
    )
    row = found.mappings().one_or_none()
    if row is None:
        return None
    rights = frozenset(row["scopes"]), frozenset(row["admin_units"])
    caller = Caller(row["client_id"], row["caller_subject"], *rights, names_client=row["names_client"])
    return Claim(row["import_id"], row["attempt"], caller, dict(row))


_OWN = "import_id = :import_id AND attempt = :attempt AND state = 'running'"


def _own(claim: Claim, **values: Any) -> dict[str, Any]:
    return {"import_id": claim.import_id, "attempt": claim.attempt, **values}


async def beat(db: Session, claim: Claim, lease: timedelta, rows: tuple[int, int, int] | None) -> bool | None:
    """Renew a lease and note the rows read, checked, written; answers whether to stop, None where it was lost."""
    known = rows or (0, 0, 0)
    found = await db.execute(
        text(
            "UPDATE import SET due_at = clock_timestamp() + :lease, rows_read = greatest(rows_read, :read),"
            " rows_checked = greatest(rows_checked, :checked), rows_written = greatest(rows_written, :written)"
            f" WHERE {_OWN} RETURNING is_cancelling"
        ),
        _own(claim, lease=lease, read=known[0], checked=known[1], written=known[2]),
    )
    stops: bool | None = found.scalar()
    return stops


async def next_chunk(db: ReadSession, import_id: UUID, offset: int) -> bytes | None:
    """The bytes that begin at a place; None at the end."""
    found = await db.execute(
        select(chunks.c.content).where(chunks.c.import_id == import_id, chunks.c.starts_at == offset)
    )
    content: bytes | None = found.scalar()
    return content


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of an import."""

    state: State
    kept: timedelta
    result: Mapping[str, Any] | None = None
    problem: Mapping[str, Any] | None = None
    error_columns: Sequence[str] = ()
    sha256: bytes | None = None
    rows_read: int = 0


async def end(db: Session, claim: Claim, ending: Ending) -> bool:
    """Write what became of an import and let go of its bytes; false where it is no longer the runner's to end.

    What is done cannot have been cancelled: who asked for that was told it would not be.
    """
    counts = (ending.result or {}).get("counts", {})
    unless = " AND NOT is_cancelling" if ending.state is State.DONE else ""
    ended = await db.execute(
        text(
            "WITH ended AS (UPDATE import SET state = :state, result = CAST(:result AS jsonb),"
            " problem = CAST(:problem AS jsonb), error_columns = :error_columns, sha256 = coalesce(sha256, :sha256),"
            " finished_at = clock_timestamp(), expires_at = clock_timestamp() + :kept,"
            " rows_read = greatest(rows_read, :read), rows_checked = greatest(rows_checked, :read),"
            " rows_written = greatest(rows_written, :written)"
            f" WHERE {_OWN}{unless} RETURNING import_id),"
            " gone AS (DELETE FROM import_chunk USING ended WHERE import_chunk.import_id = ended.import_id)"
            " SELECT count(*) FROM ended"
        ),
        _own(
            claim,
            state=ending.state.value,
            kept=ending.kept,
            result=_json(ending.result),
            problem=_json(ending.problem),
            error_columns=list(ending.error_columns),
            sha256=ending.sha256,
            read=max(counts.get("received", 0), ending.rows_read),
            written=counts.get("created", 0) + counts.get("updated", 0),
        ),
    )
    return bool(ended.scalar())


async def end_cancelled(db: Session, claim: Claim, kept: timedelta) -> None:
    """Say that a runner stopped because it was asked to."""
    await db.execute(
        text(
            "WITH ended AS (UPDATE import SET state = 'cancelled', finished_at = clock_timestamp(),"
            " expires_at = clock_timestamp() + :kept"
            f" WHERE {_OWN} AND is_cancelling RETURNING import_id)"
            " DELETE FROM import_chunk USING ended WHERE import_chunk.import_id = ended.import_id"
        ),
        _own(claim, kept=kept),
    )


async def put_back(db: Session, claim: Claim, wait: timedelta) -> None:
    """Let an import wait, because of an outage, for its next attempt."""
    await db.execute(
        text(f"UPDATE import SET state = 'queued', waits = waits + 1, due_at = clock_timestamp() + :wait WHERE {_OWN}"),
        _own(claim, wait=wait),
    )


async def hand_back(db: Session, claim: Claim) -> None:
    """Let somebody else have an import at once; nothing is held against it."""
    await db.execute(text(f"UPDATE import SET state = 'queued', due_at = clock_timestamp() WHERE {_OWN}"), _own(claim))


async def forget_expired(db: Session) -> int:
    """Delete imports whose time is over, a hundred at a time; what they wrote stays."""
    gone = await db.execute(
        text(
            "DELETE FROM import WHERE import_id = ANY (ARRAY(SELECT import_id FROM import"
            " WHERE expires_at < clock_timestamp() AND state NOT IN ('queued', 'running')"
            " ORDER BY expires_at LIMIT 100 FOR UPDATE SKIP LOCKED)) RETURNING 1"
        )
    )
    return len(gone.all())


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else encode(value).decode()
