"""A part of the log is sent again on demand: the same ids, never out of turn, from moments or cursors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.feed import encode_position
from chassis.webhooks.store import subscriptions
from tests.chassis.webhooks.conftest import Desk
from tests.chassis.webhooks.receiver import status

Made = dict[str, Any]


async def test_a_part_of_the_log_is_sent_again_with_the_same_ids(desk: Desk, webhook: Made) -> None:
    await desk.write("a", "b", "a", "c")
    await desk.step()
    ids = {heard.event["sequence"]: heard.webhook_id for heard in desk.receiver.requests}
    ((second, fourth),) = await desk.rows(
        "SELECT min(logged_at) FILTER (WHERE pos = 2), max(logged_at) FILTER (WHERE pos = 4) FROM event_log"
    )
    for given in (
        {"from": second.isoformat(), "to": fourth.isoformat()},
        {"from": encode_position("1.1"), "to": encode_position("1.3")},
    ):
        desk.receiver.requests.clear()
        response = await desk.call("POST", f"/{webhook['id']}/replay", json=given)
        expected = {"after": encode_position("1.1"), "upto": encode_position("1.3"), "positions": 2}
        assert (response.status_code, response.json()) == (202, expected)
        assert (await desk.get(webhook))["replays"] == 1
        await desk.step()
        assert {heard.event["sequence"]: heard.webhook_id for heard in desk.receiver.requests} == {
            f"{pos:020d}": ids[f"{pos:020d}"] for pos in (2, 3)
        }
        assert (await desk.get(webhook))["replays"] == 0


async def test_a_replay_never_overtakes_what_was_not_delivered_yet(desk: Desk, webhook: Made) -> None:
    desk.receiver.answer = status(500)
    await desk.write("a", "a")
    await desk.step()
    desk.receiver.get_well()
    await desk.call("POST", f"/{webhook['id']}/replay", json={"from": encode_position("1.0")})
    await desk.step()
    assert [int(heard.event["sequence"]) for heard in desk.receiver.requests] == [1]
    desk.ahead += 6
    await desk.step()
    assert [int(heard.event["sequence"]) for heard in desk.receiver.requests] == [1, 1, 2]


async def test_a_replay_needs_two_places_with_something_between(desk: Desk, webhook: Made) -> None:
    await desk.write("a")
    await desk.step()
    for given, status_code, code in (
        ({"from": "2026-01-01"}, 422, "webhook_moment_invalid"),
        ({"from": "nonsense"}, 422, "feed_cursor_invalid"),
        ({"from": encode_position("9.1")}, 410, "feed_rewound"),
        ({"from": "2100-01-01T00:00:00Z"}, 422, "webhook_replay_empty"),
        ({"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}, 422, "webhook_replay_empty"),
        ({}, 422, "body_invalid"),
    ):
        response = await desk.call("POST", f"/{webhook['id']}/replay", json=given)
        assert (response.status_code, response.json()["code"]) == (status_code, code)


async def test_only_so_many_replays_run_at_once(desk: Desk, webhook: Made) -> None:
    await desk.write("a")
    await desk.step()
    given = {"from": encode_position("1.0")}
    codes = [(await desk.call("POST", f"/{webhook['id']}/replay", json=given)).status_code for _ in range(4)]
    assert codes == [202, 202, 202, 409]


async def test_the_place_of_a_moment_is_found_by_halving(desk: Desk) -> None:
    await desk.write(*(f"k{n}" for n in range(20)))
    moments = await desk.rows("SELECT pos, logged_at FROM event_log ORDER BY pos")
    async with desk.database.read() as db:
        for _, moment in moments:
            before = max((p for p, at in moments if at < moment), default=0)
            assert await subscriptions.position_at(db, moment) == before
        assert await subscriptions.position_at(db, datetime(2100, 1, 1, tzinfo=UTC)) == 20
        assert await subscriptions.position_at(db, datetime(2000, 1, 1, tzinfo=UTC)) == 0


async def test_the_place_of_a_moment_is_found_while_the_beginning_leaves(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.write(*(f"k{n}" for n in range(20)))
    ((moment,),) = await desk.rows("SELECT logged_at FROM event_log WHERE pos = 18")
    await desk.delete_log_before(15)

    async def as_it_was(_db: Any) -> int:
        return 1

    monkeypatch.setattr(subscriptions, "first_position", as_it_was)
    async with desk.database.read() as db:
        assert await subscriptions.position_at(db, moment) == 17
        assert await subscriptions.position_at(db, datetime(2000, 1, 1, tzinfo=UTC)) == 14
