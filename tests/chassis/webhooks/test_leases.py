"""One process at a time delivers a webhook, by the database's clock; whoever was too slow changes nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from joserfc.jwk import OctKey

from chassis import webhooks
from chassis.beside import beside
from chassis.webhooks import figures
from tests.chassis.webhooks.conftest import Desk
from tests.chassis.webhooks.receiver import Heard, status

Made = dict[str, Any]
EXPIRE = "UPDATE webhook SET lease_until = clock_timestamp() - interval '1 second'"


async def test_a_webhook_is_in_one_pair_of_hands(desk: Desk, webhook: Made) -> None:
    first, second = desk.senders[0], desk.sender()
    await desk.step(second)
    assert (len(first.runs), len(second.runs)) == (1, 0)
    await desk.write("a")
    await desk.step(second)
    await desk.step(first)
    assert desk.receiver.subjects == ["a"]


async def test_who_comes_back_after_its_lease_records_nothing(desk: Desk, webhook: Made) -> None:
    """The first stands still with a delivery under way; the second delivers and records; then the first wakes."""
    first, second = desk.senders[0], desk.sender()
    await desk.write("a", "b")
    await first.look()
    await first.plan()
    await first.settle()
    before = await desk.rows("SELECT count(*) FROM webhook_attempt")
    await desk.execute(EXPIRE)
    desk.receiver.answer = status(500)
    await desk.step(second)
    recorded = await desk.rows("SELECT key, pos, attempts FROM webhook_held ORDER BY key")
    assert recorded == [("a", 1, 1), ("b", 2, 1)]
    ((lease, cursor),) = await desk.rows(
        "SELECT lease_number, pos FROM webhook w JOIN webhook_course c ON c.webhook_id = w.id"
    )
    await first.record()
    assert (len(first.runs), len(second.runs)) == (0, 1)
    assert await desk.rows("SELECT key, pos, attempts FROM webhook_held ORDER BY key") == recorded
    assert await desk.rows("SELECT lease_number, pos FROM webhook w JOIN webhook_course c ON c.webhook_id = w.id") == [
        (lease, cursor)
    ]
    assert await desk.rows("SELECT count(*) FROM webhook_attempt") == [(before[0][0] + 2,)]
    ids = [heard.webhook_id for heard in desk.receiver.requests]
    assert len(ids) == 4
    assert len(set(ids)) == 2


async def test_a_lease_that_is_over_records_nothing_even_when_nobody_took_it(desk: Desk, webhook: Made) -> None:
    (sender,) = desk.senders
    await desk.write("a")
    await sender.look()
    await sender.plan()
    await sender.settle()
    await desk.execute(EXPIRE)
    await sender.record()
    assert (sender.runs, (await desk.get(webhook))["behind_events"]) == ({}, 1)
    await desk.step()
    assert [heard.webhook_id for heard in desk.receiver.requests] == [desk.receiver.requests[0].webhook_id] * 2
    assert (await desk.get(webhook))["behind_events"] == 0


async def test_nothing_is_begun_after_the_lease(desk: Desk, webhook: Made) -> None:
    (sender,) = desk.senders
    await desk.write("a")
    desk.ahead += desk.house.settings.webhook_lease_seconds + 1
    await sender.plan()
    assert not sender.is_sending


async def test_who_stops_in_order_hands_over_at_once_and_finishes_what_is_under_way(desk: Desk, webhook: Made) -> None:
    first, second = desk.senders[0], desk.sender()
    going, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_heard: Heard) -> web.Response:
        going.set()
        await go_on.wait()
        return web.Response()

    desk.receiver.answer = slow
    await desk.write("a")
    async with desk.running(first):
        await going.wait()
        asyncio.get_running_loop().call_soon(go_on.set)
    assert await desk.rows("SELECT lease_until, failures FROM webhook") == [(None, 0)]
    desk.receiver.get_well()
    await desk.write("b")
    await desk.step(second)
    assert desk.receiver.subjects == ["a", "b"]
    assert (await desk.get(webhook))["behind_events"] == 0


async def test_a_secret_that_this_process_cannot_open_is_left_to_another(desk: Desk, webhook: Made) -> None:
    (able,) = desk.senders
    key = desk.house.settings.data_dir / "other.json"
    key.write_text(json.dumps(OctKey.generate_key(256).as_dict(private=True)))
    unable = desk.sender(webhook_key_file=key)
    await desk.execute("UPDATE webhook SET lease_until = NULL")
    await desk.step(unable)
    assert unable.runs == {}
    await desk.write("a")
    await desk.step(able)
    assert desk.receiver.subjects == ["a"]


async def test_a_lost_database_is_waited_for(desk: Desk, webhook: Made) -> None:
    async with desk.running(desk.senders[0]):
        for subject in ("a", "b", "c"):
            await desk.kill_backends()
            await desk.write(subject)
            await desk.receiver.until(lambda subject=subject: subject in desk.receiver.subjects)  # type: ignore[misc]
    assert list(dict.fromkeys(desk.receiver.subjects)) == ["a", "b", "c"]


async def test_the_house_delivers_by_itself(desk: Desk) -> None:
    """As in a process: the API and the sequencer wake the sender, which never looks by itself, and end is in order."""
    desk.house.settings = desk.house.settings.model_copy(update={"webhook_poll_seconds": 30})
    assert desk.house.sequencer
    async with asyncio.timeout(30), beside(webhooks.run(desk.house), desk.house.sequencer.run()):
        await desk.subscribe()
        await desk.receiver.until(lambda: len(desk.receiver.challenges) == 1)
        await desk.write("a")
        await desk.receiver.until_heard(1)
    assert await desk.rows("SELECT lease_until FROM webhook") == [(None,)]


async def test_old_attempts_and_secrets_are_forgotten(desk: Desk, webhook: Made) -> None:
    await desk.write("a", "b")
    await desk.step()
    await desk.call("POST", f"/{webhook['id']}/rotate")
    await desk.execute("UPDATE webhook SET old_secret_until = clock_timestamp() - interval '1 second'")
    await desk.execute("UPDATE webhook_attempt SET at = at - interval '31 days' WHERE subject <> 'b'")
    desk.ahead += 700
    await desk.step()
    assert [attempt["subject"] for attempt in await desk.attempts(webhook)] == ["b"]
    assert await desk.rows("SELECT old_secret, old_secret_until FROM webhook") == [(None, None)]


async def test_an_operator_sees_counts_and_lags(desk: Desk, webhook: Made) -> None:
    desk.receiver.answer = status(500)
    await desk.write("a")
    await desk.step()
    await desk.write("b", "b")
    desk.ahead += 6
    await desk.step()
    told = (await desk.client.get("/metrics")).text
    assert 'chitieu_webhook_deliveries_total{result="rejected",service="plans"}' in told
    assert f'chitieu_webhook_behind_events{{service="plans",webhook="{webhook["id"]}"}}' in told
    assert 'chitieu_webhook_held_keys{service="plans"}' in told
    assert 'chitieu_webhooks{service="plans",state="active"} 1.0' in told
    oldest = 'chitieu_webhook_oldest_undelivered_seconds{service="plans"'
    (age,) = [line for line in told.splitlines() if line.startswith(oldest)]
    assert float(age.split()[1]) > 0


async def test_only_so_many_webhooks_are_series_of_their_own(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "MOST_SHOWN", 2)
    for _ in range(4):
        await desk.subscribe()
    await desk.step()
    desk.ahead += 10
    await desk.step()
    told = (await desk.client.get("/metrics")).text
    shown = [line for line in told.splitlines() if line.startswith('chitieu_webhook_behind_events{service="plans"')]
    assert len(shown) == 3
    assert [line.split()[1] for line in shown if 'webhook="others"' in line] == ["0.0"]
