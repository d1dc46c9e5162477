"""The routes every service has beside its own: changes, audit, versions, keys and the schemas of its events."""

from __future__ import annotations

from importlib import metadata
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from sqlalchemy import Table, select, text
from starlette.responses import Response

from chassis.answers import Problem, answers
from chassis.archive_api import add_archives
from chassis.auth import Caller, needs
from chassis.bell import Bell
from chassis.bodies import HouseRoute
from chassis.database import Reading
from chassis.event_api import add_event_documents
from chassis.event_types import CLOUD_EVENTS
from chassis.feed import MOST_EVENTS, Feed, Filter
from chassis.house import House, Service
from chassis.listing import Listing, answer
from chassis.pages import Paging, chosen, many
from chassis.receipts import PublicKeys
from chassis.replies import in_pieces, preferred, reply
from chassis.streams import Streams
from chassis.write_tokens import read_token, wait_for

_STREAM: dict[int | str, dict[str, Any]] = {
    **answers(
        Problem,
        {
            410: "feed_rewound, cursor_expired; list again, then follow from the new Changes-Cursor",
            422: "feed_cursor_invalid, list_empty, parameter_unknown, field_invalid",
            429: "streams_too_many",
            503: "streams_full, database_unavailable",
        },
    ),
    200: {
        "description": "Events until it ends; a comment every 15 seconds when there is nothing to say.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
}

ChangesRead = Annotated[Caller, needs("changes:read", public=True)]
AuditRead = Annotated[Caller, needs("audit:read")]


async def min_version(request: Request) -> None:
    """Wait until what the caller wrote before (`X-Min-Version`) is in the log, and heard by this service."""
    token = request.headers.get("X-Min-Version")
    if not token:
        return
    house: House = request.app.state.house
    service, epoch, xid = read_token(token)
    if service == house.database.service:
        await wait_for(house.database, epoch, xid, house.feed.news if house.feed else Bell())
    for follower in house.followers:
        if follower.source == service:
            await follower.catch_up(min_version=token)


def _wanted(types: list[str] | None, province: list[str] | None, commune: list[str] | None) -> Filter:
    return Filter(chosen(types), chosen(province), chosen(commune))


def _audit_listing(table: Table, caller: Caller, subjects: list[str]) -> Listing:
    query = select(table)
    if subjects:
        query = query.where(table.c.subject.in_(subjects))
    if "*" not in caller.admin_units:
        units = caller.unit_codes
        query = query.where(table.c.province.in_(units) | table.c.commune.in_(units))
    return Listing(query, (table.c.id,), tuple(table.c.keys()))


def _add_changes(router: APIRouter) -> None:
    """The service's changes, to pull and as a stream."""

    @router.get("/changes", dependencies=[Depends(min_version)])
    async def changes(
        request: Request,
        caller: ChangesRead,
        after: Annotated[str | None, Query(description="Cursor; none: from the oldest change kept.")] = None,
        types: Annotated[list[str] | None, Query(description="Event types.")] = None,
        province: Annotated[list[str] | None, Query(description="Province codes.")] = None,
        commune: Annotated[list[str] | None, Query(description="Commune codes.")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_EVENTS, description="A page ends at 8 MiB, too.")] = 100,
        wait: Annotated[float, Query(ge=0, le=25, description="Seconds to wait for a change.")] = 0,
    ) -> Response:
        """Changes after a cursor, in the order they happened: CloudEvents with dense positions, none left out."""
        feed: Feed = request.app.state.house.feed
        wanted = _wanted(types, province, commune)
        page = await feed.told(caller, after, wanted, limit=limit, wait=wait)
        headers = {"Cache-Control": "no-store", "Changes-Cursor": page.next, "Changes-Behind": str(page.behind)}
        if CLOUD_EVENTS in preferred(request.headers.get("Accept", "")):
            return in_pieces((b"[", *page.pieces, b"]"), headers, CLOUD_EVENTS)
        end = f'],"next":"{page.next}","head":"{page.head}"}}'.encode()
        return in_pieces((b'{"items":[', *page.pieces, end), headers, "application/json")

    @router.get("/changes/stream", dependencies=[Depends(min_version)], responses=_STREAM, response_class=Response)
    async def stream(
        request: Request,
        caller: ChangesRead,
        after: Annotated[str | None, Query(description="Cursor; none: from now on.")] = None,
        types: Annotated[list[str] | None, Query(description="Event types.")] = None,
        province: Annotated[list[str] | None, Query(description="Province codes.")] = None,
        commune: Annotated[list[str] | None, Query(description="Commune codes.")] = None,
        last_event_id: Annotated[
            str | None, Header(alias="Last-Event-ID", description="The last id heard; it counts, not `after`.")
        ] = None,
    ) -> Response:
        """Changes as they happen, as server-sent events: `id` is a cursor, `event` the type, `data` a CloudEvent.

        Whoever comes back with the last id misses nothing. An event `bookmark` has an id and no data; an event `error`
        has a problem as data and ends the stream. It ends by itself after 15 minutes at most.
        """
        streams: Streams = request.app.state.house.streams
        return await streams.open(request, caller, last_event_id or after, _wanted(types, province, commune))


def ledger_router(service: Service) -> APIRouter:
    """What every service tells of itself: its changes, who wrote them, its versions, keys and event types."""
    router = APIRouter(prefix=f"/v1/{service.name}", route_class=HouseRoute, tags=["changes"])
    _add_changes(router)
    add_archives(router, service)
    audit_table = service.metadata.tables[f"{service.name}.audit"]

    @router.get("/audit")
    async def audit(
        request: Request,
        db: Reading,
        caller: AuditRead,
        page: Paging,
        subject: Annotated[list[str] | None, Query(description="What was written to.")] = None,
    ) -> Response:
        """Who wrote what, in order; append-only."""
        return await answer(request, db, _audit_listing(audit_table, caller, many(subject or [])), page)

    @router.get("/meta")
    async def meta(db: Reading) -> Response:
        """Version of the software and of the data (position of the last change)."""
        row = (await db.execute(text("SELECT epoch, pos FROM feed_head WHERE feed = 'main'"))).one()
        version = metadata.version("chitieu")
        return reply({"service": service.name, "version": version, "epoch": row.epoch, "data_version": row.pos})

    @router.get("/receipt-keys", responses=answers(PublicKeys))
    async def receipt_keys(request: Request) -> Response:
        """The public keys that verify receipts of this service (JWKS)."""
        house: House = request.app.state.house
        return reply(house.receipts.public(), headers={"Cache-Control": "public, max-age=300"})

    add_event_documents(router, service)
    return router
