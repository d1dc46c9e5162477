"""Examples are real: the services announce them, and every event anybody hears fits schema and envelope.

Where what is announced differs, `WRITE_EXAMPLES=1 pytest tests/contracts/test_event_examples.py` writes them anew.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc.jwk import OKPKey
from jsonschema import Draft202012Validator, FormatChecker

from chassis.event_types import EventType, data_schema, envelope_schema
from chassis.settings import SERVICES
from chitieu.compose import service_of
from tests.contracts.announced import CORRECTION, SHOWN, UNSAID, heard, live_through_a_year
from tests.house import House, open_house

TYPES: dict[str, EventType] = {name: kind for service in SERVICES for name, kind in service_of(service).events.items()}
# What another run gives another of.
GIVEN_ANEW = {"id", "time", "traceparent", "sequence", "plan_id", "import_id", "public_from"}

Events = list[dict[str, Any]]


@pytest.fixture(scope="module")
async def year(admin_url: str, signing_key: OKPKey, reference_template: str) -> AsyncIterator[House]:
    async with open_house(admin_url, signing_key, template=reference_template) as opened:
        await live_through_a_year(opened)
        yield opened


@pytest.fixture(scope="module")
async def events(year: House) -> Events:
    return await heard(year)


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def closed(schema: Any) -> Any:
    """The schema with every object closed: nothing is announced that it does not declare."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {name: closed(part) for name, part in schema.items()}
    return {**parts, "additionalProperties": False} if schema.get("type") == "object" else parts


def masked(part: Any) -> Any:
    if isinstance(part, list):
        return [masked(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {name: "…" if name in GIVEN_ANEW and value else masked(value) for name, value in part.items()}


def shown(events: Events, name: str) -> dict[str, Any]:
    return [event for event in events if (event["type"], event["subject"]) == (name, SHOWN[name])][-1]


def test_there_is_an_example_of_every_type() -> None:
    assert set(SHOWN) == set(TYPES)
    folders = {kind.examples for kind in TYPES.values()}
    assert {path.stem for folder in folders for path in folder.iterdir()} == set(TYPES)


@pytest.mark.parametrize("name", TYPES)
async def test_the_example_is_what_the_service_announces(events: Events, name: str) -> None:
    announced, path = shown(events, name), TYPES[name].example_path
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if os.environ.get("WRITE_EXAMPLES") and masked(kept) != masked(announced):
        path.write_text(json.dumps(announced, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        kept = announced
    assert masked(kept) == masked(announced)


@pytest.mark.parametrize("name", TYPES)
def test_the_example_fits_schema_and_envelope(name: str) -> None:
    kind = TYPES[name]
    event = json.loads(kind.example_path.read_text(encoding="utf-8"))
    validator(closed(data_schema(kind))).validate(event["data"])
    envelope = envelope_schema(kind.service)
    envelope["properties"]["data"] = True
    validator({**envelope, "additionalProperties": False}).validate(event)
    assert list(event) == [name for name in envelope["properties"] if name in event]


async def test_every_event_fits_schema_and_envelope(events: Events) -> None:
    data = {name: validator(closed(data_schema(kind))) for name, kind in TYPES.items()}
    envelopes = {service: validator(envelope_schema(service)) for service in SERVICES}
    assert {event["type"] for event in events} == set(TYPES)
    for event in events:
        envelopes[TYPES[event["type"]].service].validate(event)
        data[event["type"]].validate(event["data"])


async def test_dataschema_of_every_type_leads_to_its_schema(year: House, events: Events) -> None:
    for address in sorted({event["dataschema"] for event in events}):
        answer = await year.client.get(address)
        assert answer.headers["Content-Type"] == "application/schema+json"
        assert answer.json() == data_schema(TYPES[address.rsplit("/", 1)[1]])
        assert answer.json()["$id"] == address


async def test_positions_are_dense_and_versions_consecutive(events: Events) -> None:
    for service in SERVICES:
        own = [event for event in events if event["source"] == f"/{service}"]
        assert [event["sequence"] for event in own] == [f"{position:020d}" for position in range(1, len(own) + 1)]
        versions: dict[str, list[int]] = {}
        for event in own:
            assert event["partitionkey"] == event["subject"]
            versions.setdefault(event["subject"], []).append(event["data"]["version"])
        assert all(given == list(range(1, len(given) + 1)) for given in versions.values())


async def test_the_public_hears_what_its_type_says(year: House, events: Events) -> None:
    public = {event["id"] for event in await heard(year, {"Accept": "application/json"})}
    for event in events:
        match TYPES[event["type"]].audience.name:
            case "PUBLIC":
                assert event["id"] in public
            case "UNIT":
                assert (event["id"] in public) == (event["data"]["source"] == "sample")
            case "AS_PLAN" if event["type"].startswith("vn.chitieu.plans"):
                assert (event["id"] in public) == (event["data"]["status"] != "draft")


async def test_every_event_names_its_client(events: Events) -> None:
    assert {event["data"]["client_id"] for event in events} == {"tester", "dai-phuoc"}


async def test_no_event_names_a_person_a_remark_or_evidence(events: Events) -> None:
    said = json.dumps(events, ensure_ascii=False)
    assert UNSAID not in said
    assert "minh-chung" not in said
    assert CORRECTION not in said


@pytest.mark.parametrize("missing", ["specversion", "sequence", "partitionkey", "data"])
def test_an_envelope_without_what_it_must_have_is_refused(missing: str) -> None:
    kind = TYPES["vn.chitieu.plans.plan.issued.v1"]
    event = {name: value for name, value in kind.example().items() if name != missing}
    assert not validator(envelope_schema("plans")).is_valid(event)


@pytest.mark.parametrize(
    ("name", "value"),
    [("sequence", 42), ("sequence", "42"), ("time", "hôm nay"), ("province", "075"), ("traceparent", "00-1-1-01")],
)
def test_an_envelope_with_a_wrong_value_is_refused(name: str, value: Any) -> None:
    event = {**copy.deepcopy(TYPES["vn.chitieu.plans.plan.issued.v1"].example()), name: value}
    assert not validator(envelope_schema("plans")).is_valid(event)
