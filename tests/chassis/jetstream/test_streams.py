"""Streams are made once, as they should be; what is otherwise is said and kept."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from nats.js import JetStreamContext
from nats.js.api import StorageType
from nats.js.errors import APIError, NotFoundError
from pydantic import SecretStr

from chassis.jetstream.connection import NatsTrouble, connected
from chassis.jetstream.streams import Outcome, Prepared, differences, prepare, update, wanted
from chassis.settings import Settings
from tests.nats import Nats

STREAM = "chitieu-budget"


@pytest.fixture
async def js(server: Nats) -> AsyncIterator[JetStreamContext]:
    async with connected(Settings(nats_url=SecretStr(server.url)), "test") as client:
        context = client.jetstream()
        with contextlib.suppress(NotFoundError):
            await context.delete_stream(STREAM)
        yield context


async def test_a_stream_is_made_once(js: JetStreamContext) -> None:
    assert await prepare(js, "budget", None) == Prepared(STREAM, Outcome.MADE, 1)
    assert await prepare(js, "budget", None) == Prepared(STREAM, Outcome.UNCHANGED, 1)
    assert await update(js, "budget", None) == Prepared(STREAM, Outcome.UNCHANGED, 1)
    made = (await js.stream_info(STREAM)).config
    assert (made.subjects, made.storage, made.max_age) == (
        ["ev.*.budget.>", "ev-restricted.*.budget.>"],
        StorageType.FILE,
        30 * 24 * 3600,
    )
    assert (made.deny_delete, made.deny_purge, made.duplicate_window, made.allow_atomic) == (True, True, 120, True)


async def test_nobody_deletes_a_message_of_it(js: JetStreamContext) -> None:
    await prepare(js, "budget", None)
    await js.publish("ev.75.budget.lines._.applied.v1", b"{}")
    with pytest.raises(APIError, match="delete not permitted"):
        await js.delete_msg(STREAM, 1)
    with pytest.raises(APIError, match="purge not permitted"):
        await js.purge_stream(STREAM)
    assert (await js.stream_info(STREAM)).state.messages == 1


async def test_what_differs_is_said_and_stays_until_it_is_updated(js: JetStreamContext) -> None:
    await js.add_stream(replace(wanted("budget", 1), max_age=3600, subjects=["ev.*.budget.>"], deny_purge=False))
    told = (
        "subjects is ['ev.*.budget.>'], should be ['ev-restricted.*.budget.>', 'ev.*.budget.>']",
        "max_age is 3600, should be 2592000",
        "deny_purge is None, should be True",
    )
    assert await prepare(js, "budget", None) == Prepared(STREAM, Outcome.DIFFERENT, 1, told)
    assert (await js.stream_info(STREAM)).config.max_age == 3600
    assert await update(js, "budget", None) == Prepared(STREAM, Outcome.UPDATED, 1, told)
    assert await prepare(js, "budget", None) == Prepared(STREAM, Outcome.UNCHANGED, 1)


async def test_what_cannot_be_changed_in_place_is_said(js: JetStreamContext) -> None:
    await js.add_stream(replace(wanted("budget", 1), storage=StorageType.MEMORY))
    with pytest.raises(NatsTrouble, match=r"chitieu-budget cannot be changed in place: .*storage"):
        await update(js, "budget", None)


async def test_replicas_asked_for_are_not_given_by_one_server(js: JetStreamContext) -> None:
    with pytest.raises(NatsTrouble, match="chitieu-budget cannot be made: replicas > 1 not supported"):
        await prepare(js, "budget", 3)


def test_more_replicas_than_asked_for_are_no_difference() -> None:
    assert differences(wanted("budget", 5), "budget", 3) == ()
    assert differences(wanted("budget", 1), "budget", 3) == ("num_replicas is 1, should be 3",)
