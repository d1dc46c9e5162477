"""Following: list, then follow; exactly once; again after a rewound log; one process or several."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text

from chassis.database import Session
from chassis.errors import Unavailable
from chassis.peers import Peers
from chassis.replica import Follower, ListSource, Subscription
from tests.chassis.conftest import NOTE_TYPE, Desk


@dataclass
class Heard:
    listed: list[int] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    fail: bool = False

    async def list(self, _db: Session, items: list[dict[str, Any]]) -> None:
        self.listed += [item["n"] for item in items]

    async def apply(self, _db: Session, events: list[dict[str, Any]]) -> None:
        if self.fail:
            raise RuntimeError("no room")
        self.events += [event["data"]["text"] for event in events]


def follower(desk: Desk, heard: Heard, *, wait: float = 0) -> Follower:
    subscription = Subscription(
        "plans", (ListSource("/v1/plans/numbers?upto=1500", heard.list),), (NOTE_TYPE,), heard.apply
    )
    token = desk.whole.headers("plans:read changes:read")["Authorization"].removeprefix("Bearer ")
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
    with pytest.raises((RuntimeError, Unavailable)):
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
    assert heard.listed == list(range(1, 1501)) * 2
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
