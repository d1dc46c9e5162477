"""What becomes of imports over HTTP: progress as it happens, and refused rows as page, CSV or workbook."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response, StreamingResponse

from chassis import tabular
from chassis.answers import PageOf, answers
from chassis.database import Reading
from chassis.errors import NotAcceptable, TooLarge
from chassis.house import House
from chassis.listing import CSV, JSON, NOT_ACCEPTABLE
from chassis.pages import MAX_LIMIT
from chassis.problems import language_of
from chassis.replies import VARY, encode, preferred, reply
from chassis.tabular import sheet_writing
from services.indicators.api.imports import TAGS, progress_of
from services.indicators.api.router import ActualsWrite, router
from services.indicators.domain.import_errors import shown
from services.indicators.domain.imports import ERRORS_TOO_MANY, State
from services.indicators.schemas.imports import ImportProgressEvent, RefusedRow
from services.indicators.service import imports as service

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET_PARTS = 20  # more rows take longer than a request may, and nobody mends them by hand
LOOK_SECONDS = 0.5
PING_SECONDS = 15
LONGEST_SECONDS = 15 * 60  # then the watcher's browser connects anew
RETRY_MILLISECONDS = 2000
_SAID = ImportProgressEvent.model_json_schema(ref_template="#/components/schemas/{model}")
_STREAM = {
    **answers(ImportProgressEvent, {404: "import_unknown"}),
    200: {
        "description": "Events `progress` as rows are read, checked and written; `done` when the import is over.",
        "content": {"text/event-stream": {"schema": {name: told for name, told in _SAID.items() if name != "$defs"}}},
    },
}
_FILES = {
    **answers(
        PageOf[RefusedRow],
        {404: "import_unknown, import_errors_not_kept", 406: "not_acceptable", 413: "import_errors_too_many"},
    ),
    200: {
        "model": PageOf[RefusedRow],
        "description": "Refused rows; as a file they can be corrected and sent again as they are.",
        "content": {CSV: {"schema": {"type": "string"}}, XLSX: {"schema": {"type": "string", "format": "binary"}}},
    },
}


@router.get("/imports/{import_id}/progress", tags=TAGS, responses=_STREAM, response_class=Response)
async def watch_import(request: Request, db: Reading, caller: ActualsWrite, import_id: UUID) -> Response:
    """Watch an import as server-sent events, twice a second while it moves; the stream ends when the import does."""
    found = await service.get_import(db, caller, import_id)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if found["import_id"] is None:  # a post made at once was over when it was answered
        done = _event("done", {"import_id": import_id, "state": State.DONE})
        return EventSourceResponse(iter([done]), headers=headers)
    return EventSourceResponse(_watch(request.app.state.house, import_id), headers=headers)


async def _watch(house: House, import_id: UUID) -> AsyncIterator[bytes]:
    yield format_sse_event(retry=RETRY_MILLISECONDS)
    loop = asyncio.get_running_loop()
    began = spoke = loop.time()
    said: dict[str, Any] = {}
    while loop.time() - began < LONGEST_SECONDS and not house.is_closing:
        found = await service.watch(house.database, import_id)
        if found is None:
            return
        news = _progress(found)
        if State(found["state"]).is_finished:
            yield _event("done", news)
            return
        if news != said:
            yield _event("progress", news)
            said, spoke = news, loop.time()
        elif loop.time() - spoke > PING_SECONDS:
            yield KEEPALIVE_COMMENT
            spoke = loop.time()
        await asyncio.sleep(LOOK_SECONDS)


def _progress(found: Mapping[str, Any]) -> dict[str, Any]:
    beside = {name: found[name] for name in ("import_id", "state", "received_bytes", "counts")}
    return {**beside, "progress": progress_of(found)}


def _event(name: str, said: Mapping[str, Any]) -> bytes:
    return format_sse_event(event=name, data_str=encode(said).decode())


@router.get("/imports/{import_id}/errors", tags=TAGS, responses=_FILES)
async def list_errors(
    request: Request,
    caller: ActualsWrite,
    import_id: UUID,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows of one page.")] = 50,
    cursor: Annotated[int | None, Query(ge=0, le=2**62, description="From `next` of the page before.")] = None,
) -> Response:
    """The refused rows of an import, what stood in them, and why: a page, or all as CSV or XLSX by `Accept`.

    For who sent the import, and who acts everywhere. Messages are in the language asked for; cells are cut at 2,000
    characters, and a page of long rows may be shorter than asked for. A post made at once has its faults in its reply.
    """
    database = request.app.state.house.database
    columns, parts = await service.open_errors(database, caller, import_id)
    language = language_of(request.headers.get("Accept-Language"))
    kind = _kind(request.headers.get("Accept"))
    if kind == JSON:
        after = service.BEFORE_ALL if cursor is None else cursor
        rows, has_more = await service.page_of_errors(database, import_id, after, limit)
        following = str(rows[-1].row) if has_more else None
        return reply({"items": [shown(row, language) for row in rows], "next": following})
    lines = _lines(request.app.state.house, import_id, language)
    named = {
        "Content-Disposition": f'attachment; filename="errors-{import_id}.{"csv" if kind == CSV else "xlsx"}"',
        "Cache-Control": "no-store",
        "Vary": VARY,
    }
    titles = ("row", *columns, "message")
    if kind == CSV:
        return StreamingResponse(tabular.csv(lines, titles), media_type=f"{CSV}; charset=utf-8", headers=named)
    if parts > SHEET_PARTS:
        raise TooLarge(ERRORS_TOO_MANY)
    folder = tempfile.TemporaryDirectory(prefix="chitieu-errors-")
    path = Path(folder.name) / "errors.xlsx"
    await sheet_writing.write_workbook(path, lines, titles)
    return FileResponse(path, media_type=XLSX, headers=named, background=BackgroundTask(folder.cleanup))


def _kind(accept: str | None) -> str:
    for kind in preferred(accept or "*/*"):
        if kind in (JSON, CSV, XLSX):
            return kind
        if kind in ("*/*", "application/*", "text/html"):
            return JSON
    raise NotAcceptable(NOT_ACCEPTABLE, asked=accept, offered=f"{JSON}, {CSV}, {XLSX}")


async def _lines(house: House, import_id: UUID, language: str) -> AsyncIterator[dict[str, Any]]:
    async for row in service.every_error(house.database, import_id):
        told = shown(row, language)
        yield {**(told["cells"] or {}), "row": told["row"], "message": told["message"]}
