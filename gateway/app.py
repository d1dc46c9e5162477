"""The gateway as an ASGI application: one GraphQL face and one public door; it holds no data."""

from __future__ import annotations

import asyncio
from functools import cache
from importlib import metadata

import httpx2
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.types import ASGIApp

from chassis.app import add_operations, docs_routes, problem_routes, wrap
from chassis.auth import ANONYMOUS, identify
from chassis.errors import Unauthenticated
from chassis.house import House
from chassis.problems import install_problems, language_of
from chassis.settings import SERVICES
from gateway import event_pages
from gateway.allowance import Allowance
from gateway.changes.api import router as changes_router
from gateway.changes.page import router as changes_page
from gateway.clients import Bounds, Services, forwarded
from gateway.context import Context
from gateway.door import Door
from gateway.engine import Engine
from gateway.limits import Limits
from gateway.loaders import Loaders
from gateway.proxy import BASE, FrontDoor
from gateway.schema import build_schema, sdl

READY_SECONDS = 2


def build_gateway(house: House) -> ASGIApp:
    """The public door: GraphQL and its pages here, /v1/<service>/… at the services, wherever they run."""
    app = FastAPI(
        title="Chỉ tiêu: thay đổi của cả ba dịch vụ",
        description="Changes of all services, merged: one page or one stream instead of three.",
        version=metadata.version("chitieu"),
        openapi_url=f"{BASE}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.house = house
    install_problems(app, BASE)
    app.include_router(_graphql_routes(_door(house)))
    app.router.routes.extend(_page_routes().routes)
    add_operations(app, lambda: _unready(house))
    wrap(app, "gateway", BASE)
    return FrontDoor(app, house)


def _door(house: House) -> Door:
    settings = house.settings
    limits = Limits(cost=settings.graphql_max_cost)
    allowance = Allowance(settings.graphql_cost_per_minute)
    engine = Engine(build_schema(), limits, allowance, introspection=settings.graphql_introspection)
    bounds = Bounds(settings.upstream_timeout_seconds, settings.upstream_max_bytes)

    async def context(request: Request) -> Context:
        services = Services(house.peers.client, forwarded(request), bounds)
        return Context(
            services=services,
            loaders=Loaders(services),
            language=language_of(request.headers.get("Accept-Language")),
            trace_id=request.scope["state"]["traceparent"][3:35],
            caller=await _caller(request),
        )

    return Door(engine, sdl(), max_body_bytes=settings.graphql_max_body_bytes, context=context)


async def _caller(request: Request) -> str:
    """Whose allowance is used: the token's client, or the address of who has no token that holds.

    Whether a token opens anything is for the services to say; a forged one must only not buy a new allowance.
    """
    try:
        caller = await identify(request)
    except Unauthenticated:
        caller = ANONYMOUS
    if not caller.is_anonymous:
        return f"client {caller.client_id}"
    return f"address {request.client.host}" if request.client else "address unknown"


def _graphql_routes(door: Door) -> APIRouter:
    router = APIRouter()
    router.add_route("/graphql", door.graphql, methods=["GET", "POST"])
    router.add_route("/graphql/schema.graphql", door.schema, methods=["GET"])
    router.add_route("/graphql/web/{file:path}", door.asset, methods=["GET"])
    return router


@cache
def _page_routes() -> APIRouter:
    """The pages, which know no application: put together once, however many a process builds."""
    router = APIRouter()
    prefixed = APIRouter(prefix=BASE)
    problem_routes(prefixed)
    router.include_router(prefixed)
    router.include_router(changes_router)
    router.include_router(changes_page)
    router.include_router(event_pages.router)
    for name in (*SERVICES, "gateway"):
        docs_routes(router, name)
    return router


async def _unready(house: House) -> str | None:
    """Why the gateway is not ready: a service of this process is not, or none behind a URL is.

    One remote service that is away does not close the door: the others' part of every answer stands.
    """
    names = house.peers.names()
    if not names:
        return "no service is configured"
    answers = await asyncio.gather(*(_is_ready(house, name) for name in names))
    away = [name for name, is_ready in zip(names, answers, strict=True) if not is_ready]
    is_closed = len(away) == len(names) or any(house.peers.is_local(name) for name in away)
    return f"{', '.join(away)} not ready" if is_closed else None


async def _is_ready(house: House, name: str) -> bool:
    try:
        async with asyncio.timeout(READY_SECONDS):
            return (await house.peers.client(name).get("/readyz")).is_success
    except (httpx2.TransportError, TimeoutError):
        return False
