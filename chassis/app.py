"""`build_app`: middleware, problems, health, metrics, docs, feed and audit, put together once for every service."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from pydantic import BaseModel
from sqlalchemy import MetaData, Table, select, text
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import FileResponse, Response
from starlette_compress import CompressMiddleware

from chassis.answers import answers
from chassis.auth import Caller, Verifier, needs
from chassis.bodies import HouseRoute
from chassis.database import Database, Reading
from chassis.errors import NOT_FOUND, RULES, NotFound, Unavailable, rule
from chassis.feed import Feed, Filter, cloud_event
from chassis.listing import Listing, answer
from chassis.outbox import Sequencer, raise_epoch_if_restored, read_token, wait_for
from chassis.pages import Paging, many
from chassis.peers import Peers
from chassis.problems import failures, install_problems
from chassis.receipts import PublicKeys, Receipts
from chassis.replica import Follower, Subscription
from chassis.replies import EntityTags, reply
from chassis.settings import Settings
from chassis.telemetry import RequestContext, metrics

WEB = Path(__file__).parent / "web"
CORS_HEADERS = [
    "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Prefer", "Upload-Complete",
    "Upload-Offset", "X-Min-Version", "X-Request-Id", "traceparent",
]  # fmt: skip
CORS_EXPOSED = [
    "Changes-Cursor", "ETag", "Idempotency-Replayed", "Known-At", "Link", "Location", "Retry-After", "Upload-Complete",
    "Upload-Offset", "X-Request-Id",
]  # fmt: skip
BATCH_EVENTS = "application/cloudevents-batch+json"

PROBLEM_UNKNOWN = rule("problem_unknown", vi="Không có mã lỗi {code}.", en="There is no problem code {code}.")
EVENT_TYPE_UNKNOWN = rule("event_type_unknown", vi="Không có loại sự kiện {type}.", en="There is no event type {type}.")
NOT_READY = rule("not_ready", vi="Dịch vụ chưa sẵn sàng: {reason}.", en="The service is not ready: {reason}.")

ChangesRead = Annotated[Caller, needs("changes:read", public=True)]
AuditRead = Annotated[Caller, needs("audit:read")]


Job = Callable[["House"], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """What makes one service: its routes, tables, what it says, what it hears, and what it does by itself."""

    name: str
    title: str
    description: str
    router: APIRouter
    metadata: MetaData
    subscriptions: Sequence[Subscription] = ()
    events: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    jobs: Sequence[Job] = ()


class House:
    """What one application stands on: settings, keys, peers, and (for a service) its database and feed."""

    def __init__(
        self,
        settings: Settings,
        *,
        verifier: Verifier,
        peers: Peers,
        database: Database | None = None,
        token: Callable[[], str] | None = None,
        revision: str | None = None,
        receipts: Receipts | None = None,
    ) -> None:
        self.revision = revision
        self.settings = settings
        self.verifier = verifier
        self.peers = peers
        self.followers: list[Follower] = []
        self.jobs: Sequence[Job] = ()
        self.is_closing = False
        self.receipts = receipts or Receipts(settings, database.service if database else "")
        self._token = token
        self._database = database
        self.sequencer = (
            Sequencer(database, batch=settings.sequencer_batch, poll_seconds=settings.sequencer_poll_seconds)
            if database
            else None
        )
        self.feed = Feed(database, self.sequencer) if database else None

    @property
    def database(self) -> Database:
        """The service's database; the gateway has none."""
        if self._database is None:
            raise LookupError("this application has no database")
        return self._database

    def follow(self, subscriptions: Sequence[Subscription]) -> None:
        """Prepare the followers of a service."""
        for subscription in subscriptions:
            wait = self.settings.follower_wait_seconds
            token = self._token or (lambda: "")
            self.followers.append(Follower(self.database, subscription, self.peers, token, wait))

    def stop_waiting(self) -> None:
        """End every long poll and stream: the process is about to end."""
        self.is_closing = True
        if self.feed is not None:
            self.feed.close()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run sequencer, followers and the service's own jobs while the block lasts, then give everything back."""
        if self._database:
            await raise_epoch_if_restored(self._database)
        jobs = [follower.run() for follower in self.followers] + [job(self) for job in self.jobs]
        if self.sequencer:
            jobs.append(self.sequencer.run())
        tasks = [asyncio.create_task(job) for job in jobs]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._database:
                await self._database.close()


async def _min_version(request: Request) -> None:
    token = request.headers.get("X-Min-Version")
    if not token:
        return
    house: House = request.app.state.house
    service, epoch, xid = read_token(token)
    if service == house.database.service:
        await wait_for(house.database, epoch, xid)
    for follower in house.followers:
        if follower.source == service:
            await follower.catch_up(min_version=token)


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
    house.follow(service.subscriptions)
    house.jobs = service.jobs
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
    routes.include_router(_ledger_router(service))
    routes.include_router(service.router, dependencies=[Depends(_min_version)])
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
            allow_methods=["GET", "HEAD", "PATCH", "PUT", "POST"],
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


def _audit_listing(table: Table, caller: Caller, subjects: list[str]) -> Listing:
    query = select(table)
    if subjects:
        query = query.where(table.c.subject.in_(subjects))
    if "*" not in caller.admin_units:
        units = caller.unit_codes
        query = query.where(table.c.province.in_(units) | table.c.commune.in_(units))
    return Listing(query, (table.c.id,), tuple(table.c.keys()))


def _ledger_router(service: Service) -> APIRouter:
    router = APIRouter(prefix=f"/v1/{service.name}", route_class=HouseRoute, tags=["changes"])
    audit_table = service.metadata.tables[f"{service.name}.audit"]

    @router.get("/changes", dependencies=[Depends(_min_version)])
    async def changes(
        request: Request,
        caller: ChangesRead,
        after: Annotated[str | None, Query(description="Cursor; none: from the beginning.")] = None,
        types: Annotated[list[str] | None, Query(description="Event types.")] = None,
        province: Annotated[list[str] | None, Query(description="Province codes.")] = None,
        commune: Annotated[list[str] | None, Query(description="Commune codes.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        wait: Annotated[float, Query(ge=0, le=25, description="Seconds to wait for a change.")] = 0,
    ) -> Response:
        """Changes after a cursor, in the order they happened: CloudEvents with dense positions, none left out."""
        feed: Feed = request.app.state.house.feed
        wanted = Filter(tuple(many(types or [])), tuple(many(province or [])), tuple(many(commune or [])))
        page = await feed.changes(caller, after, wanted, limit=limit, wait=wait)
        items = [cloud_event(service.name, row) for row in page.items]
        headers = {"Cache-Control": "no-store", "Changes-Cursor": page.next}
        if BATCH_EVENTS in request.headers.get("Accept", ""):
            return reply(items, headers=headers, media_type=BATCH_EVENTS)
        return reply({"items": items, "next": page.next, "head": page.head}, headers=headers)

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

    @router.get("/event-schemas/{event_type}")
    async def event_schema(event_type: str) -> Response:
        """The JSON Schema of one event type's data."""
        if event_type not in service.events:
            raise NotFound(EVENT_TYPE_UNKNOWN, type=event_type)
        return reply(service.events[event_type].model_json_schema())

    return router


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
