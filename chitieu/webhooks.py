"""Webhooks from the command line: a ready receiver, and the few requests that manage subscriptions."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from rich.console import Console
from standardwebhooks import Webhook, WebhookVerificationError

from chassis.errors import Refused
from chassis.settings import SERVICES
from chassis.webhooks.signing import check_secret, make_secret
from chitieu.door import Door
from chitieu.operating import Opening
from chitieu.troubles import Trouble

__all__ = ["Ears", "Listener", "Wish", "add", "listen", "make_secret", "ping", "remove", "serving", "show"]

MOST_BODY_BYTES = 1024 * 1024
REMEMBERED = 100_000
FORWARD_SECONDS = 12.0  # the house waits for 15
_SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature", "content-type")


@dataclass(frozen=True, slots=True)
class Ears:
    """How to listen: where, with which secrets, and what to do with what is heard."""

    host: str
    port: int
    secrets: Sequence[str]
    forward: str | None = None
    count: int | None = None
    for_machines: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What a subscription is to be: the service, and the body of the request but for its url."""

    service: str
    body: Mapping[str, Any]


class Listener:
    """Answers challenges, verifies signatures, hears each event once, prints it or passes it on."""

    def __init__(self, ears: Ears, console: Console, session: aiohttp.ClientSession) -> None:
        self._ears = ears
        self._console = console
        self._session = session
        self._keys = [_key(secret) for secret in ears.secrets]
        self._heard: OrderedDict[str, None] = OrderedDict()
        self.is_done = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request as a receiver should."""
        body = await request.read()
        event = self._verified(request.headers, body)
        if event is None:
            self._say("Chữ ký không đúng, đã từ chối.")
            return web.Response(status=401)
        if str(event["type"]).endswith(".webhook.challenged.v1"):
            self._say("Đã trả lời yêu cầu xác nhận.")
            return web.json_response({"challenge": event["data"]["challenge"]})
        webhook_id = request.headers["webhook-id"]
        if webhook_id in self._heard:
            self._say(f"Đã nghe sự kiện {webhook_id} rồi.")
            return web.Response(status=204)
        status = await self._pass_on(request.headers, body)
        if 200 <= status < 300:
            self._remember(webhook_id)
            self._print(event)
        else:
            self._say(f"{self._ears.forward} trả lời {status}; sự kiện sẽ đến lại.")
        return web.Response(status=status)

    def _verified(self, headers: Mapping[str, str], body: bytes) -> Any:
        for key in self._keys:
            with contextlib.suppress(WebhookVerificationError, ValueError):
                return key.verify(body, dict(headers))
        return None

    async def _pass_on(self, headers: Mapping[str, str], body: bytes) -> int:
        if self._ears.forward is None:
            return 204
        sent = {name: headers[name] for name in _SIGNED if name in headers}
        try:
            async with self._session.post(self._ears.forward, data=body, headers=sent) as reply:
                return reply.status
        except (aiohttp.ClientError, TimeoutError):
            return 502

    def _remember(self, webhook_id: str) -> None:
        self._heard[webhook_id] = None
        if len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)
        if self._ears.count is not None and len(self._heard) >= self._ears.count:
            self.is_done.set()

    def _print(self, event: Mapping[str, Any]) -> None:
        if self._ears.for_machines:
            print(json.dumps(event, ensure_ascii=False), flush=True)
            return
        place = f" (tỉnh {event['province']})" if "province" in event else ""
        version = event["data"].get("version")
        told = f", phiên bản {version}" if version is not None else ""
        self._console.print(f"{event['time']}  {event['type']}  {event['subject']}{place}{told}", highlight=False)

    def _say(self, words: str) -> None:
        """Beside the events: on standard error, so that a pipe takes events only."""
        print(words, file=sys.stderr, flush=True)


def _key(secret: str) -> Webhook:
    try:
        return Webhook(check_secret(secret))
    except Refused as error:
        raise Trouble("A secret is whsec_ and 24 to 64 bytes in base64.") from error


async def listen(console: Console, ears: Ears, opening: Opening | None, wish: Wish | None, address: str | None) -> None:
    """Listen until a signal, or until so many events were heard; with a wish, subscribed for as long.

    Raises:
        Trouble: the port is taken, or the house refuses the subscription.
    """
    timeout = aiohttp.ClientTimeout(total=FORWARD_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
        listener = Listener(ears, console, session)
        async with serving(ears, listener.handle) as place:
            url = address or place
            print(f"Đang nghe tại {url}. Ctrl-C để dừng.", file=sys.stderr, flush=True)
            async with _subscribed(opening, wish, url, ears.secrets[0]):
                await _until_over(listener.is_done)


@contextlib.asynccontextmanager
async def serving(ears: Ears, handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application(client_max_size=MOST_BODY_BYTES)
    app.router.add_post("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, ears.host, ears.port).start()
    except OSError as error:
        await runner.cleanup()
        raise Trouble(f"Cannot listen on {ears.host}:{ears.port}: {error.strerror or error}.") from error
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def _subscribed(opening: Opening | None, wish: Wish | None, url: str, secret: str) -> AsyncIterator[None]:
    if opening is None or wish is None:
        yield
        return
    async with opening as door:
        made = await _create(door, wish.service, {**wish.body, "url": url, "secret": secret})
        try:
            yield
        finally:
            await door.send("DELETE", f"{_base(wish.service)}/{made['id']}")


async def _until_over(is_done: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, is_done.set)
    try:
        await is_done.wait()
    finally:
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(sign)


async def add(console: Console, opening: Opening, wish: Wish, *, for_machines: bool) -> None:
    """Make a subscription, and show its secret, this once."""
    async with opening as door:
        made = await _create(door, wish.service, wish.body)
    if for_machines:
        print(json.dumps(made, ensure_ascii=False))
        return
    console.print(f"{made['id']}: {made['url']}, {made['state']}.", highlight=False)
    if "secret" not in wish.body:
        console.print(f"Its secret, shown this once: {made['secret']}", highlight=False)


async def show(console: Console, opening: Opening, services: Sequence[str], *, for_machines: bool) -> None:
    """List subscriptions: a line each, or their objects."""
    async with opening as door:
        for service in services:
            for row in (await door.send("GET", _base(service), params={"limit": "1000"}))["items"]:
                if for_machines:
                    print(json.dumps({"service": service, **row}, ensure_ascii=False))
                else:
                    console.print(_line(service, row), highlight=False, markup=False)


def _line(service: str, row: Mapping[str, Any]) -> str:
    state = f"{row['state']} ({row['paused_because']})" if row["paused_because"] else row["state"]
    lag = f", {row['behind_events']} behind" if row["behind_events"] else ""
    held = f", {row['held_keys']} held" if row["held_keys"] else ""
    return f"{service}  {row['id']}  {state}{lag}{held}  {row['url']}"


async def remove(console: Console, opening: Opening, service: str, webhook_id: str) -> None:
    """Remove a subscription."""
    async with opening as door:
        await door.send("DELETE", f"{_base(service)}/{webhook_id}")
    console.print("Removed.")


async def ping(console: Console, opening: Opening, service: str, webhook_id: str) -> None:
    """Have a ping sent, and wait for what became of it."""
    place = f"{_base(service)}/{webhook_id}"
    async with opening as door:
        event_id = (await door.send("POST", f"{place}/test", headers=_once()))["event_id"]
        tried = await _tried(door, f"{place}/deliveries", event_id)
    status = f" {tried['status']}" if tried["status"] else ""
    detail = f" ({tried['detail']})" if tried["detail"] else ""
    console.print(
        f"{tried['outcome']}{status} after {tried['milliseconds']} ms{detail}.", highlight=False, markup=False
    )


async def _tried(door: Door, place: str, event_id: str) -> Mapping[str, Any]:
    for _ in range(200):
        items = (await door.send("GET", place, params={"event_id": event_id}))["items"]
        if items:
            found: Mapping[str, Any] = items[0]
            return found
        await asyncio.sleep(0.1)
    raise Trouble("Nothing was sent within 20 seconds: does any process deliver webhooks of this service?")


async def _create(door: Door, service: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return await door.send("POST", _base(service), body=dict(body), headers=_once())


def _once() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


def _base(service: str) -> str:
    if service not in SERVICES:
        raise Trouble(f"There is no service {service}: choose {', '.join(SERVICES)}.")
    return f"/v1/{service}/webhooks"
