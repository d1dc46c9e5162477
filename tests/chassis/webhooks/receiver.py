"""A receiver for tests: a real HTTP server that notes what it hears and answers as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

Answer = Callable[["Heard"], web.StreamResponse | Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it came."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def is_challenge(self) -> bool:
        return str(self.event["type"]).endswith(".webhook.challenged.v1")

    def verified(self, secret: str) -> Any:
        """The event, once the standard's own library has checked its signature."""
        return Webhook(secret).verify(self.body, dict(self.headers))


def taken(_heard: Heard) -> web.Response:
    return web.Response(status=204)


def answering(heard: Heard) -> web.Response:
    """What a receiver should do with a challenge."""
    return web.json_response({"challenge": heard.event["data"]["challenge"]})


def status(code: int, **headers: str) -> Answer:
    return lambda _heard: web.Response(status=code, headers=headers)


@dataclass
class Receiver:
    """Hears at `url`; `answer` decides what is said, `requests` keeps what came, challenges apart from the rest."""

    url: str = ""
    port: int = 0
    answer: Answer = field(default=taken, kw_only=True)
    answer_challenge: Answer = field(default=answering, kw_only=True)
    requests: list[Heard] = field(default_factory=list)
    challenges: list[Heard] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def get_well(self) -> None:
        """Answer as a receiver should."""
        self.answer, self.answer_challenge = taken, answering

    async def handle(self, request: web.Request) -> web.StreamResponse:
        heard = Heard(request.headers, await request.read())
        is_challenge = heard.is_challenge
        (self.challenges if is_challenge else self.requests).append(heard)
        await self._tell()
        answered = (self.answer_challenge if is_challenge else self.answer)(heard)
        reply = answered if isinstance(answered, web.StreamResponse) else await answered
        await self._tell()
        return reply

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def until(self, is_so: Callable[[], bool], seconds: float = 20) -> None:
        """Wait for what is to be heard; the limit only ends a test that has failed."""
        async with asyncio.timeout(seconds), self.changed:
            await self.changed.wait_for(is_so)

    async def until_heard(self, number: int) -> None:
        await self.until(lambda: len(self.requests) >= number)

    @property
    def subjects(self) -> list[str]:
        return [heard.event["subject"] for heard in self.requests]


@contextlib.asynccontextmanager
async def receiving(host: str = "127.0.0.1") -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application(client_max_size=2**20)
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.01, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    receiver.url = f"http://{host}:{receiver.port}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()
