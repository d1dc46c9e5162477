"""The AsyncAPI documents are read by the specification's own parser, and what they say of us is so."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft7Validator, FormatChecker

from chassis.asyncapi import EXTENSION, service_document
from chassis.jetstream.subjects import subject_of
from chassis.outbox import Event
from chassis.settings import SERVICES
from chassis.webhooks.letters import Office
from chitieu.compose import service_of
from tests.contracts.snapshots import ASYNCAPI, GATEWAY, asyncapi_document, openapi_documents
from tests.node import ask, installed, locked

PARSER = Path(__file__).parent / "asyncapi"
DOCUMENT = asyncapi_document()
TYPES = {name for service in SERVICES for name in service_of(service).events}
DELIVERIES = ("pull", "stream", "webhook", "jetstream")
# The parser would rather read 3.1; other tools read 3.0 only.
HINT = "asyncapi-latest-version"


def written(folder: Path, **documents: dict[str, Any]) -> list[str]:
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    return [str(folder / f"{name}.json") for name in documents]


def faults(read: dict[str, Any]) -> list[dict[str, str]]:
    return [fault for fault in read["faults"] if fault["code"] != HINT]


@pytest.mark.slow
async def test_the_parser_reads_every_document_and_finds_a_planted_fault(
    pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    folder = await installed(PARSER, pytestconfig.cache)
    own = service_document("budget", service_of("budget").events, "https://chitieu.example.gov.vn/so-lieu")
    torn = copy.deepcopy(own)
    torn["operations"]["budget.pull"]["action"] = "shout"
    paths = written(tmp_path, own=own, torn=torn)
    merged, budget, broken = await ask(folder, "validate.mjs", str(ASYNCAPI), *paths)
    assert (faults(merged), faults(budget)) == ([], [])
    assert set(budget["channels"]) == set(budget["operations"]) == {f"budget.{each}" for each in DELIVERIES}
    every = {f"{name}.{each}" for name in SERVICES for each in DELIVERIES}
    assert set(merged["channels"]) == {*every, "changes.pull", "changes.stream"}
    assert set(merged["messages"]) >= TYPES
    assert {fault["place"] for fault in faults(broken)} == {"operations/budget.pull/action"}


def test_the_lock_file_names_no_registry() -> None:
    assert locked(PARSER)["@asyncapi/parser"]["version"] == "3.6.3"


@pytest.mark.parametrize("name", sorted(TYPES))
def test_the_example_of_a_message_fits_its_payload(name: str) -> None:
    message = DOCUMENT["components"]["messages"][name]
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    validator = Draft7Validator(schema, format_checker=FormatChecker())
    (example,) = message["examples"]
    validator.validate(example["payload"])
    assert not validator.is_valid({**example["payload"], "sequence": 42})
    assert not validator.is_valid({**example["payload"], "type": "vn.chitieu.plans.plan.torn.v1"})
    assert not validator.is_valid({**example["payload"], "data": {**example["payload"]["data"], "version": 0}})
    assert set(message[EXTENSION]) == {"service", "dataschema", "title", "when", "subject", "audience"}


# The feeds, each with the document that says how it is asked: of every service, and of the gateway for all.
FEEDS = [*((service, service, f"/v1/{service}/changes") for service in SERVICES), ("changes", GATEWAY, "/v1/changes")]


@pytest.mark.parametrize(("name", "told_by", "path"), FEEDS)
@pytest.mark.parametrize(("delivery", "end"), [("pull", ""), ("stream", "/stream")])
def test_what_is_asked_is_what_openapi_says(name: str, told_by: str, path: str, delivery: str, end: str) -> None:
    assert DOCUMENT["channels"][f"{name}.{delivery}"]["address"] == path + end
    asked = openapi_documents()[told_by]["paths"][path + end]["get"]["parameters"]
    query = DOCUMENT["operations"][f"{name}.{delivery}"]["bindings"]["http"]["query"]["properties"]
    assert set(query) == {each["name"] for each in asked if each["in"] == "query"}
    for each in asked:
        for bound in {"minimum", "maximum", "default"} & each["schema"].keys():
            assert query[each["name"]][bound] == each["schema"][bound]


def test_every_delivery_carries_every_type_of_its_service() -> None:
    for service in SERVICES:
        for delivery in ("stream", "webhook", "jetstream"):
            messages = DOCUMENT["channels"][f"{service}.{delivery}"]["messages"]
            assert set(service_of(service).events) <= set(messages)
        (signed,) = DOCUMENT["operations"][f"{service}.webhook"]["security"]
        assert signed == {"$ref": "#/components/securitySchemes/signature"}
    assert set(DOCUMENT["channels"]["changes.stream"]["messages"]) >= TYPES


def payload_of(message: str) -> Draft7Validator:
    schema = {"$ref": f"#/components/messages/{message}/payload", "components": DOCUMENT["components"]}
    return Draft7Validator(schema, format_checker=FormatChecker())


def test_a_word_of_our_own_to_a_receiver_is_as_described() -> None:
    office, ids = Office("plans", "https://chitieu.example.gov.vn"), (uuid4(), uuid4())
    for verb, letter in (("challenged", office.challenge(*ids, "từ")), ("pinged", office.ping(*ids))):
        payload_of(f"plans.{verb}").validate(json.loads(letter.body))
        assert DOCUMENT["components"]["messages"][f"plans.{verb}"]["name"] == letter.type
        assert f"plans.{verb}" in DOCUMENT["channels"]["plans.webhook"]["messages"]


@pytest.mark.parametrize("is_public", [True, False])
@pytest.mark.parametrize("commune", ["26491", None])
def test_a_subject_in_nats_is_as_described(*, is_public: bool, commune: str | None) -> None:
    channel = DOCUMENT["channels"]["indicators.jetstream"]
    kind = "vn.chitieu.indicators.actuals.posted.v1"
    event = Event(kind, "26491", {}, province="75", commune=commune, is_public=is_public)
    pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^.]+)", re.escape(channel["address"]))
    found = re.fullmatch(pattern, subject_of(event))
    assert found is not None
    assert found.groupdict().keys() == channel["parameters"].keys()
    assert found["audience"] == channel["parameters"]["audience"]["enum"][0 if is_public else 1]
    assert (found["province"], found["commune"], found["version"]) == ("75", commune or "_", "v1")


def test_a_public_url_is_everywhere() -> None:
    document = service_document("plans", service_of("plans").events, "https://chitieu.example.gov.vn/so-lieu")
    door = document["servers"]["door"]
    assert (door["protocol"], door["host"], door["pathname"]) == ("https", "chitieu.example.gov.vn", "/so-lieu")
    for name in service_of("plans").events:
        event = document["components"]["messages"][name]["examples"][0]["payload"]
        assert event["source"] == "https://chitieu.example.gov.vn/so-lieu/plans"
        assert event["dataschema"].startswith("https://chitieu.example.gov.vn/so-lieu/v1/plans/event-schemas/")
