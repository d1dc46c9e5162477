"""Within a version of an event type only optional fields are added; everything else needs v2 beside v1."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.compatible import event_breaks, schema_breaks
from tests.contracts.snapshots import KEPT_SCHEMAS, breaks, event_schemas

ACTUALS = "vn.chitieu.indicators.actuals.posted.v1"
PLAN = "vn.chitieu.plans.plan.recorded.v1"
SCHEMAS = event_schemas()

Change = Callable[[dict[str, Any]], object]


def changed(name: str, change: Change) -> list[str]:
    schema = copy.deepcopy(SCHEMAS[name])
    change(schema)
    assert schema != SCHEMAS[name]
    return schema_breaks(SCHEMAS[name], schema)


def figure(schema: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = schema["$defs"]["FigureSaid"]["properties"]
    return fields


BREAKS: dict[str, tuple[str, Change, str]] = {
    "a field goes": (ACTUALS, lambda s: s["properties"].pop("import_id"), "/import_id is gone"),
    "an inner field goes": (ACTUALS, lambda s: figure(s).pop("rank"), "/changes/items/0/new/anyOf/0/rank is gone"),
    "a kind is another": (ACTUALS, lambda s: figure(s)["level"].update(type="string"), "level changed its type"),
    "a kind is tightened": (ACTUALS, lambda s: figure(s)["value"].update(minimum=0), "value changed its minimum"),
    "a kind is loosened": (ACTUALS, lambda s: s["properties"]["admin_unit"].pop("pattern"), "changed its pattern"),
    "null goes": (ACTUALS, lambda s: s["properties"]["source"]["anyOf"].pop(), "/source changed its anyOf"),
    "null comes": (PLAN, lambda s: s["properties"]["items"].update(type=["array", "null"]), "/items changed its type"),
    "a list of codes is narrowed": (PLAN, lambda s: s["properties"]["status"]["enum"].remove("closed"), "/status"),
    "a closed list of codes grows": (PLAN, lambda s: s["properties"]["status"]["enum"].append("void"), "/status"),
    "a known code goes": (PLAN, lambda s: comparator(s).pop("gte"), "no longer has gte"),
    "a field is demanded": (ACTUALS, lambda s: s["$defs"]["FigureSaid"]["required"].append("value"), "now required"),
    "a new field is demanded": (ACTUALS, lambda s: demand(s, "quality"), "/quality is now required"),
    "a field may be left out": (ACTUALS, lambda s: s["required"].remove("changes"), "/changes may now be left out"),
    "an object is closed": (
        ACTUALS,
        lambda s: s.update(additionalProperties=False),
        "changed its additionalProperties",
    ),
    "a format is another": (ACTUALS, lambda s: figure(s)["done_on"].update(format="date-time"), "changed its format"),
}


def comparator(schema: dict[str, Any]) -> dict[str, str]:
    known: dict[str, str] = schema["$defs"]["RuleParamsSaid"]["properties"]["comparator"]["anyOf"][0][
        "x-known-values-vi"
    ]
    return known


def demand(schema: dict[str, Any], name: str) -> None:
    schema["properties"][name] = {"type": "string"}
    schema["required"].append(name)


@pytest.mark.parametrize("name", BREAKS)
def test_a_planted_break_is_refused(name: str) -> None:
    kind, change, said = BREAKS[name]
    assert [each for each in changed(kind, change) if said in each] != []


ADDITIONS: dict[str, tuple[str, Change]] = {
    "an optional field": (ACTUALS, lambda s: s["properties"].update(quality={"type": "string"})),
    "an inner optional field": (ACTUALS, lambda s: figure(s).update(unit={"type": "string"})),
    "other words": (ACTUALS, lambda s: s.update(title="Số liệu", description="Figures.")),
    "codes in another order": (PLAN, lambda s: s["properties"]["status"]["enum"].reverse()),
    "a code of an open list": (PLAN, lambda s: comparator(s).update(between="trong khoảng")),
    "another name of a part": (ACTUALS, lambda s: rename(s, "FigureSaid", "Figure")),
}


def rename(schema: dict[str, Any], old: str, new: str) -> None:
    parts = schema["$defs"]
    parts[new] = parts.pop(old)
    for side in ("old", "new"):
        parts["ActualChange"]["properties"][side]["anyOf"][0]["$ref"] = f"#/$defs/{new}"


@pytest.mark.parametrize("name", ADDITIONS)
def test_an_addition_passes(name: str) -> None:
    assert changed(*ADDITIONS[name]) == []


def test_a_type_may_come_and_never_go() -> None:
    v2 = ACTUALS.replace(".v1", ".v2")
    assert event_breaks(SCHEMAS, {**SCHEMAS, v2: {"type": "object"}}) == []
    without = {name: schema for name, schema in SCHEMAS.items() if name != ACTUALS}
    assert event_breaks(SCHEMAS, without) == [f"event type {ACTUALS} is gone"]


def test_an_optional_field_is_refused_where_the_object_is_closed() -> None:
    old: dict[str, Any] = {"type": "object", "properties": {"a": {}}, "additionalProperties": False}
    assert schema_breaks(old, {**old, "properties": {"a": {}, "b": {}}}) == ["/b is new in a closed object"]


def test_the_snapshots_are_refused_when_a_kept_schema_would_break(tmp_path: Path) -> None:
    kept = shutil.copytree(KEPT_SCHEMAS, tmp_path / "schemas")
    schema = json.loads((kept / f"{ACTUALS}.json").read_text(encoding="utf-8"))
    schema["properties"]["posted_by"] = {"type": "string"}
    (kept / f"{ACTUALS}.json").write_text(json.dumps(schema), encoding="utf-8")
    (kept / "vn.chitieu.plans.plan.torn.v1.json").write_text("{}", encoding="utf-8")
    found = [each for each in breaks(kept) if "vn.chitieu" in each]
    assert found == ["event type vn.chitieu.plans.plan.torn.v1 is gone", f"{ACTUALS}/posted_by is gone"]
