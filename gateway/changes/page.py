"""/changes: the changes of all services as they happen, for people."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from chassis.app import web_page

router = APIRouter()


@router.get("/changes", include_in_schema=False)
async def page() -> Response:
    """Follow the changes live: choose services, units and types, with a token or what is public."""
    return web_page("changes.html")
