"""Imports: large posts sent in pieces, run later by whichever process is free, watched, cancelled, taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis import audit, tabular
from chassis.auth import Caller
from chassis.database import Database, ReadSession, Session
from chassis.errors import (
    BODY_TOO_LARGE,
    UNIT_NOT_COVERED,
    Conflict,
    Forbidden,
    HouseError,
    NotFound,
    Refused,
    TooLarge,
    TooManyRequests,
)
from chassis.listing import Listing
from chassis.settings import Settings
from services.indicators.domain import imports as rules
from services.indicators.domain.import_errors import ErrorPart, KeptRow, unpacked
from services.indicators.domain.imports import State, Upload
from services.indicators.schemas.imports import ImportBody
from services.indicators.store import import_errors as errors
from services.indicators.store import imports as store
from services.indicators.store import reverting

BEFORE_ALL = -1  # faults of no row in particular come first, as row 0
PAGE_PARTS = 2  # a part is longer than a page unless its rows are; then the page is shorter than asked for


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes from a place on; with the last piece all has been sent."""

    offset: int
    content: bytes
    is_last: bool


def kept_for(settings: Settings) -> timedelta:
    """How long imports are kept."""
    return timedelta(days=settings.import_kept_days)


def upload_kept_for(settings: Settings) -> timedelta:
    """How long an import waits for its next piece."""
    return timedelta(hours=settings.import_upload_hours)


async def create_import(db: Session, caller: Caller, asked: ImportBody, settings: Settings) -> UUID:
    """Make room for a large post; its bytes are sent in pieces.

    Raises:
        UnsupportedMedia: a content type, charset or packing that is not read ("media_unsupported").
        TooLarge: it is declared larger than an import may be ("body_too_large").
        TooManyRequests: the client has too many unfinished imports ("imports_too_many").
    """
    tabular.require_readable(asked.content_type)
    tabular.unpacking(asked.content_encoding, 1)
    if asked.size_bytes is not None and asked.size_bytes > settings.max_import_bytes:
        raise TooLarge(BODY_TOO_LARGE, limit_bytes=settings.max_import_bytes)
    if await store.count_open(db, caller.client_id) >= rules.MOST_OPEN:
        raise TooManyRequests(rules.IMPORTS_TOO_MANY, limit=rules.MOST_OPEN, headers={"Retry-After": "60"})
    terms = _terms(asked)
    made = await store.create(db, caller, upload_kept_for(settings), terms)
    assert made is not None
    told = {name: terms[name] for name in ("name", "content_type", "size_bytes", "mode", "is_dry_run")}
    await audit.record(db, caller, "import.opened", str(made), change=(None, told))
    return made


def _terms(asked: ImportBody) -> dict[str, Any]:
    return {
        "state": State.RECEIVING.value,
        "mode": asked.mode,
        "on_stale": asked.on_stale,
        "on_blank": asked.on_blank,
        "is_dry_run": asked.dry_run,
        "number_style": asked.number_style,
        "sheet": asked.sheet,
        "name": asked.name,
        "content_type": asked.content_type,
        "content_encoding": asked.content_encoding,
        "size_bytes": asked.size_bytes,
        "sha256": bytes.fromhex(asked.sha256) if asked.sha256 else None,
    }


async def receive(db: Session, caller: Caller, import_id: UUID, piece: Piece, settings: Settings) -> Upload:
    """Keep a piece where the bytes held end; after the last one the import is run.

    It is run with the rights that its caller had at every piece: what was lost meanwhile is not used.

    Raises:
        NotFound: the caller opened no such import ("import_unknown").
        Conflict: the piece begins elsewhere ("upload_offset_mismatch"), or nothing is taken any more
            ("import_not_receiving"); both name what is held.
        Refused: more bytes than declared ("upload_too_long"), or the last piece leaves some out
            ("upload_incomplete", "upload_empty").
        TooLarge: an import may not be so large ("body_too_large").
    """
    held = await store.lock_upload(db, caller, import_id)
    if held is None:
        raise NotFound(rules.IMPORT_UNKNOWN, import_id=import_id)
    refusal = held.refusal(piece.offset)
    if refusal is not None:
        raise Conflict(
            refusal,
            headers=upload_headers(held),
            state=held.state.value,
            received_bytes=held.received_bytes,
            offset=piece.offset,
        )
    _check_size(held, piece, settings)
    await store.narrow(db, caller, import_id)
    if piece.content:
        await store.append(db, import_id, (piece.offset, piece.content), upload_kept_for(settings))
    upload = Upload(held.state, piece.offset + len(piece.content), held.size_bytes)
    if not piece.is_last:
        return upload
    missing = upload.unfinished()
    if missing is not None:  # the piece goes with the refusal
        held_now = upload.received_bytes
        raise Refused(missing, headers=upload_headers(held), received_bytes=held_now, size_bytes=held.size_bytes)
    await store.queue(db, import_id, kept_for(settings))
    return Upload(State.QUEUED, upload.received_bytes, upload.received_bytes)


def _check_size(held: Upload, piece: Piece, settings: Settings) -> None:
    if held.too_long(len(piece.content)):
        raise Refused(rules.UPLOAD_TOO_LONG, size_bytes=held.size_bytes, headers=upload_headers(held))
    if held.received_bytes + len(piece.content) > settings.max_import_bytes:
        raise TooLarge(BODY_TOO_LARGE, limit_bytes=settings.max_import_bytes, headers=upload_headers(held))


def upload_headers(upload: Upload) -> dict[str, str]:
    """What is held, as the headers of a resumable upload say it."""
    is_complete = upload.state is not State.RECEIVING
    return {"Upload-Offset": str(upload.received_bytes), "Upload-Complete": f"?{int(is_complete)}"}


