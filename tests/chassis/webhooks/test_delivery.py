"""From the log to the receiver: signed, in order within a subject, at least once, and with a log of its own."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from cloudevents.core.formats.json import JSONFormat

from chassis import outbox
from chassis.outbox import Event
from chassis.webhooks.store import reading
from tests.chassis.conftest import NOTE_TYPE
from tests.chassis.webhooks.conftest import Desk
from tests.chassis.webhooks.receiver import Heard, status

Made = dict[str, Any]


def failing_for(*subjects: str, code: int = 500) -> Any:
    return lambda heard: web.Response(status=code if heard.event["subject"] in subjects else 204)


def outcomes(attempts: list[Made]) -> list[tuple[str, int, str, int | None]]:
    """Oldest first."""
    return [(a["subject"], a["attempt"], a["outcome"], a["status"]) for a in reversed(attempts)]


async def test_nothing_is_sent_before_the_challenge_is_answered(desk: Desk) -> None:
    desk.receiver.answer_challenge = status(200)
    made = await desk.subscribe()
    await desk.write("a")
    await desk.step()
    assert (desk.receiver.requests, (await desk.get(made))["state"]) == ([], "pending")
    (attempt,) = await desk.attempts(made)
    assert (attempt["outcome"], attempt["status"], attempt["sequence"]) == ("unanswered", 200, None)
    assert desk.receiver.challenges[0].verified(made["secret"])["data"]["challenge"]

    desk.receiver.get_well()
    desk.ahead += 6
    await desk.execute("UPDATE webhook SET challenge_due_at = clock_timestamp()")
    await desk.step()
    found = await desk.get(made)
    assert (found["state"], len(desk.receiver.challenges), desk.receiver.subjects) == ("active", 2, ["a"])
    words = {heard.event["data"]["challenge"] for heard in desk.receiver.challenges}
    assert len(words) == 2


async def test_a_challenge_nobody_answers_pauses_the_webhook(desk: Desk) -> None:
    desk.receiver.answer_challenge = status(404)
    made = await desk.subscribe()
    sender = desk.sender(webhook_retry_seconds="0,0")
    await desk.step(sender)
    found = await desk.get(made)
    assert (found["state"], found["paused_because"], len(desk.receiver.challenges)) == ("paused", "unanswered", 3)


async def test_an_event_arrives_as_a_signed_cloud_event_with_its_own_id(desk: Desk, webhook: Made) -> None:
    await desk.write("26491", province="75", commune="26491")
    await desk.step()
    (heard,) = desk.receiver.requests
    event = heard.verified(webhook["secret"])
    assert heard.webhook_id == event["id"]
    ((logged,),) = await desk.rows("SELECT event_id FROM event_log")
    assert event["id"] == str(logged)
    assert (event["subject"], event["type"], event["data"]) == ("26491", NOTE_TYPE, {"n": 1, "version": 1})
    parsed = from_structured_event(HTTPMessage(dict(heard.headers), heard.body), JSONFormat())
    assert (parsed.get_id(), parsed.get_subject()) == (event["id"], "26491")


async def test_a_large_event_arrives_whole(desk: Desk, webhook: Made) -> None:
    async with desk.database.write() as db:
        heads = await outbox.lock(db, ["a"])
        await outbox.append(db, heads, [Event(NOTE_TYPE, "a", {"text": "đ" * 20_000})])
    await desk.write("b")
    await desk.step()
    assert desk.receiver.requests[0].verified(webhook["secret"])["data"]["text"] == "đ" * 20_000


async def test_the_log_of_deliveries_says_what_was_sent_and_answered(desk: Desk, webhook: Made) -> None:
    desk.receiver.answer = lambda _heard: web.Response(status=201, text="Đã nhận")
    await desk.write("a")
    await desk.step()
    (event_id,) = [heard.webhook_id for heard in desk.receiver.requests]
    attempt, challenge = await desk.attempts(webhook)
    assert challenge["type"] == "vn.chitieu.plans.webhook.challenged.v1"
    assert {**attempt, "at": "", "milliseconds": 0} == {
        "event_id": event_id,
        "type": NOTE_TYPE,
        "subject": "a",
        "sequence": f"{1:020d}",
        "attempt": 1,
        "at": "",
        "outcome": "delivered",
        "status": 201,
        "milliseconds": 0,
        "excerpt": "Đã nhận",
        "detail": None,
    }
    assert await desk.attempts(webhook, event_id=event_id) == [attempt]
    assert await desk.attempts(webhook, outcome="rejected,timed_out") == []
    assert await desk.attempts(webhook, outcome="rejected,delivered") == [attempt, challenge]


async def test_a_failure_holds_back_its_subject_and_no_other(desk: Desk, webhook: Made) -> None:
    desk.receiver.answer = failing_for("a")
    await desk.write("a", "b", "a", "c", "b")
    await desk.step()
    assert sorted(desk.receiver.subjects) == ["a", "b", "b", "c"]
    assert await desk.rows("SELECT key, pos, attempts FROM webhook_held") == [("a", 1, 1)]
    found = await desk.get(webhook)
    assert (found["behind_events"], found["held_keys"]) == (0, 1)

    desk.receiver.get_well()
    await desk.write("a", "d")
    desk.ahead += 6
    await desk.step()
    sequences = [int(h.event["sequence"]) for h in desk.receiver.requests if h.event["subject"] == "a"]
    assert sequences == [1, 1, 3, 6]
    first, again = (h for h in desk.receiver.requests if h.event["sequence"] == f"{1:020d}")
    assert first.webhook_id == again.webhook_id
    assert await desk.rows("SELECT count(*) FROM webhook_held") == [(0,)]
    tries = [entry for entry in outcomes(await desk.attempts(webhook)) if entry[0] == "a"]
    assert tries == [("a", 1, "rejected", 500), ("a", 2, "delivered", 204), *[("a", 1, "delivered", 204)] * 2]


async def test_without_order_no_event_waits_for_another(desk: Desk) -> None:
    made = await desk.subscribe(ordering="none")
    failing = {1, 3}
    desk.receiver.answer = lambda heard: web.Response(status=500 if int(heard.event["sequence"]) in failing else 204)
    await desk.write("a", "a", "a", "a")
    await desk.step()
    assert sorted(int(h.event["sequence"]) for h in desk.receiver.requests) == [1, 2, 3, 4]
    assert sorted(await desk.rows("SELECT key, pos FROM webhook_held")) == [("1", 1), ("3", 3)]
    failing.clear()
    desk.ahead += 6
    await desk.step()
    assert sorted(int(h.event["sequence"]) for h in desk.receiver.requests) == [1, 1, 2, 3, 3, 4]
    assert ((await desk.get(made))["held_keys"], await desk.rows("SELECT count(*) FROM webhook_held")) == (0, [(0,)])


async def test_a_receiver_that_fails_after_it_took_an_event_in_gets_the_same_id_again(
    desk: Desk, webhook: Made
) -> None:
    taken: list[str] = []

    def late(heard: Heard) -> web.Response:
        taken.append(heard.webhook_id)
        return web.Response(status=500 if len(taken) == 1 else 204)

    desk.receiver.answer = late
    await desk.write("a")
    await desk.step()
    desk.ahead += 6
    await desk.step()
    assert len(taken) == 2
    assert len(set(taken)) == 1


async def test_filters_and_ids_are_those_of_the_feed(desk: Desk) -> None:
    made = await desk.subscribe(province=["75"], types=[NOTE_TYPE])
    await desk.write("a", province="37", commune="14161")
    await desk.write("b", province="75", commune="26491")
    await desk.write("c")
    await desk.step()
    assert desk.receiver.subjects == ["b"]
    await desk.write("d")
    await desk.step()
    assert (await desk.get(made))["behind_events"] == 1  # that it passed one nobody waits for is not worth a write
    desk.ahead += 20
    await desk.step()
    assert (await desk.get(made))["behind_events"] == 0


async def test_a_webhook_hears_what_its_owner_may_hear(desk: Desk) -> None:
    for client, units, scopes in (
        ("commune", ["26491"], "webhooks:write changes:read"),
        ("province", ["75"], "webhooks:write changes:read"),
        ("other", ["37"], "webhooks:write changes:read"),
        ("anybody", ["75"], "webhooks:write"),
    ):
        headers = desk.headers(units, scopes, client)
        await desk.subscribe(url=f"{desk.receiver.url}/{client}", headers=headers)
    await desk.write("a", province="75", commune="26491", is_public=False)
    await desk.write("b", province="75", commune="25378", is_public=False)
    await desk.write("c", province="75", commune="25378")
    await desk.step()
    heard: dict[str, list[str]] = {}
    for client_id, excerpt in await desk.rows(
        "SELECT w.client_id, a.subject FROM webhook_attempt a JOIN webhook w ON w.id = a.webhook_id"
        " WHERE a.pos IS NOT NULL ORDER BY a.pos"
    ):
        heard.setdefault(client_id, []).append(excerpt)
    assert heard == {"commune": ["a", "c"], "province": ["a", "b", "c"], "other": ["c"], "anybody": ["c"]}


async def test_a_cursor_says_where_to_begin(desk: Desk) -> None:
    await desk.write("a", "b", "c")
    page = (await desk.client.get("/v1/plans/changes", params={"limit": 1})).json()
    await desk.subscribe(after=page["next"])
    await desk.step()
    assert desk.receiver.subjects == ["b", "c"]


async def test_a_webhook_made_without_a_cursor_hears_what_comes(desk: Desk, webhook: Made) -> None:
    await desk.write("new")
    await desk.step()
    assert desk.receiver.subjects == ["new"]


async def test_a_narrow_filter_passes_a_long_log_quickly(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SCAN_WINDOW", 10)
    await desk.subscribe(province=["75"])
    for _ in range(5):
        await desk.write(*(f"k{number}" for number in range(10)), province="37")
    await desk.write("a", province="75")
    sender = desk.sender(webhook_poll_seconds=30)
    async with desk.running(sender):
        await desk.receiver.until_heard(1)
    assert desk.receiver.subjects == ["a"]
