"""The archives of a service: what has left its log, as files to fetch."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy import Select, Table, literal_column, select
from starlette.responses import FileResponse, Response

from chassis.answers import PageOf, Problem, answers
from chassis.auth import Caller, needs
from chassis.database import Reading
from chassis.errors import NotFound, Unavailable, rule
from chassis.feed import Position
from chassis.house import House, Service
from chassis.listing import Listing, answer
from chassis.pages import Paging
from chassis.retention import EVERYWHERE, PUBLIC

NDJSON_GZIP = "application/gzip"
ARCHIVE_UNKNOWN = rule("archive_unknown", vi="Không có tệp lưu trữ {name}.", en="There is no archive {name}.")
ARCHIVE_AWAY = rule(
    "archive_away",
    vi="Tệp lưu trữ {name} hiện không đọc được ở máy này; hãy báo bộ phận vận hành.",
    en="The archive {name} cannot be read on this machine now; tell the operator.",
)

ArchivesRead = Annotated[Caller, needs("changes:read", public=True)]
FIELDS = ("name", "audience", "first_sequence", "last_sequence", "events", "bytes", "sha256", "next", "archived_at")


class Archive(BaseModel):
    """One file of events that have left the log: NDJSON of CloudEvents, packed with gzip."""

    name: str = Field(description="Fetch it at changes/archives/{name}.")
    audience: str = Field(description="public; a province's code: what only it may hear; everywhere: all else.")
    first_sequence: str = Field(description="The first position it covers, as events name theirs (sequence).")
    last_sequence: str = Field(description="The last one; files of one audience follow each other without a gap.")
    events: int = Field(description="Events in this file; those of others' audiences are in other files.")
    bytes: int = Field(description="Size of the file.")
    sha256: str = Field(description="Digest of the file, hexadecimal.")
    next: str = Field(description="Cursor to go on from after this file.")
    archived_at: str


def add_archives(router: APIRouter, service: Service) -> None:
    """The routes of a service's archives."""
    table = service.metadata.tables[f"{service.name}.event_archive"]

    @router.get("/changes/archives", responses=answers(PageOf[Archive]))
    async def archives(request: Request, db: Reading, caller: ArchivesRead, page: Paging) -> Response:
        """What has left the log, in order: the files a caller may read.

        Whoever comes with a cursor that has expired reads on from the first file whose last_sequence is beyond it, and
        then follows from the `next` of the last file.
        """
        return await answer(request, db, _listing(table, caller), page)

    @router.get(
        "/changes/archives/{name}",
        response_class=FileResponse,
        responses={
            **answers(Problem, {404: "archive_unknown", 503: "archive_away"}),
            200: {
                "description": "The file.",
                "content": {NDJSON_GZIP: {"schema": {"type": "string", "format": "binary"}}},
            },
        },
    )
    async def archive(name: str, request: Request, db: Reading, caller: ArchivesRead) -> Response:
        """One archive: its events in order, a line each, packed with gzip; `Repr-Digest` carries its sha256."""
        found = (await db.execute(_visible(table, caller).where(table.c.file == name))).one_or_none()
        if found is None:
            raise NotFound(ARCHIVE_UNKNOWN, name=name)
        house: House = request.app.state.house
        path = house.settings.archives / found.file
        if not path.is_file():
            raise Unavailable(ARCHIVE_AWAY, name=name, headers={"Retry-After": "60"})
        digest = base64.b64encode(found.sha256).decode()
        headers = {"Repr-Digest": f"sha-256=:{digest}:", "Cache-Control": "private, max-age=86400"}
        return FileResponse(path, media_type=NDJSON_GZIP, filename=name, headers=headers)


def _visible(table: Table, caller: Caller) -> Select[Any]:
    """What a caller may read: the same events as the feed gave while they were there, file by file.

    A commune hears its own restricted events in the feed; as a file they are its province's.
    """
    query = select(table, literal_column("(SELECT epoch FROM feed_head WHERE feed = 'main')").label("epoch_now"))
    if "*" in caller.admin_units:
        return query
    return query.where(table.c.audience.in_([PUBLIC, *(set(caller.admin_units) - {EVERYWHERE})]))


def _listing(table: Table, caller: Caller) -> Listing:
    return Listing(_visible(table, caller), (table.c.first_pos, table.c.audience), FIELDS, shape=_shaped)


def _shaped(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": row["file"],
        "audience": row["audience"],
        "first_sequence": f"{row['first_pos']:020d}",
        "last_sequence": f"{row['last_pos']:020d}",
        "events": row["events"],
        "bytes": row["bytes"],
        "sha256": row["sha256"].hex(),
        "next": Position(row["epoch_now"], row["last_pos"]).cursor,
        "archived_at": row["at"],
    }