async def accept(db: Session, caller: Caller, asked: ImportBody, content: bytes, settings: Settings) -> UUID:
    """Make a body that has been sent at once an import, to be run later.

    Raises:
        As `create_import` and `receive` do.
    """
    import_id = await create_import(db, caller, asked, settings)
    step = settings.max_import_piece_bytes
    for offset in range(0, max(1, len(content)), step):
        piece = Piece(offset, content[offset : offset + step], is_last=offset + step >= len(content))
        await receive(db, caller, import_id, piece, settings)
    return import_id


async def get_import(db: ReadSession, caller: Caller, import_id: UUID) -> dict[str, Any]:
    """An import, or a post made at once, by its id; `is_whole` says whether the caller may see all there is of it.

    Raises:
        NotFound: there is none, or somebody else sent it and the caller does not act for all its units
            ("import_unknown").
    """
    found = await store.find(db, caller, import_id)
    if found is None:
        raise NotFound(rules.IMPORT_UNKNOWN, import_id=import_id)
    return found


def list_imports(caller: Caller, states: Sequence[str]) -> Listing:
    """The imports the caller sent, oldest first."""
    return store.list_imports(caller, states)


async def cancel_import(db: Session, caller: Caller, import_id: UUID, settings: Settings) -> dict[str, Any]:
    """Cancel an import: at once while it waits; a runner that has it stops at its next step and writes nothing.

    Raises:
        NotFound: the caller sent no such import ("import_unknown").
        Conflict: it is over ("import_finished").
    """
    found = await get_import(db, caller, import_id)
    if not found["is_own"]:
        raise NotFound(rules.IMPORT_UNKNOWN, import_id=import_id)
    if found["state"] == State.CANCELLED:
        return found
    if await store.cancel(db, import_id, kept_for(settings)) is None:
        now = await get_import(db, caller, import_id)
        raise Conflict(rules.IMPORT_FINISHED, state=now["state"] or State.DONE.value)
    await audit.record(db, caller, "import.cancelled", str(import_id), change=({"state": found["state"]}, None))
    return await get_import(db, caller, import_id)


async def revert_import(db: Session, caller: Caller, import_id: UUID, reason: str, settings: Settings) -> UUID:
    """Take back what an import wrote, by an import of its own: see `reverting`.

    Raises:
        NotFound: as in `get_import`.
        Forbidden: the caller does not act for every unit the import wrote for ("unit_not_covered").
        Conflict: it wrote nothing ("nothing_to_revert"), or is reverted already ("import_reverted_already").
    """
    found = await get_import(db, caller, import_id)
    written = await reverting.find_posting(db, import_id)
    if written is None or not written.admin_units:
        raise Conflict(rules.NOTHING_TO_REVERT, import_id=import_id)
    for code, province in written.admin_units:
        if not caller.covers(code, province):
            raise Forbidden(UNIT_NOT_COVERED, admin_unit=code)
    terms = {"state": State.QUEUED.value, "mode": "atomic", "on_stale": "skip", "on_blank": "skip", "is_dry_run": False}
    made = None
    if found["reverted_by"] is None:
        fields = {**terms, "reverts": import_id, "reason": reason}
        made = await store.create(db, caller, kept_for(settings), fields)
    if made is None:
        raise Conflict(rules.REVERTED_ALREADY, import_id=import_id)
    asked = {"reverts": import_id, "reason": reason}
    await audit.record(db, caller, "import.opened", str(made), change=(None, asked))
    return made


def refusal_of(found: Mapping[str, Any]) -> HouseError | None:
    """Why an import was refused or failed."""
    return None if found["problem"] is None else rules.Kept(found["problem"])


async def watch(database: Database, import_id: UUID) -> dict[str, Any] | None:
    """How far an import has come, by a look of its own; None where it was forgotten meanwhile."""
    async with database.read() as db:
        return await store.watch(db, import_id)


async def open_errors(database: Database, caller: Caller, import_id: UUID) -> tuple[tuple[str, ...], int]:
    """The columns of an import's refused rows, and in how many parts they are kept, once the caller is let in.

    Raises:
        NotFound: the caller neither sent it nor acts everywhere ("import_unknown"); or it was a post made at once,
            whose refused rows are not kept ("import_errors_not_kept").
    """
    async with database.read() as db:
        found = await get_import(db, caller, import_id)
        if not found["is_whole"]:
            raise NotFound(rules.IMPORT_UNKNOWN, import_id=import_id)
        if found["import_id"] is None:
            raise NotFound(rules.ERRORS_NOT_KEPT)
        return tuple(found["error_columns"]), await errors.count_parts(db, import_id)


async def page_of_errors(database: Database, import_id: UUID, after_row: int, limit: int) -> tuple[list[KeptRow], bool]:
    """Refused rows after a row, in the order of rows, and whether there are more."""
    async with database.read() as db:
        parts = await errors.load_parts(db, import_id, after_row, PAGE_PARTS + 1)
    rows = await asyncio.to_thread(_rows_of, parts[:PAGE_PARTS], after_row)
    return rows[:limit], len(rows) > limit or len(parts) > PAGE_PARTS


def _rows_of(parts: Sequence[ErrorPart], after_row: int) -> list[KeptRow]:
    return [row for part in parts for row in unpacked(part, after_row)]


async def every_error(database: Database, import_id: UUID) -> AsyncIterator[KeptRow]:
    """All refused rows, part by part; between two parts no connection is held."""
    last = BEFORE_ALL
    while True:
        async with database.read() as db:
            parts = await errors.load_parts(db, import_id, last, 1)
        if not parts:
            return
        for row in await asyncio.to_thread(_rows_of, parts, last):
            yield row
        last = parts[0].last_row
