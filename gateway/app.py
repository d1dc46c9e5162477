"""The gateway as an ASGI application: one GraphQL face and one public door; it holds no data."""

from __future__ import annotations

from importlib import metadata

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.types import ASGIApp

from chassis.app import House, add_operations, docs_routes, problem_routes, wrap
from chassis.problems import install_problems, language_of
from chassis.settings import SERVICES
from gateway.context import Context
from gateway.door import Door
from gateway.engine import Engine
from gateway.limits import Limits
from gateway.proxy import BASE, FrontDoor
from gateway.schema import build_schema


def build_gateway(house: House) -> ASGIApp:
    """The public door: GraphQL and its pages here, /v1/<service>/… at the services, wherever they run."""
    app = FastAPI(
        title="Chỉ tiêu", version=metadata.version("chitieu"), openapi_url=None, docs_url=None, redoc_url=None
    )
    app.state.house = house
    install_problems(app, BASE)
    app.include_router(_routes(_door(house)))
    add_operations(app, lambda: _unreachable(house))
    wrap(app, "gateway", BASE)
    return FrontDoor(app, house.peers, timeout_seconds=house.settings.request_timeout_seconds)


def _door(house: House) -> Door:
    settings = house.settings
    schema = build_schema()
    engine = Engine(schema, Limits(cost=settings.graphql_max_cost), introspection=settings.graphql_introspection)

    def context(request: Request) -> Context:
        return Context(
            language=language_of(request.headers.get("Accept-Language")),
            trace_id=request.scope["state"]["traceparent"][3:35],
        )

    return Door(engine, schema.as_str(), max_body_bytes=settings.graphql_max_body_bytes, context=context)


def _routes(door: Door) -> APIRouter:
    router = APIRouter()
    router.add_route("/graphql", door.graphql, methods=["GET", "POST"])
    router.add_route("/graphql/schema.graphql", door.schema, methods=["GET"])
    router.add_route("/graphql/web/{file:path}", door.asset, methods=["GET"])
    prefixed = APIRouter(prefix=BASE)
    problem_routes(prefixed)
    router.include_router(prefixed)
    for service in SERVICES:
        docs_routes(router, service)
    return router


async def _unreachable(house: House) -> str | None:
    """Why the gateway is not ready: no service can be reached at all. One that is away does not close the door."""
    return None if house.peers.names() else "no service is configured"
