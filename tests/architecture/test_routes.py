"""Every route says which scope it demands and what it means; every rule is worded in both languages."""

from __future__ import annotations

import importlib
import re
import string
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from chassis.auth import Need
from chassis.errors import RULES
from chassis.event_types import data_schema
from chassis.settings import SERVICES
from chitieu.compose import service_of

SCOPES = {
    "plans:read", "plans:write", "admin_units:write", "indicators:read", "catalogue:write", "targets:write",
    "actuals:write", "budget:read", "budget:write", "changes:read", "audit:read", "webhooks:read", "webhooks:write",
}  # fmt: skip


def needs_of(dependant: Any) -> Iterator[Need]:
    if isinstance(dependant.call, Need):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from needs_of(inner)


def routes() -> list[tuple[str, APIRoute]]:
    return [
        (name, route) for name in SERVICES for route in service_of(name).router.routes if isinstance(route, APIRoute)
    ]


@pytest.mark.parametrize(
    ("service", "route"), routes(), ids=lambda v: v if isinstance(v, str) else f"{v.methods}{v.path}"
)
def test_route_names_a_scope_and_speaks(service: str, route: APIRoute) -> None:
    found = list(needs_of(route.dependant))
    assert len(found) == 1, "a handler shows exactly one scope in its signature"
    assert found[0].scope in SCOPES
    if not route.methods & {"GET"}:
        assert not found[0].is_public, "nobody writes anonymously"
        assert found[0].scope.endswith(":write")
    assert route.description, "an endpoint says what it means"
    assert route.path.startswith(f"/v1/{service}")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_declares_its_events(name: str) -> None:
    for event_type, kind in service_of(name).events.items():
        assert re.fullmatch(rf"vn\.chitieu\.{name}\.[a-z_]+\.[a-z_]+\.v\d+", event_type)
        for words in (kind.title, kind.when, kind.subject, kind.audience.value):
            assert words.vi
            assert words.en
        fields = data_schema(kind)["properties"]
        assert {"version", "client_id"} <= set(fields)


IN_ENGLISH_ONLY = {"token_invalid": {"reason"}}  # the words of the library that reads tokens


def fields_of(template: str) -> set[str]:
    """The values a sentence is filled with; one that is worded per language counts by its shared name."""
    names = [name for _, name, _, _ in string.Formatter().parse(template) if name]
    return {re.sub(r"(^|_)(vi|en)(_(comma|point))?$", "", name) for name in names}


def test_every_rule_is_worded_in_both_languages() -> None:
    for name in SERVICES:
        importlib.import_module(f"services.{name}.api")
    for rule in RULES.values():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", rule.code)
        assert rule.vi, rule.code
        assert rule.en, rule.code
        assert fields_of(rule.vi) | IN_ENGLISH_ONLY.get(rule.code, set()) == fields_of(rule.en), rule.code
