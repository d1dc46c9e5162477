"""The routes by which a service documents its events: the list of types, their schemas, and AsyncAPI."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from chassis.answers import PageOf, Problem, answers
from chassis.asyncapi import service_document
from chassis.errors import NotFound, rule
from chassis.event_types import ENVELOPE, SCHEMA_JSON, EventType, data_schema, envelope_schema, schema_address
from chassis.house import House, Service
from chassis.problems import language_of
from chassis.replies import reply

EVENT_TYPE_UNKNOWN = rule("event_type_unknown", vi="Không có loại sự kiện {type}.", en="There is no event type {type}.")


def _open(told: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """What is answered where nobody needs a token."""
    return {status: about for status, about in told.items() if status not in (401, 403)}


_KEPT = {"Cache-Control": "public, max-age=300"}
_SCHEMA: dict[int | str, dict[str, Any]] = {
    **_open(answers(Problem, {404: "event_type_unknown"})),
    200: {"description": "A JSON Schema (2020-12).", "content": {SCHEMA_JSON: {"schema": {"type": "object"}}}},
}
_DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "An AsyncAPI document.", "content": {"application/json": {"schema": {"type": "object"}}}},
}


class EventTypeRow(BaseModel):
    """An event type, in the caller's language."""

    type: str
    title: str = Field(description="What happened.")
    when: str = Field(description="When it is announced.")
    subject: str = Field(description="What `subject` names.")
    audience: str = Field(description="Who may hear it.")
    dataschema: str = Field(description="Where the JSON Schema of its data is served.")


def add_event_documents(router: APIRouter, service: Service) -> None:
    """What a service says of its events; nobody needs a token to read it."""

    @router.get("/event-schemas", responses=_open(answers(PageOf[EventTypeRow])))
    async def event_types(request: Request) -> Response:
        """Every event type: what happened, when it is announced, of what, and who may hear it."""
        language = language_of(request.headers.get("Accept-Language"))
        items = [_row(kind, language, _public_url(request)) for kind in service.events.values()]
        return reply({"items": items, "next": None}, headers=_KEPT)

    @router.get("/event-schemas/{event_type}", responses=_SCHEMA, response_class=Response)
    async def event_schema(request: Request, event_type: str) -> Response:
        """The JSON Schema of one event type's data; `cloudevent`: of the envelope of all of them.

        `dataschema` of every event leads here. Within a version only optional fields are added: accept unknown ones.
        """
        if event_type == ENVELOPE:
            schema = envelope_schema(service.name, _public_url(request))
        elif event_type in service.events:
            schema = data_schema(service.events[event_type], _public_url(request))
        else:
            raise NotFound(EVENT_TYPE_UNKNOWN, type=event_type)
        return reply(schema, headers=_KEPT, media_type=SCHEMA_JSON)

    @router.get("/asyncapi.json", responses=_DOCUMENT, response_class=Response)
    async def asyncapi(request: Request) -> Response:
        """This service's events and the ways to get them, as an AsyncAPI 3 document."""
        return reply(service_document(service.name, service.events, _public_url(request)), headers=_KEPT)


def _row(kind: EventType, language: str, public_url: str | None) -> dict[str, str]:
    words = {"title": kind.title, "when": kind.when, "subject": kind.subject, "audience": kind.audience.value}
    address = schema_address(kind.service, kind.name, public_url)
    return {"type": kind.name, **{name: getattr(each, language) for name, each in words.items()}, "dataschema": address}


def _public_url(request: Request) -> str | None:
    house: House = request.app.state.house
    return house.settings.public_url
