"""Imports over HTTP: opened, sent in pieces, watched, cancelled, reverted.

Pieces are sent after draft-ietf-httpbis-resumable-upload.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Header, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from chassis.answers import PageOf, answers
from chassis.auth import Caller
from chassis.bodies import Upload as Sent
from chassis.database import Reading, Session, Writing
from chassis.errors import BODY_TOO_LARGE, MEDIA_UNSUPPORTED, TooLarge, UnsupportedMedia
from chassis.house import House
from chassis.idempotency import Once
from chassis.listing import answer
from chassis.pages import Paging
from chassis.problems import fault_body, language_of, problem_body
from chassis.replies import reply
from services.indicators.api.router import ActualsWrite, router
from services.indicators.domain.imports import State, Upload, fault_of
from services.indicators.schemas.imports import Import, ImportBody, ListedImport, RevertBody
from services.indicators.service import imports as service
from services.indicators.service.imports import Piece
from services.indicators.service.terms import PostTerms

TAGS: list[str | Enum] = ["imports"]
PARTIAL_UPLOAD = "application/partial-upload"
BASE = "/v1/indicators"
_COUNTS = ("received", "created", "updated", "unchanged", "stale", "duplicates", "refused")
_UPLOAD_HEADERS = {
    "Upload-Offset": {"description": "Bytes held now.", "schema": {"type": "integer"}},
    "Upload-Complete": {"description": "?1: all has been sent.", "schema": {"type": "string"}},
}
_UNSEEN = {404: "import_unknown"}


def _refusals(told: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """The refusals of an operation that answers otherwise than with 200."""
    return {status: each for status, each in answers(Import, told).items() if status != 200}


_MADE = {
    **_refusals(
        {
            400: "idempotency_key_missing, idempotency_key_invalid",
            413: "body_too_large",
            415: "media_unsupported",
            422: "body_invalid, idempotency_key_reused",
            429: "imports_too_many",
        }
    ),
    201: {"model": Import, "description": "Open: send the bytes to its Location."},
}
_PIECE = {
    **_refusals(
        {
            **_UNSEEN,
            409: "upload_offset_mismatch, import_not_receiving; Upload-Offset says where to go on",
            413: "body_too_large",
            415: "media_unsupported",
            422: "upload_too_long, upload_incomplete, upload_empty, field_invalid",
        }
    ),
    204: {"description": "Held.", "headers": _UPLOAD_HEADERS},
}
_REVERT = {
    **_refusals(
        {
            **_UNSEEN,
            400: "idempotency_key_missing, idempotency_key_invalid",
            403: "scope_missing, unit_not_covered",
            409: "nothing_to_revert, import_reverted_already",
        }
    ),
    202: {"model": Import, "description": "The import that takes it back; watch its Location."},
}
_PIECE_BODY = {
    "requestBody": {
        "required": True,
        "content": {PARTIAL_UPLOAD: {"schema": {"type": "string", "format": "binary"}}},
    }
}
States = Annotated[list[State] | None, Query(alias="state", description="How far they have come.")]


@router.post("/imports", tags=TAGS, status_code=201, responses=_MADE)
async def create_import(request: Request, db: Writing, caller: ActualsWrite, body: ImportBody, once: Once) -> Response:
    """Open an import of at most 5,000,000 rows and 1 GiB; its bytes follow in pieces of at most 8 MiB.

    Of each unit it may have 200,000 rows. It runs once all is sent, in one transaction, with the rights its sender has
    now and still has at every piece: either all it does is in, with its events, or nothing. It is kept for 30 days;
    without all of its bytes, until 48 hours have passed without a piece (`expires_at`).
    """

    async def work() -> Response:
        import_id = await service.create_import(db, caller, body, request.app.state.house.settings)
        return await _made(request, db, caller, import_id, 201)

    return await once(work)


async def accept_body(
    request: Request, db: Session, caller: Caller, sent: Sent, *, terms: PostTerms, sheet: str | None
) -> Response:
    """Take a body sent at once, as it was sent, as an import (`Prefer: respond-async`): 202, and where to watch it."""
    house: House = request.app.state.house
    encoding: Any = sent.content_encoding  # in any of its spellings, which the service judges
    asked = ImportBody.model_construct(
        content_type=sent.content_type or "",
        content_encoding=encoding,
        name=None,
        size_bytes=len(sent.content),
        sha256=sent.sha256.hex(),
        mode=terms.mode.value,
        on_stale=terms.on_stale.value,
        on_blank=terms.on_blank.value,
        dry_run=bool(db.info.get("dry_run")),
        number_style=terms.style,
        sheet=sheet,
    )
    if not asked.dry_run:
        return await _accepted(request, db, caller, asked, sent.content)
    async with house.database.write() as own:  # the figures will not be kept; the import must be
        own.info.update(db.info, dry_run=False)
        return await _accepted(request, own, caller, asked, sent.content)


async def _accepted(request: Request, db: Session, caller: Caller, asked: ImportBody, content: bytes) -> Response:
    import_id = await service.accept(db, caller, asked, content, request.app.state.house.settings)
    response = await _made(request, db, caller, import_id, 202)
    response.headers["Preference-Applied"] = "respond-async"
    return response


async def _made(request: Request, db: Session, caller: Caller, import_id: UUID, status: int) -> Response:
    found = await service.get_import(db, caller, import_id)
    place = {"Location": f"{BASE}/imports/{import_id}", "Retry-After": "1", **_held(found)}
    return reply(import_body(found, request), status=status, headers=place)


@router.patch("/imports/{import_id}", tags=TAGS, status_code=204, responses=_PIECE, openapi_extra=_PIECE_BODY)
async def receive_piece(
    request: Request,
    db: Writing,
    caller: ActualsWrite,
    import_id: UUID,
    upload_offset: Annotated[int, Header(alias="Upload-Offset", ge=0, le=2**62, description="Where it begins, bytes.")],
    upload_complete: Annotated[
        Literal["?0", "?1"], Header(alias="Upload-Complete", description="?1: this is the last piece.")
    ] = "?0",
) -> Response:
    """Send the next piece; one that was cut off is kept as far as it came.

    HEAD says in Upload-Offset where to go on. With `Upload-Complete: ?1` all is sent, and the import runs.
    """
    kind = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if kind != PARTIAL_UPLOAD:
        raise UnsupportedMedia(MEDIA_UNSUPPORTED, content_type=kind or "—", accepted=PARTIAL_UPLOAD)
    packed = request.headers.get("Content-Encoding", "identity").lower()
    if packed != "identity":  # a piece is bytes of the packed whole, and is not packed once more
        raise UnsupportedMedia(MEDIA_UNSUPPORTED, content_type=f"Content-Encoding {packed}", accepted="identity")
    settings = request.app.state.house.settings
    # Read before the database is asked: a slow sender holds no connection of ours.
    content, is_whole = await _read_piece(request, settings.max_import_piece_bytes, settings.request_timeout_seconds)
    piece = Piece(upload_offset, content, is_last=is_whole and upload_complete == "?1")
    held = await service.receive(db, caller, import_id, piece, settings)
    return Response(status_code=204, headers={"Cache-Control": "no-store", **service.upload_headers(held)})


async def _read_piece(request: Request, limit: int, seconds: float) -> tuple[bytes, bool]:
    """What comes of a piece before the sender leaves or the time is over, and whether that is all of it."""
    content = bytearray()
    try:
        async with asyncio.timeout(seconds * 0.8):
            async for chunk in request.stream():
                content += chunk
                if len(content) > limit:
                    raise TooLarge(BODY_TOO_LARGE, limit_bytes=limit, headers={"Connection": "close"})
    except (ClientDisconnect, TimeoutError):
        return bytes(content), False
    return bytes(content), True


@router.get(
    "/imports/{import_id}",
    tags=TAGS,
    responses={**answers(Import, _UNSEEN), 200: {"model": Import, "description": "Done.", "headers": _UPLOAD_HEADERS}},
)
async def get_import(request: Request, db: Reading, caller: ActualsWrite, import_id: UUID) -> Response:
    """An import, or a post made at once, by its id: how far it has come, and what became of it.

    Seen whole by who sent it and who acts everywhere; who acts for every unit it wrote for sees its state, counts and
    times, without name, client, digest, faults and receipt. HEAD answers what is held.
    """
    found = await service.get_import(db, caller, import_id)
    return reply(import_body(found, request), headers=_held(found))


@router.get("/imports", tags=TAGS, responses=answers(PageOf[ListedImport]))
async def list_imports(
    request: Request, db: Reading, caller: ActualsWrite, page: Paging, state: States = None
) -> Response:
    """The imports the caller sent, oldest first; who acts everywhere sees those of its client."""
    return await answer(request, db, service.list_imports(caller, [each.value for each in state or []]), page)


@router.post("/imports/{import_id}/cancel", tags=TAGS, responses=answers(Import, {**_UNSEEN, 409: "import_finished"}))
async def cancel_import(request: Request, db: Writing, caller: ActualsWrite, import_id: UUID, once: Once) -> Response:
    """Cancel an import: at once while it waits; while it runs it stops at its next step, and nothing is written.

    Cancelling again is harmless. Look at its state afterwards: an import that is done stays done (revert it).
    """

    async def work() -> Response:
        settings = request.app.state.house.settings
        return reply(import_body(await service.cancel_import(db, caller, import_id, settings), request))

    return await once(work)


@router.post("/imports/{import_id}/revert", tags=TAGS, status_code=202, responses=_REVERT)
async def revert_import(
    request: Request, db: Writing, caller: ActualsWrite, import_id: UUID, body: RevertBody, once: Once
) -> Response:
    """Take back all that an import, or a post made at once, wrote: by an import of its own, once.

    Figures it created are withdrawn, figures it changed get their former values as new versions; figures changed
    since are left and reported (counted as stale). History keeps every version.
    """

    async def work() -> Response:
        settings = request.app.state.house.settings
        made = await service.revert_import(db, caller, import_id, body.reason, settings)
        return await _made(request, db, caller, made, 202)

    return await once(work)


def _held(found: Mapping[str, Any]) -> dict[str, str]:
    state = State(found["state"] or State.DONE)
    return service.upload_headers(Upload(state, found["received_bytes"] or 0, found["size_bytes"]))


def import_body(found: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """An import as the wire has it, in the asked language; in outline for callers who do not see all of it."""
    if found["import_id"] is None:
        body = _post_body(found)
    else:
        body = _whole_body(found, language_of(request.headers.get("Accept-Language")))
    return body if found["is_whole"] else _outline(body)


def _outline(body: Mapping[str, Any]) -> dict[str, Any]:
    """What becomes of units, without what somebody else sent: a refused row may be of any unit."""
    result, problem = body["result"], body["problem"]
    return {
        **body,
        **dict.fromkeys(("name", "sha256", "client_id")),
        "result": result and {**result, **dict.fromkeys(("errors", "warnings", "receipt"))},
        "problem": problem and {name: told for name, told in problem.items() if name != "errors"},
    }


def _whole_body(found: Mapping[str, Any], language: str) -> dict[str, Any]:
    return {
        **{
            name: found[name] for name in ("import_id", "state", "mode", "on_stale", "on_blank", "name", "content_type")
        },
        "dry_run": found["is_dry_run"],
        "size_bytes": found["size_bytes"],
        "received_bytes": found["received_bytes"],
        "sha256": found["sha256"].hex() if found["sha256"] else None,
        "progress": progress_of(found),
        "result": _result(found, language),
        "problem": _problem(found, language),
        "reverts": found["reverts"],
        "reverted_by": found["reverted_by"],
        "client_id": found["client_id"],
        **{name: found[name] for name in ("created_at", "started_at", "finished_at", "expires_at")},
    }


def _post_body(found: Mapping[str, Any]) -> dict[str, Any]:
    """A post made at once: what is known of it for ever."""
    counts = {name: found[name] for name in _COUNTS}
    written = counts["created"] + counts["updated"]
    import_id, mode, at = found["posting_import_id"], found["posting_mode"], found["recorded_at"]
    told = {"left_blank": None, "errors": None, "errors_total": None, "warnings": None, "warnings_total": None}
    return {
        "import_id": import_id,
        "state": State.DONE,
        "mode": mode,
        "on_stale": None,
        "on_blank": None,
        "name": None,
        "content_type": None,
        "dry_run": False,
        "size_bytes": None,
        "received_bytes": None,
        "sha256": found["posting_sha256"].hex() if found["posting_sha256"] else None,
        "progress": {"rows_read": counts["received"], "rows_checked": counts["received"], "rows_written": written},
        "result": {
            **counts, "mode": mode, "dry_run": False, "import_id": import_id, **told, "write_token": None,
            "receipt": None,
        },
        "problem": None,
        "reverts": found["posting_reverts"],
        "reverted_by": found["reverted_by"],
        "client_id": found["posting_client_id"],
        "created_at": at,
        "started_at": at,
        "finished_at": at,
        "expires_at": None,
    }  # fmt: skip


def progress_of(found: Mapping[str, Any]) -> dict[str, int]:
    """How far a run has come, in rows."""
    return {name: found[name] for name in ("rows_read", "rows_checked", "rows_written")}


def _result(found: Mapping[str, Any], language: str) -> dict[str, Any] | None:
    kept = found["result"]
    if kept is None:
        return None
    return {
        **kept["counts"],
        "left_blank": kept["left_blank"],
        "mode": found["mode"],
        "dry_run": found["is_dry_run"],
        "import_id": None if found["is_dry_run"] else found["import_id"],
        "errors": [fault_body(fault_of(each), language) for each in kept["errors"]],
        "errors_total": kept["errors_total"],
        "warnings": [fault_body(fault_of(each), language) for each in kept["warnings"]],
        "warnings_total": kept["warnings_total"],
        "write_token": kept["write_token"],
        "receipt": kept["receipt"],
    }


def _problem(found: Mapping[str, Any], language: str) -> dict[str, Any] | None:
    refusal = service.refusal_of(found)
    if refusal is None:
        return None
    place = f"{BASE}/imports/{found['import_id']}"
    body = problem_body(refusal, language, base=BASE, instance=place, request_id=found["request_id"] or "")
    if refusal.faults:
        body["errors_total"] = found["problem"]["errors_total"]
    return body
