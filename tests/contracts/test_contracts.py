"""Contracts are promises: what is served is what is written down, and nothing kept may break."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from openapi_spec_validator import validate

from chassis.settings import SERVICES
from tests.contracts.openapi import breaking_changes
from tests.contracts.snapshots import (
    ASYNCAPI,
    GATEWAY,
    SCHEMA,
    asyncapi_document,
    breaks,
    event_schemas,
    graphql_schema,
    openapi_documents,
    path_of,
    text_of,
)


@pytest.mark.parametrize("name", [*SERVICES, GATEWAY])
def test_openapi_is_valid_and_as_written_down(name: str) -> None:
    validate(openapi_documents()[name])
    assert path_of(name).read_text(encoding="utf-8") == text_of(openapi_documents()[name]), "run make snapshots"


@pytest.mark.parametrize("name", event_schemas())
def test_event_schema_is_as_written_down(name: str) -> None:
    assert path_of(name).read_text(encoding="utf-8") == text_of(event_schemas()[name]), "run make snapshots"


def test_asyncapi_is_as_written_down() -> None:
    assert ASYNCAPI.read_text(encoding="utf-8") == text_of(asyncapi_document()), "run make snapshots"


def test_graphql_schema_is_as_written_down() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == graphql_schema(), "run make snapshots"


def test_nothing_written_down_is_broken() -> None:
    assert breaks() == []


def broken(change: str) -> dict[str, Any]:
    document: dict[str, Any] = copy.deepcopy(openapi_documents()["plans"])
    listing = document["paths"]["/v1/plans/tasks"]["get"]
    match change:
        case "a path goes":
            del document["paths"]["/v1/plans/tasks"]
        case "a parameter goes":
            listing["parameters"] = [p for p in listing["parameters"] if p["name"] != "pillar"]
        case "a parameter is demanded":
            listing["parameters"].append({"in": "query", "name": "x", "required": True, "schema": {}})
        case "a status goes":
            del listing["responses"]["200"]
    return document


@pytest.mark.parametrize("change", ["a path goes", "a parameter goes", "a parameter is demanded", "a status goes"])
def test_a_planted_break_is_caught(change: str) -> None:
    assert breaking_changes(openapi_documents()["plans"], broken(change))


def test_an_addition_is_no_break() -> None:
    document = copy.deepcopy(openapi_documents()["plans"])
    document["paths"]["/v1/plans/new"] = {"get": {"responses": {"200": {}}}}
    assert breaking_changes(openapi_documents()["plans"], document) == []


def test_every_reply_has_a_schema() -> None:
    for document in openapi_documents().values():
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                status = min(operation["responses"])
                content = operation["responses"][status].get("content", {})
                described = any(media.get("schema") for media in content.values())
                assert (
                    described
                    or status == "204"
                    or path.endswith(("/changes", "/audit", "/meta", "/event-schemas/{event_type}"))
                ), f"{method} {path} does not say what it answers: {json.dumps(content)}"
