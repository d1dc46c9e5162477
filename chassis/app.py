"""`build_app`: middleware, problems, health, metrics, docs, feed and audit, put together once for every service."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy import text
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import FileResponse, Response
from starlette_compress import CompressMiddleware, remove_compress_type

from chassis import jetstream, lag, retention, webhooks
from chassis.errors import NOT_FOUND, RULES, NotFound, Unavailable, rule
from chassis.house import House, Service
from chassis.ledger_api import ledger_router, min_version
from chassis.problems import failures, install_problems
from chassis.replies import EntityTags, reply
from chassis.settings import Settings
from chassis.telemetry import RequestContext, metrics
from chassis.webhooks.api import webhooks_router

WEB = Path(__file__).parent / "web"
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
CORS_HEADERS = [
    "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID", "Prefer",
    "Upload-Complete", "Upload-Offset", "X-Min-Version", "X-Request-Id", "traceparent",
]  # fmt: skip
CORS_EXPOSED = [
    "Changes-Behind", "Changes-Cursor", "Changes-Unreachable", "ETag", "Idempotency-Replayed", "Known-At", "Link",
    "Location", "Retry-After", "Upload-Complete", "Upload-Offset", "X-Request-Id",
]  # fmt: skip

# One compressor per listener would cost its memory and time for every one of them; as it is all share the same bytes.
remove_compress_type("text/event-stream")

PROBLEM_UNKNOWN = rule("problem_unknown", vi="Không có mã lỗi {code}.", en="There is no problem code {code}.")
NOT_READY = rule("not_ready", vi="Dịch vụ chưa sẵn sàng: {reason}.", en="The service is not ready: {reason}.")


def build_app(service: Service, house: House) -> FastAPI:
    """One service as an ASGI application; a service adds nothing of its own but its router."""
    base = f"/v1/{service.name}"
    app = FastAPI(
        title=service.title,
        description=service.description,
        version=metadata.version("chitieu"),
        openapi_url=f"{base}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.house = house
    house.serve(service, (lag.run, retention.run, webhooks.run, jetstream.run))
    install_problems(app, base)
    app.router.routes.extend(_routes(service).routes)
    add_operations(app, lambda: _readiness(house))
    wrap(app, service.name, base)
    house.peers.attach(service.name, app)
    return app


@cache
def _routes(service: Service) -> APIRouter:
    """A service's routes, which know no application: put together once, however many a process builds."""
    routes = APIRouter()
    routes.include_router(ledger_router(service))
    routes.include_router(webhooks_router(service))
    routes.include_router(service.router, dependencies=[Depends(min_version)])
    routes.include_router(_pages_router(service.name))
    return routes


def wrap(app: FastAPI, name: str, base: str) -> None:
    """The middleware every application has, gateway included: context outside, then compression, then ETags."""
    app.add_middleware(EntityTags)
    app.add_middleware(CompressMiddleware, minimum_size=1024, brotli=False)
    settings: Settings = app.state.house.settings
    origins = settings.cors_origins or (["*"] if settings.public_read else [])
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["DELETE", "GET", "HEAD", "PATCH", "PUT", "POST"],
            allow_headers=CORS_HEADERS,
            expose_headers=CORS_EXPOSED,
            max_age=600,
        )
    app.add_middleware(RequestContext, service=name, failures=failures(base), seconds=settings.request_timeout_seconds)


def add_operations(app: FastAPI, ready: Callable[[], Any]) -> None:
    """Liveness, readiness and metrics."""

    async def livez() -> Response:
        return reply({"status": "ok"}, headers={"Cache-Control": "no-store"})

    async def readyz() -> Response:
        reason = await ready()
        if reason:
            raise Unavailable(NOT_READY, reason=reason, headers={"Retry-After": "1"})
        return reply({"status": "ok"}, headers={"Cache-Control": "no-store"})

    async def show_metrics() -> Response:
        return metrics()

    for path, endpoint in (("/livez", livez), ("/readyz", readyz), ("/metrics", show_metrics)):
        app.add_api_route(path, endpoint, include_in_schema=False)


async def _readiness(house: House) -> str | None:
    try:
        async with house.database.read() as db:
            found = await db.scalar(text("SELECT version_num FROM alembic_version"))
    except Exception as error:
        return type(error).__name__
    return None if house.revision in (None, found) else f"migrated to {found}, not to {house.revision}"


def problem_routes(router: APIRouter) -> None:
    """A page per problem code, so that `type` leads somewhere."""

    @router.get("/problems/{code}", include_in_schema=False)
    async def problem_page(code: str) -> Response:
        found = RULES.get(code)
        if found is None:
            raise NotFound(PROBLEM_UNKNOWN, code=code)
        return reply({"code": found.code, "vi": found.vi, "en": found.en})


def _pages_router(name: str) -> APIRouter:
    router = APIRouter()
    prefixed = APIRouter(prefix=f"/v1/{name}")
    problem_routes(prefixed)
    router.include_router(prefixed)
    docs_routes(router, name)
    return router


def web_page(name: str) -> Response:
    """A page of our own, which loads local files only and has no script in itself."""
    headers = {
        "Content-Security-Policy": _PAGE_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return FileResponse(WEB / name, headers=headers)


def docs_routes(router: APIRouter, name: str) -> None:
    """The Swagger page of one application, from local files only."""

    @router.get(f"/docs/{name}", include_in_schema=False)
    async def docs() -> Response:
        policy = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"
        return FileResponse(WEB / "docs.html", headers={"Content-Security-Policy": policy})

    @router.get("/docs/web/{file:path}", include_in_schema=False)
    async def asset(file: str) -> Response:
        known = {str(path.relative_to(WEB)): path for path in WEB.rglob("*") if path.is_file()}
        if file not in known:
            raise NotFound(NOT_FOUND, path=f"/docs/web/{file}")
        return FileResponse(known[file], headers={"Cache-Control": "public, max-age=86400"})
