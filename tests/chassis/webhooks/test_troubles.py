"""Receivers that are slow, full, gone or down; none of them slows another, and none loses an event."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from chassis.webhooks.running import READ_AHEAD
from tests.chassis.webhooks.conftest import Desk
from tests.chassis.webhooks.receiver import Heard, status

Made = dict[str, Any]
DAY = 86_400


async def test_410_pauses_and_resuming_goes_on_where_it_stopped(desk: Desk, webhook: Made) -> None:
    await desk.write("a")
    await desk.step()
    desk.receiver.answer = status(410)
    await desk.write("b", "b")
    await desk.step()
    found = await desk.get(webhook)
    assert (found["state"], found["paused_because"], desk.receiver.subjects) == ("paused", "gone", ["a", "b"])

    desk.receiver.get_well()
    await desk.write("d")
    await desk.step()
    assert desk.receiver.subjects == ["a", "b"]
    assert (await desk.call("POST", f"/{webhook['id']}/resume")).json()["state"] == "active"
    await desk.step()
    assert sorted(desk.receiver.subjects[2:]) == ["b", "b", "d"]
    assert len(desk.receiver.challenges) == 1


@pytest.mark.parametrize("code", [429, 503])
async def test_retry_after_leaves_the_whole_receiver_alone(desk: Desk, webhook: Made, code: int) -> None:
    desk.receiver.answer = status(code, **{"Retry-After": "60"})
    await desk.write("a", "b")
    await desk.step()
    desk.receiver.get_well()
    desk.ahead += 55
    await desk.step()
    assert desk.receiver.subjects == ["a"]
    desk.ahead += 6
    await desk.step()
    assert sorted(desk.receiver.subjects) == ["a", "a", "b"]


async def test_a_receiver_that_is_down_is_left_alone_and_costs_a_row_per_key_it_failed(
    desk: Desk, webhook: Made
) -> None:
    desk.receiver.answer = status(500)
    await desk.write(*(f"k{number % 40}" for number in range(400)))
    await desk.step()
    assert len(desk.receiver.requests) == 5
    await desk.step()
    assert len(desk.receiver.requests) == 5
    assert await desk.rows("SELECT count(*), max(attempts) FROM webhook_held") == [(5, 1)]

    tries = 5
    for pause in (5, 10, 20, 40, 80, 160, 300, 300):
        desk.ahead += pause * 1.1
        await desk.step()
        tries += 1
        assert len(desk.receiver.requests) == tries
    ((rows,),) = await desk.rows("SELECT count(*) FROM webhook_held")
    assert rows <= tries

    desk.receiver.get_well()
    desk.ahead += 331
    await desk.step()
    delivered = [h.event["sequence"] for h in desk.receiver.requests[tries:]]
    assert len(set(delivered)) == len(delivered) == 400
    assert await desk.rows("SELECT count(*) FROM webhook_held") == [(0,)]
    assert (await desk.get(webhook))["behind_events"] == 0


async def test_of_what_waits_for_a_slow_receiver_little_is_held(desk: Desk, webhook: Made) -> None:
    (sender,) = desk.senders
    await desk.write(*(f"k{number}" for number in range(200)))
    await sender.look()
    await sender.plan()
    (run,) = sender.runs.values()
    assert (run.health.limit, run.in_flight, run._queued) == (1, 1, READ_AHEAD - 1)
    await desk.step()
    assert len(desk.receiver.subjects) == 200


async def test_a_receiver_gets_more_at_once_the_longer_it_bears_up(desk: Desk) -> None:
    sender = desk.sender(webhook_in_flight=6)
    await desk.subscribe()
    await desk.step(sender)
    at_once, most = 0, []

    async def slow(_heard: Heard) -> web.Response:
        nonlocal at_once
        at_once += 1
        most.append(at_once)
        for _ in range(20):
            await asyncio.sleep(0)
        at_once -= 1
        return web.Response()

    desk.receiver.answer = slow
    await desk.write(*(f"k{number}" for number in range(300)))
    await desk.step(sender)
    assert most[:1] == [1]
    assert max(most[:10]) < 6
    assert max(most) == 6


async def test_days_of_nothing_but_failures_pause_and_one_success_forgives(desk: Desk, webhook: Made) -> None:
    desk.receiver.answer = status(500)
    await desk.write("a")
    await desk.step()
    assert (await desk.get(webhook))["failing_since"] is not None

    await desk.execute(f"UPDATE webhook SET failing_since = clock_timestamp() - interval '{5 * DAY - 60} seconds'")
    desk.ahead += 6
    await desk.step()
    assert (await desk.get(webhook))["state"] == "active"

    await desk.execute(f"UPDATE webhook SET failing_since = clock_timestamp() - interval '{5 * DAY + 60} seconds'")
    desk.receiver.get_well()
    await desk.write("b")
    await desk.step()
    assert (await desk.get(webhook))["failing_since"] is None

    desk.receiver.answer = status(500)
    desk.ahead += 331
    await desk.step()
    await desk.execute(f"UPDATE webhook SET failing_since = clock_timestamp() - interval '{5 * DAY + 60} seconds'")
    desk.ahead += 2000
    await desk.step()
    found = await desk.get(webhook)
    assert (found["state"], found["paused_because"], found["held_keys"]) == ("paused", "failing", 1)
    await desk.call("POST", f"/{webhook['id']}/resume")
    desk.receiver.get_well()
    await desk.step()
    assert desk.receiver.subjects[-1] == "a"
    assert (await desk.get(webhook))["held_keys"] == 0


async def test_a_receiver_that_hangs_makes_none_other_wait(desk: Desk, webhook: Made) -> None:
    over = asyncio.Event()

    async def hang(heard: Heard) -> web.Response:
        if heard.event["subject"] == "never":
            await over.wait()
        return web.Response()

    desk.receiver.answer = hang
    await desk.subscribe(types=[], province=["01"])
    sender = desk.senders[0]
    await desk.write("never", "never", "never")
    async with desk.running(sender):
        await desk.receiver.until(lambda: "never" in desk.receiver.subjects)
        await desk.write("x", province="01")
        await desk.receiver.until(lambda: desk.receiver.subjects.count("x") == 1)
        over.set()
        await desk.receiver.until(lambda: desk.receiver.subjects.count("x") == 2)


@pytest.mark.parametrize(("first", "heard"), [(3, ["c"]), (4, [])], ids=["its beginning", "all of it"])
async def test_what_the_log_no_longer_holds_is_said_and_passed_over(
    desk: Desk, webhook: Made, first: int, heard: list[str]
) -> None:
    await desk.call("POST", f"/{webhook['id']}/pause")
    await desk.step()
    await desk.write("a", "b", "c")
    await desk.execute("UPDATE webhook_course SET pos = 0")
    await desk.delete_log_before(first)
    await desk.call("POST", f"/{webhook['id']}/resume")
    await desk.step()
    assert desk.receiver.subjects == heard
    (lost,) = await desk.attempts(webhook, outcome="expired")
    assert (lost["sequence"], lost["detail"]) == (f"{1:020d}", f"the log begins at position {first}")
    assert (await desk.get(webhook))["behind_events"] == 0


async def test_what_a_held_key_misses_of_the_log_is_said_too(desk: Desk, webhook: Made) -> None:
    desk.receiver.answer = status(500)
    await desk.write("a")
    await desk.step()
    desk.receiver.get_well()
    await desk.write("b", "a")
    await desk.step()
    await desk.delete_log_before(3)
    await desk.call("POST", f"/{webhook['id']}/resume")
    await desk.step()
    assert desk.receiver.subjects == ["a", "b", "a"]
    (lost,) = await desk.attempts(webhook, outcome="expired")
    assert (lost["sequence"], lost["subject"]) == (f"{1:020d}", "a")


async def test_an_address_that_is_not_reached_is_an_outcome_like_others(desk: Desk, webhook: Made) -> None:
    sender = desk.sender(webhook_allowed_networks=[])
    await desk.execute("UPDATE webhook SET lease_until = NULL")
    await desk.write("a")
    await desk.step(sender)
    (attempt, _) = await desk.attempts(webhook)
    assert (attempt["outcome"], attempt["detail"]) == ("forbidden", "the address is not reached from here")
    assert desk.receiver.requests == []
