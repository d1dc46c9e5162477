"""What is pulled and streamed is read by the CloudEvents SDK."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from joserfc.jwk import OKPKey

from chassis.settings import SERVICES
from tests.cloudevents import BATCH, attributes, parsed, read_batch
from tests.house import House, listening, open_house
from tests.sse import heard, take

PUBLIC_URL = "https://chitieu.example.gov.vn/so-lieu"


async def pulled(house: House, service: str, **asked: Any) -> httpx2.Response:
    headers = {**house.admin, "Accept": BATCH}
    return await house.client.get(f"/v1/{service}/changes", params={"limit": 1000, **asked}, headers=headers)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_batch_is_read(five_plans: House, service: str) -> None:
    answer = await pulled(five_plans, service)
    events = read_batch(answer.content, answer.headers)
    assert [int(event.get_extension("sequence")) for event in events] == list(range(1, len(events) + 1))
    assert len({event.get_id() for event in events}) == len(events) > 0
    assert {event.get_type() for event in events} <= {each["type"] for each in answer.json()}


async def test_every_event_of_a_page_is_one_in_structured_mode(five_plans: House) -> None:
    page = await five_plans.client.get("/v1/budget/changes", headers=five_plans.admin)
    (first, *_) = page.json()["items"]
    event = parsed(json.dumps(first).encode())
    known = {**attributes(event), "time": first["time"]}
    assert known == {name: value for name, value in first.items() if name != "data"}


async def test_what_is_streamed_is_read_and_is_what_is_pulled(five_plans: House) -> None:
    batch = (await pulled(five_plans, "budget")).json()
    start = (await five_plans.client.get("/v1/budget/changes?limit=1", headers=five_plans.admin)).json()["next"]
    async with (
        listening(five_plans.composition.services["budget"]) as url,
        httpx2.AsyncClient(trust_env=False) as client,
    ):
        address = f"{url}/v1/budget/changes/stream?after={start}"
        async with client.stream("GET", address, headers=five_plans.admin) as response:
            told = await take(heard(response), len(batch) - 1)
    events = [parsed(json.dumps(one.data).encode()) for one in told]
    assert [event.get_id() for event in events] == [each["id"] for each in batch[1:]]
    assert [one.event for one in told] == [event.get_type() for event in events]


async def test_source_and_dataschema_are_absolute_under_a_public_url(
    admin_url: str, signing_key: OKPKey, reference_template: str
) -> None:
    async with open_house(admin_url, signing_key, template=reference_template, public_url=PUBLIC_URL) as house:
        for service in SERVICES:
            answer = await pulled(house, service)
            for event in read_batch(answer.content, answer.headers):
                assert event.get_source() == f"{PUBLIC_URL}/{service}"
                address = event.get_dataschema()
                assert address == f"{PUBLIC_URL}/v1/{service}/event-schemas/{event.get_type()}"
            schema = await house.client.get(str(address).removeprefix(PUBLIC_URL))
            assert schema.json()["$id"] == address
