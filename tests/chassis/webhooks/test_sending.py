"""One try against a real receiver: only 2xx is success, and no reply can hold or fill us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_network
from uuid import UUID

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from chassis import clock
from chassis.webhooks.guard import Guard
from chassis.webhooks.letters import Office
from chassis.webhooks.sending import MOST_REPLY_BYTES, Outcome, Postman, Result, answers
from chassis.webhooks.signing import make_secret
from tests.chassis.webhooks.receiver import Heard, Receiver, receiving, status

LETTER = Office("plans", None).challenge(UUID(int=7), UUID(int=9), "word")
SECRET = make_secret()
GUARD = Guard((ip_network("127.0.0.0/8"),), takes_http=True)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


async def send(receiver: Receiver, seconds: float = 10, url: str = "") -> Outcome:
    receiver.answer_challenge = receiver.answer
    async with Postman(GUARD, seconds) as postman:
        return await postman.send(url or receiver.url, LETTER, [Webhook(SECRET)])


async def test_a_letter_is_a_signed_structured_event(receiver: Receiver) -> None:
    with clock.frozen(clock.now()) as frozen:
        outcome = await send(receiver)
    (heard,) = receiver.challenges
    assert (outcome.result, outcome.status) == (Result.DELIVERED, 204)
    assert heard.headers["Content-Type"] == "application/cloudevents+json"
    assert heard.webhook_id == heard.event["id"] == str(UUID(int=9))
    assert heard.headers["webhook-timestamp"] == str(int(frozen.moment.timestamp()))
    assert heard.headers["User-Agent"].startswith("chitieu-webhooks/")
    assert heard.verified(SECRET) == {
        "specversion": "1.0",
        "id": str(UUID(int=9)),
        "source": "/plans",
        "type": "vn.chitieu.plans.webhook.challenged.v1",
        "subject": str(UUID(int=7)),
        "time": heard.event["time"],
        "datacontenttype": "application/json",
        "data": {"challenge": "word"},
    }


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
async def test_2xx_is_success(receiver: Receiver, code: int) -> None:
    receiver.answer = status(code)
    assert (await send(receiver)).is_delivered


@pytest.mark.parametrize("code", [300, 301, 302, 303, 307, 308, 304, 400, 401, 404, 409, 410, 429, 500, 503])
async def test_nothing_else_is_and_nothing_is_followed(receiver: Receiver, code: int) -> None:
    receiver.answer = status(code, Location=f"http://127.0.0.1:{receiver.port}/elsewhere")
    outcome = await send(receiver)
    assert (outcome.result, outcome.status, outcome.asked) == (Result.REJECTED, code, None)
    assert len(receiver.challenges) == 1


async def test_a_receiver_asks_for_time(receiver: Receiver) -> None:
    receiver.answer = status(429, **{"Retry-After": "17"})
    assert (await send(receiver)).asked == 17.0


async def test_a_receiver_that_says_nothing_is_not_waited_for(receiver: Receiver) -> None:
    waiting = asyncio.Event()

    async def hang(_heard: Heard) -> web.Response:
        await waiting.wait()
        return web.Response()

    receiver.answer = hang
    assert (await send(receiver, seconds=0.05)).result is Result.TIMED_OUT
    waiting.set()


async def test_nobody_there_is_an_outcome(receiver: Receiver) -> None:
    outcome = await send(receiver, url="http://127.0.0.1:1/")
    assert (outcome.result, outcome.status) == (Result.UNREACHABLE, None)
    assert (outcome.detail or "").startswith("ClientConnectorError")


async def test_an_answer_that_is_no_http_is_an_outcome(receiver: Receiver) -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"+OK ready\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await send(receiver, url=f"http://127.0.0.1:{port}/")).result is Result.UNREACHABLE


async def test_of_a_long_reply_only_the_beginning_is_read(receiver: Receiver) -> None:
    receiver.answer = lambda _heard: web.Response(body=b"\x00\x1b[31m\xffa" + b"x" * 10 * MOST_REPLY_BYTES)
    outcome = await send(receiver)
    assert outcome.is_delivered
    assert len(outcome.reply) == MOST_REPLY_BYTES
    assert outcome.excerpt == "��[31m�a" + "x" * 492


async def test_a_reply_that_drips_is_not_waited_for(receiver: Receiver) -> None:
    over = asyncio.Event()

    async def app(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun")
        await writer.drain()
        await over.wait()
        writer.close()

    async with await asyncio.start_server(app, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        outcome = await send(receiver, seconds=0.3, url=f"http://127.0.0.1:{port}/")
        assert (outcome.result, outcome.reply) == (Result.DELIVERED, b"begun")
        over.set()


async def test_one_connection_carries_many_letters(receiver: Receiver) -> None:
    async with Postman(GUARD, 10) as postman:
        for _ in range(5):
            assert (await postman.send(receiver.url, LETTER, [])).is_delivered
        assert len(postman._session.connector._conns) == 1  # type: ignore[union-attr]
    assert len(receiver.challenges) == 5


@pytest.mark.parametrize(
    ("reply", "is_answer"),
    [
        (b'{"challenge": "word"}', True),
        (b'"word"', True),
        (b"word\n", True),
        (b'{"data": {"challenge": "word"}}', False),
        (b'{"challenge": "other"}', False),
        (b"[]", False),
        (b"", False),
        (b"the word", False),
    ],
)
def test_a_challenge_is_answered_with_its_word_and_not_by_an_echo(reply: bytes, is_answer: bool) -> None:
    assert answers(Outcome(Result.DELIVERED, 0.0, 200, reply), "word") is is_answer
    assert not answers(Outcome(Result.REJECTED, 0.0, 500, reply), "word")
