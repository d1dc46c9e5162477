"""`chitieu webhooks`: a receiver that does what a receiver must, and the requests that manage subscriptions."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from rich.console import Console
from standardwebhooks import Webhook

from chassis.webhooks.guard import Guard
from chassis.webhooks.letters import Letter, Office
from chassis.webhooks.sending import Postman
from chassis.webhooks.signing import make_secret
from chitieu import webhooks as commands
from chitieu.door import Door
from chitieu.troubles import Trouble
from chitieu.webhooks import Ears, Listener, Wish, serving
from tests.chassis.webhooks.conftest import Desk
from tests.chassis.webhooks.receiver import Receiver, status
from tests.chassis.webhooks.test_sending import GUARD

SECRET = make_secret()
EVENT = {"id": str(UUID(int=5)), "type": "t", "subject": "26491", "time": "2026-11-22T08:00:00Z", "province": "75"}
LETTER = Letter(UUID(int=5), "t", "26491", json.dumps({**EVENT, "data": {"version": 3}}))


@contextlib.asynccontextmanager
async def listening(**more: Any) -> AsyncIterator[tuple[str, Listener]]:
    ears = Ears("127.0.0.1", 0, [SECRET], **more)
    async with aiohttp.ClientSession() as session:
        listener = Listener(ears, Console(soft_wrap=True), session)
        async with serving(ears, listener.handle) as url:
            yield url, listener


async def sent(url: str, letter: Letter = LETTER, secret: str = SECRET, guard: Guard = GUARD) -> Any:
    async with Postman(guard, 10) as postman:
        return await postman.send(url, letter, [Webhook(secret)])


async def test_a_challenge_is_answered_with_its_word() -> None:
    async with listening() as (url, _):
        outcome = await sent(url, Office("plans", None).challenge(UUID(int=1), UUID(int=2), "word"))
    assert (outcome.status, json.loads(outcome.reply)) == (200, {"challenge": "word"})


async def test_an_event_is_printed_once_however_often_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    async with listening() as (url, _):
        assert [(await sent(url)).status for _ in range(3)] == [204, 204, 204]
    assert capsys.readouterr().out == "2026-11-22T08:00:00Z  t  26491 (tỉnh 75), phiên bản 3\n"


async def test_machines_get_the_event_as_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    async with listening(for_machines=True, count=1) as (url, listener):
        await sent(url)
        assert listener.is_done.is_set()
    assert json.loads(capsys.readouterr().out) == json.loads(LETTER.body)


async def test_a_wrong_signature_is_refused_and_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    async with listening() as (url, _):
        assert (await sent(url, secret=make_secret())).status == 401
        async with aiohttp.ClientSession() as session:
            for headers in ({}, {"webhook-id": "x", "webhook-timestamp": "0", "webhook-signature": "nonsense"}):
                async with session.post(url, data=LETTER.body, headers=headers) as reply:
                    assert reply.status == 401
    assert capsys.readouterr().out == ""


async def test_what_is_passed_on_counts_once_it_was_taken_in(receiver: Receiver) -> None:
    receiver.answer = status(503)
    async with listening(forward=receiver.url) as (url, _):
        assert (await sent(url)).status == 503
        receiver.get_well()
        assert (await sent(url)).status == 204
        assert (await sent(url)).status == 204
    first, second = receiver.requests
    assert first.webhook_id == second.webhook_id
    assert second.verified(SECRET) == json.loads(LETTER.body)


async def test_who_is_not_there_to_pass_on_to_is_a_failure() -> None:
    async with listening(forward="http://127.0.0.1:1/") as (url, _):
        assert (await sent(url)).status == 502


async def test_a_bad_secret_or_a_taken_port_is_one_sentence(receiver: Receiver) -> None:
    with pytest.raises(Trouble, match="whsec_"):
        await commands.listen(Console(), Ears("127.0.0.1", 0, ["secret"]), None, None, None)
    with pytest.raises(Trouble, match="Cannot listen"):
        await commands.listen(Console(), Ears("127.0.0.1", receiver.port, [SECRET]), None, None, None)


def door(desk: Desk) -> Any:
    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[Door]:
        yield Door(desk.client, desk.headers())

    return opened()


async def test_it_subscribes_for_as_long_as_it_listens(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    async with desk.running(desk.sender()):
        ears = Ears("127.0.0.1", 0, [SECRET], count=2, for_machines=True)
        listening = commands.listen(Console(), ears, door(desk), Wish("plans", {"commune": ["26491"]}), None)
        task = asyncio.create_task(listening)
        while not task.done() and not await desk.rows("SELECT id FROM webhook"):
            pass
        await desk.write("a", "b", "c", commune="26491")
        await asyncio.wait_for(task, 20)
    heard = [json.loads(line)["subject"] for line in capsys.readouterr().out.splitlines()]
    assert sorted(heard)[:2] == ["a", "b"]
    assert await desk.rows("SELECT id FROM webhook") == []


async def test_a_signal_ends_it_and_the_subscription(desk: Desk) -> None:
    ears = Ears("127.0.0.1", 0, [SECRET])
    task = asyncio.create_task(commands.listen(Console(), ears, door(desk), Wish("plans", {}), None))
    while not task.done() and not await desk.rows("SELECT id FROM webhook"):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(task, 20)
    assert await desk.rows("SELECT id FROM webhook") == []


async def test_subscriptions_are_made_shown_tried_and_removed(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(soft_wrap=True)
    wish = Wish("plans", {"url": desk.receiver.url})
    await commands.add(console, door(desk), wish, for_machines=False)
    said = capsys.readouterr().out.splitlines()
    webhook_id = said[0].split(":")[0]
    assert said[0] == f"{webhook_id}: {desk.receiver.url}, pending."
    assert said[1].startswith("Its secret, shown this once: whsec_")
    async with desk.running(desk.sender()):
        await commands.ping(console, door(desk), "plans", webhook_id)
        assert capsys.readouterr().out.startswith("delivered 204 after ")
        await desk.receiver.until(lambda: bool(desk.receiver.challenges))
    await commands.show(console, door(desk), ["plans"], for_machines=False)
    assert capsys.readouterr().out.strip() == f"plans  {webhook_id}  active  {desk.receiver.url}"
    await commands.show(console, door(desk), ["plans"], for_machines=True)
    assert json.loads(capsys.readouterr().out)["service"] == "plans"
    await commands.remove(console, door(desk), "plans", webhook_id)
    assert await desk.rows("SELECT id FROM webhook") == []
    with pytest.raises(Trouble, match="There is no service"):
        await commands.show(console, door(desk), ["nothing"], for_machines=False)
