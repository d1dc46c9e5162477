"""Fields nobody knows: refused with the place and the nearest known name, in every body."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bad_input.refusals import ACTUALS, BUDGET, PLAN, WRITES, refused
from tests.house import House

LINE = {"key": "A", "title_vi": "T", "amount_vnd": 1, "expenditure_kind": "recurrent"}
CELL = {"key": "C", "scope_vi": "T", "amount_vnd": 1, "lines": []}
GROUP = {"key": "G", "title_vi": "T", "amount_vnd": 1}
TITLES = {"title_vi": "T", "title_en": "T", "issuing_body": "UBND"}


@pytest.mark.parametrize(("method", "path"), [pair for pair in WRITES if pair[1] != ACTUALS])
async def test_every_body_refuses_a_field_nobody_knows(five_plans: House, method: str, path: str) -> None:
    problem, _ = await refused(five_plans, method, path, status=422, code="body_invalid", json={"khong_co": 1})
    faults = {fault["pointer"]: fault["code"] for fault in problem["errors"]}
    assert faults["/khong_co"] == "field_unknown"


@pytest.mark.parametrize(
    ("method", "path", "content", "place", "near"),
    [
        ("PUT", BUDGET, {"lines": [], "group": []}, "/group", "groups"),
        ("PUT", BUDGET, {"lines": [{**LINE, "amount": 5}]}, "/lines/0/amount", "amount_vnd"),
        ("PUT", BUDGET, {"lines": [{**LINE, "Pillar": None}]}, "/lines/0/Pillar", "pillar"),
        ("PUT", BUDGET, {"lines": [{**LINE, "leadOffices": []}]}, "/lines/0/leadOffices", "lead_offices"),
        (
            "PUT",
            BUDGET,
            {"lines": [], "groups": [{**GROUP, "cells": [{**CELL, "line": []}]}]},
            "/groups/0/cells/0/line",
            "lines",
        ),
        ("PUT", f"/v1/plans/{PLAN}", {**TITLES, "task": []}, "/task", "tasks"),
        ("PUT", f"/v1/plans/{PLAN}", {**TITLES, "documentnumber": "1"}, "/documentnumber", "document_number"),
        ("PUT", f"/v1/indicators/targets/{PLAN}", {"target": []}, "/target", "targets"),
        ("PUT", "/v1/indicators/regimes", {"regime": []}, "/regime", "regimes"),
        ("PUT", "/v1/plans/offices/25345", {"offices": [{"slug": "x", "alias": []}]}, "/offices/0/alias", "aliases"),
        ("PUT", "/v1/plans/admin-units", {"admin_unit": []}, "/admin_unit", "admin_units"),
    ],
)
async def test_the_nearest_known_field_is_suggested(
    five_plans: House, method: str, path: str, content: Any, place: str, near: str
) -> None:
    vi, en = await refused(five_plans, method, path, status=422, code="body_invalid", json=content)
    name = place.rsplit("/", 1)[1]
    messages = [
        {fault["pointer"]: fault["message"] for fault in problem["errors"] if fault["code"] == "field_unknown"}
        for problem in (vi, en)
    ]
    assert messages[0][place] == f"Không có trường {name}. Có phải là {near}?"
    assert messages[1][place] == f"There is no field {name}. Did you mean {near}?"


async def test_an_unknown_column_of_a_posted_row_is_refused(five_plans: House) -> None:
    row = {"admin_unit": "25345", "indicator": "X", "period": "2026-Q1", "valeu": 1}
    vi, en = await refused(five_plans, "POST", ACTUALS, status=422, code="actuals_refused", json=[row])
    fault = next(fault for fault in vi["errors"] if fault["code"] == "field_unknown")
    assert (fault["row"], fault["column"]) == (1, "valeu")
    assert fault["message"] == "Không có trường valeu. Có phải là value?"
    assert any(fault["message"] == "There is no field valeu. Did you mean value?" for fault in en["errors"])


async def test_a_name_with_slashes_is_escaped_in_its_pointer(five_plans: House) -> None:
    problem, _ = await refused(
        five_plans, "PUT", BUDGET, status=422, code="body_invalid", json={"lines": [], "a/b~c": 1}
    )
    assert [fault["pointer"] for fault in problem["errors"]] == ["/a~1b~0c"]
