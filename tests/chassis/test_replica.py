"""Following: list, then follow; exactly once; again after a rewound log; one process or several."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response
from structlog.testing import capture_logs

from chassis.database import Session
from chassis.errors import Gone, Refused, Unavailable
from chassis.peers import Peers
from chassis.replica import Follower, ListSource, OneAtATime, Subscription
from chassis.write_tokens import read_token
from tests.chassis.conftest import NOTE_TYPE, Desk
from tests.house import database_url


@dataclass
class Heard:
    listed: list[int] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    fail: bool = False
    forgotten: int = 0

    async def list(self, _db: Session, items: list[dict[str, Any]]) -> None:
        if self.fail and self.listed:
            raise RuntimeError("no room")
        self.listed += [item["n"] for item in items]

    async def forget(self, _db: Session) -> None:
        self.forgotten += 1
        self.listed = []

    async def apply(self, _db: Session, events: list[dict[str, Any]]) -> None:
        if self.fail:
            raise RuntimeError("no room")
        self.events += [event["data"]["text"] for event in events]


def follower(desk: Desk, heard: Heard, *, wait: float = 0, scopes: str = "plans:read changes:read") -> Follower:
    subscription = Subscription(
        "plans", (ListSource("/v1/plans/numbers?upto=1500", heard.list, heard.forget),), (NOTE_TYPE,), heard.apply
    )
    token = desk.whole.headers(scopes)["Authorization"].removeprefix("Bearer ")
    return Follower(desk.whole.database("budget"), subscription, desk.house.peers, lambda: token, wait)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def following(desk: Desk, heard: Heard) -> Follower:
    await desk.post("trước", key="0")
    await desk.sequence()
    return follower(desk, heard)


async def test_it_lists_every_page_then_hears_what_follows(desk: Desk, heard: Heard, following: Follower) -> None:
    await following.catch_up()
    assert heard.listed == list(range(1, 1501))
    assert heard.events == []
    await desk.post("một", key="1")
    await desk.post("hai", key="2", subject="b")
    await desk.sequence()
    await following.catch_up()
    await following.catch_up()
    assert heard.events == ["một", "hai"]


async def test_a_failed_apply_keeps_the_cursor(desk: Desk, heard: Heard, following: Follower) -> None:
    await following.catch_up()
    await desk.post("một", key="1")
    await desk.sequence()
    heard.fail = True
    with pytest.raises(RuntimeError):
        await following.catch_up()
    heard.fail = False
    await following.catch_up()
    assert heard.events == ["một"]


async def test_two_processes_apply_each_event_once(desk: Desk, heard: Heard, following: Follower) -> None:
    await following.catch_up()
    for number in range(5):
        await desk.post(str(number), key=f"n{number}")
    await desk.sequence()
    twins = [following, follower(desk, heard), follower(desk, heard)]
    await asyncio.gather(*(twin.catch_up() for twin in twins))
    assert heard.events == ["0", "1", "2", "3", "4"]


async def test_a_rewound_log_makes_it_list_again(desk: Desk, heard: Heard, following: Follower) -> None:
    await following.catch_up()
    async with desk.database.write() as db:
        await db.execute(text("UPDATE feed_head SET epoch = epoch + 1"))
    await desk.post("sau", key="1")
    await desk.sequence()
    await following.catch_up()
    assert heard.listed == list(range(1, 1501))
    assert heard.forgotten == 2
    await desk.post("tiếp", key="2")
    await desk.sequence()
    await following.catch_up()
    assert heard.events == ["tiếp"]


async def test_an_expired_cursor_makes_it_list_again(
    desk: Desk, heard: Heard, following: Follower, admin_url: str
) -> None:
    """It was dead for longer than the log is kept."""
    await following.catch_up()
    for number in range(3):
        await desk.post(str(number), key=f"n{number}")
    await desk.sequence()
    owner = await asyncpg.connect(database_url(admin_url, str(desk.database.url.database)))
    await owner.execute("DELETE FROM plans.event_log WHERE pos < 3")
    await owner.close()
    await following.catch_up()
    assert (heard.listed, heard.forgotten) == (list(range(1, 1501)), 2)
    await desk.post("tiếp", key="2")
    await desk.sequence()
    await following.catch_up()
    assert heard.events == ["tiếp"]


async def test_it_waits_for_a_write_named_by_its_token(desk: Desk, heard: Heard, following: Follower) -> None:
    await following.catch_up()
    token = (await desk.post("một", key="1")).json()["write_token"]
    pulling = asyncio.create_task(following.catch_up(min_version=token))
    await asyncio.sleep(0.05)
    assert heard.events == []
    await desk.sequence()
    await asyncio.wait_for(pulling, 5)
    assert heard.events == ["một"]


async def test_a_source_that_is_away_is_said_so(desk: Desk, heard: Heard) -> None:
    lone = follower(desk, heard)
    lone._peers = Peers(desk.house.settings)
    with pytest.raises(Unavailable) as caught:
        await lone.catch_up()
    assert caught.value.rule.code == "source_unavailable"


async def cursor(desk: Desk) -> str | None:
    async with desk.whole.database("budget").read() as db:
        found: str | None = await db.scalar(text("SELECT cursor FROM follower"))
        return found


async def test_a_list_that_breaks_off_leaves_nothing(desk: Desk, heard: Heard, following: Follower) -> None:
    heard.fail = True
    with pytest.raises(RuntimeError):
        await following.catch_up()
    assert len(heard.listed) == 1000
    assert await cursor(desk) is None
    heard.fail = False
    await following.catch_up()
    assert len(heard.listed) == 1500


async def test_of_two_processes_one_lists_again(desk: Desk, heard: Heard, following: Follower) -> None:
    await asyncio.gather(following.catch_up(), follower(desk, heard).catch_up())
    async with desk.database.write() as db:
        await db.execute(text("UPDATE feed_head SET epoch = epoch + 1"))
    await asyncio.gather(following.catch_up(), follower(desk, heard).catch_up())
    assert (heard.forgotten, len(heard.listed)) == (2, 1500)


async def test_those_who_catch_up_at_once_share_the_pulls(desk: Desk, heard: Heard, following: Follower) -> None:
    await following.catch_up()
    asked: list[str] = []

    async def note(request: Any) -> None:
        asked.append(request.url.path)

    desk.house.peers.client("plans").event_hooks = {"request": [note]}
    await asyncio.gather(*(following.catch_up() for _ in range(32)))
    assert asked == ["/v1/plans/changes"]


async def test_who_asks_while_work_runs_gets_a_run_of_its_own() -> None:
    began: list[int] = []
    gates = [asyncio.Event() for _ in range(3)]

    async def work() -> None:
        turn = len(began)
        began.append(turn)
        await gates[turn].wait()
        if turn == 1:
            raise OSError("away")

    one = OneAtATime(work)
    first = asyncio.create_task(one())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    sharing = [asyncio.create_task(one()) for _ in range(3)]
    await asyncio.sleep(0)
    sharing[0].cancel()
    gates[0].set()
    await first
    gates[1].set()
    ended = await asyncio.gather(*sharing, return_exceptions=True)
    assert [type(each) for each in ended] == [asyncio.CancelledError, OSError, OSError]
    gates[2].set()
    await one()
    assert began == [0, 1, 2]


@pytest.mark.parametrize("scopes", ["plans:read", ""])
async def test_a_source_that_does_not_let_us_in_is_unavailable_and_an_error(
    desk: Desk, heard: Heard, scopes: str
) -> None:
    with capture_logs() as logs, pytest.raises(Unavailable) as caught:
        await follower(desk, heard, scopes=scopes).catch_up()
    assert (caught.value.rule.code, caught.value.headers) == ("source_unavailable", {"Retry-After": "1"})
    told = {"source": "plans", "status": 403, "code": "scope_missing", "event": "source_lets_nobody_in"}
    assert logs == [{**told, "log_level": "error"}]


async def test_a_forged_token_is_the_same(desk: Desk, heard: Heard) -> None:
    lone = follower(desk, heard)
    lone._token = lambda: "forged"
    with capture_logs() as logs, pytest.raises(Unavailable):
        await lone.catch_up()
    assert [(each["status"], each["log_level"]) for each in logs] == [(401, "error")]


class Source:
    """Another service, of which only its replies are known."""

    def __init__(self, **replies: tuple[int, Any]) -> None:
        self.replies = replies

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        name = Request(scope).url.path.rpartition("/")[2]
        status, body = self.replies[name]
        headers = {"Changes-Cursor": "c1"}
        content = body if isinstance(body, str) else json.dumps(body)
        await Response(content, status, headers)(scope, receive, send)


@pytest.fixture
def told(desk: Desk, heard: Heard) -> Callable[..., Follower]:
    """A follower of a source that replies what the test says."""

    def tell(**replies: tuple[int, Any]) -> Follower:
        desk.house.peers.attach("plans", Source(**replies))
        return follower(desk, heard)

    return tell


NUMBERS = (200, {"items": [{"n": 1}], "next": None})


@pytest.mark.parametrize("reply", [(500, "<html>"), (502, "[]"), (503, {"code": "not_ready"}), (404, {"code": 7})])
async def test_a_source_that_answers_otherwise_is_unavailable(told: Any, reply: Any) -> None:
    for replies in ({"numbers": reply}, {"numbers": NUMBERS, "changes": reply}):
        with capture_logs() as logs, pytest.raises(Unavailable):
            await told(**replies).catch_up()
        assert "error" not in [each["log_level"] for each in logs]


async def test_numbers_are_heard_as_the_decimals_they_were(told: Any, heard: Heard) -> None:
    event = '{"type": "t", "data": {"text": 0.1000000000000000055511151231257827}}'
    page = f'{{"items": [{event}], "next": "c2", "head": "c2"}}'
    await told(numbers=(200, '{"items": [{"n": 12345678901234567.1}], "next": null}'), changes=(200, page)).catch_up()
    assert heard.listed == [Decimal("12345678901234567.1")]
    assert heard.events == [Decimal("0.1000000000000000055511151231257827")]


async def test_what_the_source_says_of_a_write_token_is_passed_on(desk: Desk, heard: Heard, told: Any) -> None:
    await follower(desk, heard).catch_up()
    token = (await desk.post("một", key="1")).json()["write_token"]
    assert read_token(token)[0] == "plans"
    for status, code, kind in ((410, "write_lost", Gone), (422, "write_token_invalid", Refused)):
        with pytest.raises(kind) as caught:
            await told(changes=(status, {"code": code})).catch_up(min_version=token)
        assert caught.value.rule.code == code
