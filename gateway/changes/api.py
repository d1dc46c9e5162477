"""The merged changes over HTTP: one page, or one stream, of what the services asked for say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chassis.answers import answers
from chassis.bodies import HouseRoute
from chassis.errors import HouseError
from chassis.event_types import CLOUD_EVENTS
from chassis.house import House
from chassis.pages import chosen
from chassis.problems import MEDIA_TYPE, problem
from chassis.replies import encode, preferred, reply
from chassis.streams.response import EventStream, Pace
from gateway.changes.branch import Upstreams, named
from gateway.changes.following import Merging
from gateway.changes.places import NOW, encode_places, places_from
from gateway.changes.pulling import Puller
from gateway.clients import Bounds, Services, UpstreamProblem, forwarded

BASE = "/v1/gateway"


class ChangesPage(BaseModel):
    """A page of merged changes."""

    items: list[dict[str, Any]] = Field(description="CloudEvents; those of one service are in its order.")
    next: str = Field(description="Where to go on; it moves also when a filter left nothing.")
    head: str = Field(description="Where the logs end now.")
    unreachable: list[str] = Field(description="Services that did not answer; `next` keeps their place.")


_REFUSALS = {
    410: "feed_rewound, cursor_expired, of the service that is named; list it again, then begin without a cursor",
    422: "feed_cursor_invalid, service_unknown, services_differ, list_empty, arguments_too_long, parameter_unknown,"
    " field_invalid",
    503: "changes_unreachable",
}
_STREAM = {
    **answers(ChangesPage, {**_REFUSALS, 429: "streams_too_many"}),
    200: {
        "description": "Events until it ends; a comment every 15 seconds when there is nothing to say.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
}


def _wanted(
    types: Annotated[list[str] | None, Query(description="Event types.")] = None,
    province: Annotated[list[str] | None, Query(description="Province codes.")] = None,
    commune: Annotated[list[str] | None, Query(description="Commune codes.")] = None,
) -> Mapping[str, Sequence[str]]:
    asked = {"types": chosen(types), "province": chosen(province), "commune": chosen(commune)}
    return {name: values for name, values in asked.items() if values}


Wanted = Annotated[Mapping[str, Sequence[str]], Depends(_wanted)]
OfServices = Annotated[list[str] | None, Query(description="Which services; none named: all.")]

router = APIRouter(prefix="/v1/changes", route_class=HouseRoute, tags=["changes"])


@router.get("", responses=answers(ChangesPage, _REFUSALS))
async def changes(
    request: Request,
    wanted: Wanted,
    after: Annotated[str | None, Query(description="Cursor; none: from the beginning.")] = None,
    services: OfServices = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    wait: Annotated[float, Query(ge=0, le=25, description="Seconds to wait for a change.")] = 0,
) -> Response:
    """Changes of several services after one cursor, with the caller's own rights at each of them.

    Those of one service keep its order; between services they are put by time, as far as one page sees it. The cursor
    says which services are followed. One that does not answer is named, and loses nothing: its place is kept.
    """
    house: House = request.app.state.house
    settings = house.settings
    places = places_from(after, chosen(services), None)
    bounds = Bounds(settings.upstream_timeout_seconds + wait, settings.upstream_max_bytes)
    asked = Services(house.peers.passing, forwarded(request), bounds)
    try:
        found = await Puller(asked, wanted, limit, house.closing).pull(places, wait)
    except UpstreamProblem as refusal:
        return _passed_on(refusal, request.scope)
    following = encode_places(found.next)
    headers = {"Cache-Control": "no-store", "Changes-Cursor": following}
    if found.unreachable:
        headers["Changes-Unreachable"] = ", ".join(found.unreachable)
    if CLOUD_EVENTS in preferred(request.headers.get("Accept", "")):
        return reply(found.items, headers=headers, media_type=CLOUD_EVENTS)
    head = encode_places(found.head)
    body = {"items": found.items, "next": following, "head": head, "unreachable": found.unreachable}
    return reply(body, headers=headers)


@router.get("/stream", responses=_STREAM, response_class=Response)
async def stream(
    request: Request,
    wanted: Wanted,
    after: Annotated[str | None, Query(description="Cursor; none: from now on.")] = None,
    services: OfServices = None,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", description="The last id heard; it counts, not `after`.")
    ] = None,
) -> Response:
    """Changes of several services as they happen, as server-sent events; every `id` is a cursor of the whole.

    Whoever comes back with the last id misses nothing. An event `bookmark` has an id and no data; `unreachable` names
    the services that are away at the moment; `error` has a problem as data and ends the stream. It ends by itself
    after 15 minutes at most.
    """
    house: House = request.app.state.house
    upstreams = Upstreams(
        house.peers.passing,
        forwarded(request),
        wanted,
        house.settings.upstream_timeout_seconds,
    )
    places = places_from(last_event_id or after, chosen(services), NOW)
    return _MergedStream(Merging(places, upstreams), house)


def _passed_on(refusal: UpstreamProblem, scope: Scope) -> Response:
    """A service's problem as it came, with the service's name."""
    body = {**named(refusal), "instance": scope["path"], "request_id": scope["state"]["request_id"]}
    headers = {"Cache-Control": "no-store", **refusal.headers}
    return Response(encode(body), refusal.status, media_type=MEDIA_TYPE, headers=headers)


class _MergedStream(EventStream):
    """The merged stream; it begins only when the services have said that they will speak."""

    def __init__(self, merging: Merging, house: House) -> None:
        super().__init__(merging, Pace.of(house.settings), house.closing, base=BASE)
        self._merging = merging

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._merging.open()
            await super().__call__(scope, receive, send)
        except UpstreamProblem as refusal:
            await _passed_on(refusal, scope)(scope, receive, send)
        except HouseError as refusal:
            await problem(refusal, scope, self._base)(scope, receive, send)
        finally:
            await self._merging.close()
