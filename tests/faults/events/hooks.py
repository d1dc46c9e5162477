"""Receivers of webhooks of every mood: well, ill-tempered, forgetful, and gone for a while."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from random import Random

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from tests.faults.events.arena import LOST, SERVICE, Arena, beginning
from tests.faults.events.journal import Heard, Hook, Journal
from tests.faults.events.writers import Load

WEBHOOKS = f"/v1/{SERVICE}/webhooks"
OFFICES = "vn.chitieu.plans.office.changed.v1"
PATIENCE_SECONDS, PAUSE_SECONDS = 40.0, 0.05
SETTINGS = {
    "CHITIEU_ENVIRONMENT": "demo",  # lets receivers be without TLS
    "CHITIEU_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
    "CHITIEU_WEBHOOK_TIMEOUT_SECONDS": "1",
    "CHITIEU_WEBHOOK_RETRY_SECONDS": "0.05,0.1,0.2,0.3",
    "CHITIEU_WEBHOOK_LEASE_SECONDS": "2",
    "CHITIEU_WEBHOOK_POLL_SECONDS": "0.1",
}

Mood = Callable[[Random], str]


def well(_random: Random) -> str:
    """Takes everything in."""
    return "taken"


def moody(random: Random) -> str:
    """Fails in every way there is, and sometimes says it failed when it did not."""
    return random.choices(["taken", "500", "302", "hangs", "taken, and 500"], [80, 8, 3, 1, 8])[0]


def gone_at_times(random: Random) -> str:
    """Says now and then that it will never be back."""
    return random.choices(["taken", "410"], [99, 1])[0]


@dataclass(slots=True)
class Receiver:
    """One receiver: notes what it takes in, and answers by its mood."""

    hook: Hook
    mood: Mood
    journal: Journal
    random: Random
    wanted: dict[str, object]
    is_calm: bool = False
    url: str = ""
    webhook: str = ""
    secret: str = ""
    is_gone: bool = False

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One delivery, or the challenge."""
        body = await request.read()
        event = json.loads(body)
        if event["type"].endswith(".webhook.challenged.v1"):
            return web.json_response({"challenge": event["data"]["challenge"]})
        mood = "taken" if self.is_calm else self.mood(self.random)
        if mood.startswith("taken"):
            self._take(body, request, event)
        return await self._answer(mood)

    def _take(self, body: bytes, request: web.Request, event: dict[str, object]) -> None:
        try:
            Webhook(self.secret).verify(body, dict(request.headers))
        except WebhookVerificationError as error:
            self.journal.broken.append(f"{self.hook.name} got a delivery without a good signature: {error}")
        heard = Heard.of(event)
        if request.headers["webhook-id"] != heard.event_id:
            self.journal.broken.append(f"{self.hook.name} got {heard.event_id} as {request.headers['webhook-id']}")
        self.journal.delivered[self.hook.name].append(heard)

    async def _answer(self, mood: str) -> web.StreamResponse:
        if mood == "302":
            return web.Response(status=302, headers={"Location": self.url})
        if mood == "hangs":
            await asyncio.sleep(2)
        if mood == "410":
            self.is_gone = True
            return web.Response(status=410)
        return web.Response(status=204 if mood == "taken" else 500)


class Receivers:
    """All of them, and the errands of their operator."""

    def __init__(self, arena: Arena, journal: Journal, seed: int) -> None:
        self._arena = arena
        self._journal = journal
        moods: list[tuple[str, Mood, dict[str, object]]] = [
            ("well", well, {}),
            ("moody", moody, {}),
            ("offices only, gone at times", gone_at_times, {"types": [OFFICES]}),
            ("moody without order", moody, {"ordering": "none"}),
        ]
        self.all = [
            Receiver(Hook(name, "ordering" not in told, "types" in told), mood, journal, Random(f"{seed} {name}"), told)
            for name, mood, told in moods
        ]

    async def subscribe(self) -> None:
        """Ask for everything from the beginning, and wait until every challenge is answered."""
        async with self._arena.client() as client:
            for number, one in enumerate(self.all):
                told = {"url": one.url, "after": beginning(), **one.wanted}
                headers = {"Idempotency-Key": f"hook-{number}"}
                made = await client.post(f"{self._arena.urls[0]}{WEBHOOKS}", json=told, headers=headers)
                assert made.status_code == 201, made.text
                one.webhook, one.secret = made.json()["id"], made.json()["secret"]
                self._journal.hooks[one.hook.name] = one.hook

    async def resume(self, urls: Sequence[str]) -> None:
        """Switch on again who said he was gone."""
        for one in self.all:
            if one.is_gone:
                with contextlib.suppress(*LOST):
                    one.is_gone = not await self._resume(f"{urls[0]}{WEBHOOKS}/{one.webhook}")

    async def _resume(self, place: str) -> bool:
        async with self._arena.client() as client:
            found = (await client.get(place)).json()
            if found.get("state") != "paused":
                return False
            headers = {"Idempotency-Key": f"resume-{found['version']}"}
            return (await client.post(f"{place}/resume", headers=headers)).status_code == 200

    async def run(self, load: Load) -> None:
        """Look after those who said they were gone, for as long as there is work."""
        while not load.is_over:
            await self.resume(load.urls)
            await asyncio.sleep(PAUSE_SECONDS)

    async def catch_up(self) -> None:
        """Be calm, and wait until nothing is left to be delivered."""
        for one in self.all:
            one.is_calm = True
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while await self._behind() and asyncio.get_running_loop().time() < deadline:
            await self.resume(self._arena.urls)
            await asyncio.sleep(PAUSE_SECONDS)
        for one in self.all:
            one.is_calm = False

    async def _behind(self) -> bool:
        found = []
        async with self._arena.client() as client:
            for one in self.all:
                answer = await client.get(f"{self._arena.urls[0]}{WEBHOOKS}/{one.webhook}")
                found.append(answer.json())
        return any((one["state"], one["behind_events"], one["held_keys"]) != ("active", 0, 0) for one in found)


@contextlib.asynccontextmanager
async def receiving(arena: Arena, journal: Journal, seed: int) -> AsyncIterator[Receivers]:
    """Receivers that listen while the block lasts."""
    made = Receivers(arena, journal, seed)
    async with contextlib.AsyncExitStack() as stack:
        for one in made.all:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", one.handle)
            runner = web.AppRunner(app, shutdown_timeout=0.01, handler_cancellation=True)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield made
