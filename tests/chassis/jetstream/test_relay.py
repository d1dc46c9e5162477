"""The stream is the log: in its order, each event once, however many relays run."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis.jetstream import log_end
from chassis.jetstream.connection import NatsTrouble, connected
from chassis.jetstream.log_end import leased
from chassis.jetstream.measures import ERRORS, MISSING
from chassis.jetstream.place import find_place
from chassis.jetstream.publishing import Message, Refused, publish
from chassis.jetstream.relay import Relay
from chassis.jetstream.streams import prepare, wanted
from chassis.jetstream.subjects import stream_of
from tests.chassis.jetstream.conftest import Copied
from tests.conftest import TEMPLATE
from tests.house import open_house
from tests.nats import Nats, free_ports

STREAM = stream_of("plans")


async def test_a_message_alone_and_batches_of_every_size_become_the_log(copied: Copied) -> None:
    async with copied.relaying():
        for count in (1, 1, 2, 901):
            await copied.write(count)
            await copied.equal()
    assert await copied.ids() == await copied.expected()
    assert [one.seq for one in await copied.stream()] == list(range(1, 906))


async def test_a_message_is_the_event_as_the_feed_tells_it(copied: Copied) -> None:
    await copied.write(data={"n": 1, "name": "Đại Phước"})
    await copied.write(data={"long": "á" * 20_000}, is_public=False)
    await copied.write(province=None, commune=None)
    async with copied.relaying():
        await copied.equal()
    page = (await copied.whole.client.get("/v1/plans/changes", headers=copied.whole.admin)).json()
    sent = await copied.stream()
    assert [one.event for one in sent] == page["items"]
    assert [one.subject for one in sent] == [
        "ev.75.plans.note.26491.written.v1",
        "ev-restricted.75.plans.note.26491.written.v1",
        "ev._.plans.note._.written.v1",
    ]


async def test_relays_without_a_lease_do_each_other_no_harm(copied: Copied, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_end, "_LEASE", text("SELECT true"))
    async with copied.relaying(4):
        for count in (1, 30, 1, 300, 1, 500):
            await copied.write(count)
        await copied.equal()
    assert await copied.ids() == await copied.expected()


async def test_while_one_relay_works_another_stands_by_and_then_takes_over(
    copied: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_end, "STAND_BY_SECONDS", 0.01)
    stands_by = asyncio.Event()
    monkeypatch.setattr(Relay, "_stand_by", lambda _relay: stands_by.set())
    await copied.write(3)
    async with AsyncExitStack() as stack:
        async with leased(copied.house.database, copied.house.settings, stands_by.set) as check:
            assert not stands_by.is_set()
            await stack.enter_async_context(copied.relaying())
            await stands_by.wait()
            await check()
            assert await copied.ids() == []
        await copied.equal()
    assert await copied.ids() == await copied.expected()


async def test_a_lost_lease_is_noticed(copied: Copied) -> None:
    async with leased(copied.house.database, copied.house.settings, lambda: None) as check:
        await copied.change_log(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        with pytest.raises(DBAPIError):
            await check()


async def test_who_stands_still_loses_the_lease_to_another(copied: Copied, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_end, "LEASE_SECONDS", 1)
    monkeypatch.setattr(log_end, "STAND_BY_SECONDS", 0.01)
    told = copied.house.database, copied.house.settings
    stood_by: list[bool] = []
    async with leased(*told, lambda: None) as check:
        async with asyncio.timeout(20), leased(*told, lambda: stood_by.append(True)) as check_other:
            await check_other()
        assert stood_by
        with pytest.raises(DBAPIError):
            await check()


async def test_what_is_published_twice_is_refused(copied: Copied) -> None:
    await copied.write(3)
    messages = [
        Message(pos, f"1:{pos}", "ev._.plans.note._.written.v1", f'{{"id":"{event_id}"}}'.encode())
        for pos, event_id in await copied.log()
    ]
    async with connected(copied.house.settings, "test") as client:
        start = await find_place(client.jetstream(), copied.house.database)
        assert await publish(client, start, messages[:1]) == start.after(1, 1)
        with pytest.raises(Refused, match="wrong last sequence"):
            await publish(client, start, messages[:1])
        with pytest.raises(Refused, match="duplicate"):
            await publish(client, start, messages)
        late = start.after(2, 1)
        with pytest.raises(Refused, match="wrong last"):
            await publish(client, late, messages[2:])
        assert await publish(client, start.after(1, 1), messages[1:]) == start.after(3, 3)
    assert await copied.ids() == await copied.expected()


async def test_a_stream_that_is_missing_is_waited_for(copied: Copied) -> None:
    await copied.write(5)
    async with connected(copied.house.settings, "test") as client:
        js = client.jetstream()
        await js.delete_stream(STREAM)
        async with copied.relaying():
            with pytest.raises(NatsTrouble, match="There is no stream chitieu-plans"):
                await find_place(js, copied.house.database)
            await prepare(js, "plans", None)
            await copied.equal()
    assert await copied.ids() == await copied.expected()


async def test_a_stream_made_anew_under_an_idle_relay_is_filled(
    copied: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.jetstream.relay.IDLE_SECONDS", 0.05)
    await copied.write(5)
    async with copied.relaying(), connected(copied.house.settings, "test") as client:
        await copied.equal()
        js = client.jetstream()
        await js.delete_stream(STREAM)
        await prepare(js, "plans", None)
        await copied.equal()
    assert await copied.ids() == await copied.expected()


async def test_the_copy_of_another_log_is_left_alone(copied: Copied) -> None:
    await copied.write(5)
    async with copied.relaying():
        await copied.equal()
    before = await copied.ids()
    async with connected(copied.house.settings, "test") as client:
        await copied.change_log("UPDATE event_log SET event_id = uuidv7()")
        with pytest.raises(NatsTrouble, match="at position 5 it has another event than the log"):
            await find_place(client.jetstream(), copied.house.database)
        await copied.change_log("UPDATE feed_head SET pos = 3")
        with pytest.raises(NatsTrouble, match="it goes to position 5, the log to 3"):
            await find_place(client.jetstream(), copied.house.database)
    assert await copied.ids() == before


async def test_after_a_restore_the_stream_goes_on_in_the_new_epoch(copied: Copied) -> None:
    await copied.write(20)
    async with copied.relaying():
        await copied.equal()
    before = await copied.ids()
    await copied.restore(to=13)
    await copied.write(4)
    async with copied.relaying():
        await copied.equal(epoch=2)
    assert await copied.ids() == before + await copied.expected(epoch=2, after=13)


async def test_after_a_restore_that_lost_nothing_nothing_is_said_twice(copied: Copied) -> None:
    await copied.write(5)
    async with copied.relaying():
        await copied.equal()
    before = await copied.ids()
    await copied.restore(to=5)
    await copied.write(1)
    async with copied.relaying():
        await copied.equal(epoch=2)
    assert await copied.ids() == before + await copied.expected(epoch=2, after=5)


async def test_a_log_restored_to_before_the_stream_began_is_told_wholly(copied: Copied) -> None:
    await copied.write(3)
    await copied.change_log("DELETE FROM event_log WHERE pos < 3")
    async with copied.relaying():
        await copied.equal()
    await copied.restore(to=2)
    await copied.write(2)
    async with copied.relaying():
        await copied.equal(epoch=2)
    assert [message_id for message_id, _ in await copied.ids()] == ["1:3", "2:3", "2:4"]


async def test_events_the_log_no_longer_keeps_are_left_out_and_said(copied: Copied) -> None:
    await copied.write(4)
    async with copied.relaying():
        await copied.equal()
    await copied.write(6)
    await copied.change_log("DELETE FROM event_log WHERE pos <= 8")
    missing = MISSING.labels("plans")._value
    before = missing.get()
    async with copied.relaying():
        await copied.equal()
    assert missing.get() - before == 4
    assert [message_id for message_id, _ in await copied.ids()] == ["1:1", "1:2", "1:3", "1:4", "1:9", "1:10"]


async def test_a_stream_whose_last_message_grew_too_old_goes_on(copied: Copied) -> None:
    await copied.write(3)
    await copied.change_log("DELETE FROM event_log WHERE pos < 2")
    async with connected(copied.house.settings, "test") as client:
        js = client.jetstream()
        async with copied.relaying():
            await copied.equal()
        await js.update_stream(replace(wanted("plans", 1), max_age=0.1, duplicate_window=0.1))
        while (await js.stream_info(STREAM)).state.messages:  # the server's own timer ends this
            pass
        await js.update_stream(wanted("plans", 1))
    copied.server.restart()
    await copied.write(2)
    async with copied.relaying():
        await copied.equal()
    assert [(one.seq, one.message_id) for one in await copied.stream()] == [(3, "1:4"), (4, "1:5")]


async def test_a_house_works_as_well_while_nats_is_away(admin_url: str, signing_key: OKPKey) -> None:
    nobody = f"nats://127.0.0.1:{free_ports(1)[0]}"
    errors = ERRORS.labels("plans")._value
    before = errors.get()
    async with open_house(admin_url, signing_key, template=TEMPLATE, nats_url=nobody) as whole:
        service = whole.composition.services["plans"].state.house
        async with asyncio.timeout(20), service.running():
            copied = Copied(whole, service, Nats([]), admin_url)
            while errors.get() == before:
                await copied.write()
            page = (await whole.client.get("/v1/plans/changes", headers=whole.admin)).json()
            assert [event["sequence"] for event in page["items"]] == [f"{pos:020d}" for pos, _ in await copied.log()]
