"""/docs/events: every event of the house for people, and as one AsyncAPI document for machines."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from chassis.app import web_page
from chassis.asyncapi import EXTENSION, merged_document
from chassis.errors import Unavailable
from chassis.house import House
from chassis.replies import reply
from gateway.errors import UPSTREAM_UNAVAILABLE

log = structlog.get_logger("gateway")
router = APIRouter()


@router.get("/docs/events", include_in_schema=False)
async def page() -> Response:
    """Every event type: what happened, when, who may hear it, its data, an example, and the ways to get it."""
    return web_page("events.html")


@router.get("/docs/events/asyncapi.json", include_in_schema=False)
async def asyncapi(request: Request) -> Response:
    """The events of all services as one AsyncAPI document; a service out of reach is named and left out.

    Raises:
        Unavailable: no service answers ("upstream_unavailable").
    """
    house: House = request.app.state.house
    names = house.peers.names()
    asked = await asyncio.gather(*(_document(house, name) for name in names))
    found = [document for document in asked if document is not None]
    if not found:
        raise Unavailable(UPSTREAM_UNAVAILABLE, service=", ".join(names), headers={"Retry-After": "1"})
    merged = merged_document(found, house.settings.public_url)
    away = [name for name, document in zip(names, asked, strict=True) if document is None]
    merged["info"][EXTENSION] = {"away": away}
    return reply(merged, headers={"Cache-Control": "no-cache" if away else "public, max-age=300"})


async def _document(house: House, service: str) -> dict[str, Any] | None:
    try:
        async with asyncio.timeout(house.settings.upstream_timeout_seconds):
            answer = await house.peers.client(service).get(f"/v1/{service}/asyncapi.json")
            answer.raise_for_status()
        document: dict[str, Any] = answer.json()
    except (httpx2.HTTPError, TimeoutError, ValueError) as error:
        log.warning("upstream_away", service_asked=service, reason=type(error).__name__)
        return None
    return document
