"""How a process reaches a service: by URL, or in this process without a socket. The one place with HTTP clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from chassis.settings import SERVICES, Settings

LIMITS = httpx2.Limits(max_connections=64, max_keepalive_connections=32, keepalive_expiry=30)
# Requests that others make and we pass on, long polls and streams among them: as many as come in.
PASSING_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=30)


class InProcess(httpx2.AsyncBaseTransport):
    """Calls an application of this process and hands its reply on as it comes; the library's own holds it back.

    The application waits until each piece is taken, as it would for a socket. Whom it answers for is said by
    `X-Forwarded-For`, which only our own gateway can set here.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Call, and return when the reply has begun."""
        reply = _Reply(self._app, request)
        try:
            status, headers = await reply.begun
        except asyncio.CancelledError:
            await reply.aclose()
            raise
        return httpx2.Response(status, headers=headers, stream=reply)


class _Reply(httpx2.AsyncByteStream):
    """The reply of an application that runs beside; it ends with whoever reads it."""

    def __init__(self, app: Any, request: httpx2.Request) -> None:
        self._request = request
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self.begun: asyncio.Future[tuple[int, Any]] = asyncio.get_running_loop().create_future()
        self._call = asyncio.create_task(self._run(app))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) is not None:
            yield piece

    async def aclose(self) -> None:
        self._call.cancel()
        await asyncio.gather(self._call, return_exceptions=True)

    async def _run(self, app: Any) -> None:
        body = [await self._request.aread()]

        async def receive() -> dict[str, Any]:
            if not body:
                await asyncio.get_running_loop().create_future()  # nobody leaves but by cancelling the call
            return {"type": "http.request", "body": body.pop(), "more_body": False}

        try:
            await app(_scope(self._request), receive, self._send)
        finally:
            if not self.begun.done():
                self.begun.set_exception(httpx2.ReadError("no reply", request=self._request))
        await self._pieces.put(None)

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.begun.set_result((message["status"], message["headers"]))
        elif message.get("body"):
            await self._pieces.put(message["body"])


def _scope(request: httpx2.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": (request.url.host, request.url.port),
        "client": (request.headers.get("X-Forwarded-For", "127.0.0.1"), 0),
    }


class Peers:
    """Clients of the three services, made once per process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._apps: dict[str, Any] = {}
        self._clients: dict[str, httpx2.AsyncClient] = {}
        self._passing: dict[str, httpx2.AsyncClient] = {}

    def attach(self, service: str, app: Any) -> None:
        """Say that a service lives in this process."""
        self._apps[service] = app
        self._clients.pop(service, None)
        self._passing.pop(service, None)

    def is_local(self, service: str) -> bool:
        """Whether a service is reached without a socket: then replies are buffered and must be bounded."""
        return service in self._apps

    def app(self, service: str) -> Any:
        """The application of a service in this process, for requests that pass through unchanged."""
        return self._apps[service]

    def names(self) -> tuple[str, ...]:
        """The services that can be reached."""
        return tuple(name for name in SERVICES if self.is_local(name) or self._settings.url_of(name))

    def client(self, service: str) -> httpx2.AsyncClient:
        """The client of one service.

        Raises:
            LookupError: it is neither in this process nor is its URL set.
        """
        if service not in self._clients:
            self._clients[service] = self._make(service, httpx2.ASGITransport, LIMITS)
        return self._clients[service]

    def passing(self, service: str) -> httpx2.AsyncClient:
        """The client for requests that are passed on or take long: unbuffered, and as many at once as come in.

        Raises:
            LookupError: it is neither in this process nor is its URL set.
        """
        if service not in self._passing:
            self._passing[service] = self._make(service, InProcess, PASSING_LIMITS)
        return self._passing[service]

    def _make(self, service: str, in_process: Any, limits: httpx2.Limits) -> httpx2.AsyncClient:
        app = self._apps.get(service)
        if app is not None:
            return httpx2.AsyncClient(transport=in_process(app), base_url=f"http://{service}", trust_env=False)
        url = self._settings.url_of(service)
        if url is None:
            raise LookupError(f"service {service} is not in this process and CHITIEU_{service.upper()}_URL is unset")
        timeout = httpx2.Timeout(self._settings.upstream_timeout_seconds, connect=0.5, pool=0.25)
        return httpx2.AsyncClient(base_url=url, timeout=timeout, limits=limits, trust_env=False)

    async def close(self) -> None:
        """Close every client."""
        for client in (*self._clients.values(), *self._passing.values()):
            await client.aclose()
        self._clients.clear()
        self._passing.clear()
