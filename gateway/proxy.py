"""One public door: /v1/<service>/… goes to the service that owns it, in this process or behind its URL.

Behind a URL bodies stream through in both directions: a whole pull or a long poll is never held in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import httpx2
import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.errors import Unavailable
from chassis.house import House
from chassis.peers import Peers
from chassis.problems import failures, problem
from chassis.settings import SERVICES
from chassis.telemetry import RequestContext
from gateway.errors import UPSTREAM_UNAVAILABLE

# RFC 9110, section 7.6.1: these belong to one connection, not to the message.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
BASE = "/v1/gateway"
EVENT_STREAM = "text/event-stream"

log = structlog.get_logger("gateway")


def service_of(path: str) -> str | None:
    """The service a path belongs to: /v1/plans/tasks is of plans."""
    parts = path.split("/", 3)
    return parts[2] if len(parts) > 2 and parts[1] == "v1" and parts[2] in SERVICES else None


class FrontDoor:
    """Hands /v1/<service>/… to the service, and everything else to the gateway's own application."""

    def __init__(self, own: ASGIApp, house: House) -> None:
        self.house = house
        self.own = own
        self._peers = house.peers
        seconds = house.settings.request_timeout_seconds
        forwarder = Forwarder(house.peers, house.closing, timeout_seconds=seconds)
        self._remote = RequestContext(forwarder, service="gateway", failures=failures(BASE), seconds=seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find who answers, and let them: a service of this process gets the request as it is, streams included."""
        service = service_of(scope["path"]) if scope["type"] == "http" else None
        if service is None:
            await self.own(scope, receive, send)
        elif self._peers.is_local(service):
            await self._peers.app(service)(scope, receive, send)
        else:
            await self._remote({**scope, "service": service}, receive, send)


class Forwarder:
    """Services behind URLs: the request is forwarded and its reply passed on as it comes."""

    def __init__(self, peers: Peers, closing: asyncio.Event, *, timeout_seconds: float) -> None:
        self._peers = peers
        self._closing = closing
        self._timeout = httpx2.Timeout(timeout_seconds, connect=0.5, pool=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one request."""
        request = Request(scope, receive)
        response = await self._forward(request.scope["service"], request)
        if response.headers.get("Content-Type", "").startswith(EVENT_STREAM):
            await self._pass_on_until_closing(response(scope, receive, send), send)
        else:
            await response(scope, receive, send)

    async def _pass_on_until_closing(self, passing_on: Coroutine[Any, Any, None], send: Send) -> None:
        """A stream would not end before it is cut off: end it in order when the process is about to end."""
        passing = asyncio.create_task(passing_on)
        closing = asyncio.create_task(self._closing.wait())
        try:
            await asyncio.wait({passing, closing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            passing.cancel()
            closing.cancel()
            await asyncio.wait({passing, closing})
        if not passing.cancelled():
            passing.result()
            return
        await send({"type": "http.response.body", "body": b""})

    async def _forward(self, service: str, request: Request) -> Response:
        try:
            client = self._peers.passing(service)
        except LookupError as error:
            return _away(service, request, str(error))
        outgoing = client.build_request(
            request.method,
            _url(client.base_url, request.scope),
            headers=_request_headers(request),
            content=_body(request),
            timeout=self._timeout,
        )
        try:
            incoming = await client.send(outgoing, stream=True)
        except httpx2.TransportError as error:
            return _away(service, request, type(error).__name__)
        return _passed_on(incoming)


def _away(service: str, request: Request, reason: str) -> Response:
    log.warning("upstream_away", service_asked=service, reason=reason)
    refusal = Unavailable(UPSTREAM_UNAVAILABLE, service=service, headers={"Retry-After": "1"})
    return problem(refusal, request.scope, BASE)


def _url(base: httpx2.URL, scope: Scope) -> httpx2.URL:
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    raw = base.raw_path.rstrip(b"/") + path
    return base.copy_with(raw_path=raw + (b"?" + query if query else b""))


def _request_headers(request: Request) -> list[tuple[bytes, bytes]]:
    dropped = HOP_BY_HOP | {"x-request-id", "traceparent", "x-forwarded-for"}
    kept = [(name, value) for name, value in request.headers.raw if name.decode("latin-1").lower() not in dropped]
    if "accept-encoding" not in request.headers:
        kept.append((b"accept-encoding", b"identity"))  # else the client library asks for compression by itself
    state = request.scope["state"]
    trace = [(b"x-request-id", state["request_id"].encode()), (b"traceparent", state["traceparent"].encode())]
    # Who asks without a token is told apart by address; what a caller says of its own address counts for nothing.
    address = [(b"x-forwarded-for", request.client.host.encode())] if request.client else []
    return [*kept, *trace, *address]


def _body(request: Request) -> AsyncIterator[bytes] | None:
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    return request.stream() if has_body else None


def _passed_on(incoming: httpx2.Response) -> Response:
    is_stream = incoming.headers.get("Content-Type", "").startswith(EVENT_STREAM)
    body = _events(incoming) if is_stream else _chunks(incoming)
    response = StreamingResponse(body, status_code=incoming.status_code)
    response.raw_headers = [
        (name.lower(), value)
        for name, value in incoming.headers.raw
        if name.decode("latin-1").lower() not in HOP_BY_HOP
    ]
    return response


async def _chunks(incoming: httpx2.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in incoming.aiter_raw():
            yield chunk
    finally:
        await incoming.aclose()


async def _events(incoming: httpx2.Response) -> AsyncIterator[bytes]:
    """A stream whose service is gone ends, and its listener comes back; an event cut short counts for nothing."""
    try:
        async for chunk in _chunks(incoming):
            yield chunk
    except httpx2.TransportError as error:
        log.warning("upstream_left", reason=type(error).__name__)
