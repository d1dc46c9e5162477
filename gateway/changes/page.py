"""/changes: the changes of all services as they happen, for people."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from chassis.app import WEB

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

router = APIRouter()


@router.get("/changes", include_in_schema=False)
async def page() -> Response:
    """Follow the changes live: choose services, units and types, with a token or what is public."""
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    return FileResponse(WEB / "changes.html", headers=headers)
