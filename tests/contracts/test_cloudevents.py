"""The same events by all four deliveries, each read by the CloudEvents SDK and held against the published schemas."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc.jwk import OKPKey

from chassis import jetstream, webhooks
from chassis.beside import beside
from chassis.house import Job
from chassis.jetstream.connection import connected
from chassis.jetstream.streams import prepare
from chassis.settings import SERVICES
from tests.chassis.webhooks.receiver import receiving
from tests.cloudevents import BATCH, attributes, parsed, read, read_batch
from tests.house import House, listening, open_house
from tests.nats import Nats, nats, reached, read_stream
from tests.sse import heard, take

PUBLIC_URL = "https://chitieu.example.gov.vn/so-lieu"
SERVICE = "budget"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
async def delivering(
    admin_url: str, signing_key: OKPKey, reference_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[House, Nats]]:
    """The five plans in a house that knows its address, may post to this machine, and has a NATS server."""
    told: dict[str, Any] = {
        "public_url": PUBLIC_URL,
        "data_dir": Path(tmp_path_factory.mktemp("data")),
        "webhook_allowed_networks": "127.0.0.0/8",
        "webhook_poll_seconds": 0.02,
    }
    with nats() as server:
        told |= {"nats_url": server.url, "nats_monitor_url": server.monitor_url}
        async with open_house(admin_url, signing_key, template=reference_template, **told) as house:
            yield house, server


@contextlib.asynccontextmanager
async def at_work(house: House, job: Job) -> AsyncIterator[None]:
    async with beside(job(house.composition.services[SERVICE].state.house)):
        yield


async def pulled(house: House, service: str = SERVICE, **asked: Any) -> httpx2.Response:
    headers = {**house.admin, "Accept": BATCH}
    return await house.client.get(f"/v1/{service}/changes", params={"limit": 1000, **asked}, headers=headers)


async def first_cursor(house: House) -> str:
    page = await pulled(house, limit=1)
    return str(page.headers["Changes-Cursor"])


@pytest.mark.parametrize("service", SERVICES)
async def test_a_batch_is_read(delivering: tuple[House, Nats], service: str) -> None:
    house, _ = delivering
    answer = await pulled(house, service)
    events = read_batch(answer.content, answer.headers)
    assert [int(event.get_extension("sequence")) for event in events] == list(range(1, len(events) + 1))
    assert len({event.get_id() for event in events}) == len(events) > 0
    for event in events:
        assert event.get_source() == f"{PUBLIC_URL}/{service}"
        assert event.get_dataschema() == f"{PUBLIC_URL}/v1/{service}/event-schemas/{event.get_type()}"
    address = str(events[0].get_dataschema())
    schema = await house.client.get(address.removeprefix(PUBLIC_URL))
    assert schema.json()["$id"] == address


async def test_the_merged_feed_says_the_same(delivering: tuple[House, Nats]) -> None:
    house, _ = delivering
    single = [event for service in SERVICES for event in (await pulled(house, service)).json()]
    headers = {**house.admin, "Accept": BATCH}
    answer = await house.client.get("/v1/changes", params={"limit": 1000}, headers=headers)
    assert len(read_batch(answer.content, answer.headers)) == len(single)
    by_id = {event["id"]: event for event in single}
    assert {event["id"]: event for event in answer.json()} == by_id


async def test_every_event_of_a_page_is_one_in_structured_mode(five_plans: House) -> None:
    page = await five_plans.client.get(f"/v1/{SERVICE}/changes", headers=five_plans.admin)
    (first, *_) = page.json()["items"]
    known = {**attributes(parsed(json.dumps(first).encode())), "time": first["time"]}
    assert known == {name: value for name, value in first.items() if name != "data"}
    assert first["source"] == f"/{SERVICE}"


async def test_what_is_streamed_is_what_is_pulled(delivering: tuple[House, Nats]) -> None:
    house, _ = delivering
    expected = (await pulled(house)).json()[1:]
    asked: dict[str, Any] = {"params": {"after": await first_cursor(house)}, "headers": house.admin}
    async with (
        listening(house.composition.services[SERVICE]) as url,
        httpx2.AsyncClient(base_url=url, trust_env=False) as client,
        client.stream("GET", f"/v1/{SERVICE}/changes/stream", **asked) as response,
    ):
        told = await take(heard(response), len(expected))
    assert [one.data for one in told] == expected
    assert [one.event for one in told] == [parsed(json.dumps(one.data).encode()).get_type() for one in told]


async def test_what_is_posted_to_a_receiver_is_what_is_pulled(delivering: tuple[House, Nats]) -> None:
    house, _ = delivering
    expected = (await pulled(house)).json()[1:]
    headers = {**house.headers("webhooks:write changes:read"), "Idempotency-Key": "a-receiver"}
    async with receiving() as receiver:
        body = {"url": receiver.url, "after": await first_cursor(house)}
        made = await house.client.post(f"/v1/{SERVICE}/webhooks", json=body, headers=headers)
        assert made.status_code == 201, made.text
        async with at_work(house, webhooks.run):
            await receiver.until_heard(len(expected))
    posted = [json.loads(one.body) for one in receiver.requests]
    assert sorted(posted, key=lambda event: event["sequence"]) == expected
    for one in receiver.requests:
        assert read(one.body, one.headers).get_id() == one.verified(made.json()["secret"])["id"] == one.webhook_id


async def test_what_is_copied_to_jetstream_is_what_is_pulled(delivering: tuple[House, Nats]) -> None:
    house, server = delivering
    expected = (await pulled(house)).json()
    own = house.composition.services[SERVICE].state.house
    async with connected(own.settings, "test") as client:
        await prepare(client.jetstream(), SERVICE, None)
    async with at_work(house, jetstream.run):
        await reached(server.url, f"chitieu-{SERVICE}", f"1:{len(expected)}")
    copied = await read_stream(server.url, f"chitieu-{SERVICE}")
    assert [one.event for one in copied] == expected
    for one in copied:
        assert parsed(json.dumps(one.event).encode()).get_source() == f"{PUBLIC_URL}/{SERVICE}"
