"""The pure rules of a budget's body: keys, times, offices, totals, and what is kept of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from chassis.decimals import plain
from chassis.errors import Fault
from chassis.money import MAX_VND
from services.budget.domain.lines import group_faults, line_faults, named_offices, office_faults, total_faults
from services.budget.domain.sets import budget_sets


def line(key: str = "A", **fields: Any) -> dict[str, Any]:
    given = {
        "key": key,
        "number": None,
        "title_vi": "Thuê dịch vụ lưu trữ",
        "title_en": None,
        "scope_vi": None,
        "amount_vnd": 100,
        "expenditure_kind": "recurrent",
        "pillar": "digital_data",
        "funding_source": None,
        "lead_offices": [],
        "coordinating_offices": [],
        "beneficiaries": [],
        "budget_years": None,
        "execution_time_kind": None,
        "execution_time": None,
        "quantity": None,
        "budget_index": None,
    }
    return {**given, **fields}


def group(key: str, *cells: dict[str, Any]) -> dict[str, Any]:
    return {"key": key, "number": None, "title_vi": "Hạ tầng", "amount_vnd": 100, "pillars": [], "cells": list(cells)}


def cell(key: str, *lines: str, amount_vnd: int = 100) -> dict[str, Any]:
    return {"key": key, "amount_vnd": amount_vnd, "lines": list(lines)}


def told(faults: Any) -> list[tuple[str, str | None]]:
    found: list[Fault] = list(faults)
    return [(fault.rule.code, fault.pointer) for fault in found]


@pytest.mark.parametrize(("kind", "value"), [("quarter_range", "2026-Q2/2026-Q3"), ("ongoing", None), (None, None)])
def test_a_time_of_its_form_is_no_fault(kind: str | None, value: str | None) -> None:
    assert told(line_faults([line(execution_time_kind=kind, execution_time=value)])) == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [(None, "2026"), ("year", None), ("quarter", "2026Q2"), ("year_range", "2027/2026"), ("year", "9999")],
)
def test_a_time_of_another_form_is_a_fault(kind: str | None, value: str | None) -> None:
    faults = list(line_faults([line(execution_time_kind=kind, execution_time=value)]))
    assert told(faults) == [("budget_execution_time_invalid", "/lines/0/execution_time")]
    assert faults[0].value == value


def test_sound_lines_have_no_fault() -> None:
    lines = [line("A"), line("B", expenditure_kind="reserve", pillar=None)]
    assert told(line_faults(lines)) == []


def test_keys_stand_once() -> None:
    assert told(line_faults([line("A"), line("A"), line("A")])) == [
        ("budget_key_repeated", "/lines/1/key"),
        ("budget_key_repeated", "/lines/2/key"),
    ]


def test_a_reserve_stands_outside_every_pillar() -> None:
    lines = [line("A", expenditure_kind="reserve", pillar="awareness")]
    assert told(line_faults(lines)) == [("reserve_in_pillar", "/lines/0/pillar")]


def test_cells_name_lines_that_are_there_and_a_stranger_is_advised() -> None:
    groups = [group("G", cell("C1", "PL3.1", "PL3.99"))]
    faults = list(group_faults(groups, ["PL3.1", "PL3.9"]))
    assert told(faults) == [("budget_line_unknown", "/groups/0/cells/0/lines/1")]
    assert faults[0].values["suggestion_vi"] == " Có phải là PL3.9?"
    assert faults[0].values["suggestion_en"] == " Did you mean PL3.9?"


def test_keys_of_groups_and_cells_stand_once() -> None:
    groups = [group("G", cell("C")), group("G", cell("D"), cell("C"))]
    assert told(group_faults(groups, [])) == [
        ("budget_key_repeated", "/groups/1/key"),
        ("budget_key_repeated", "/groups/1/cells/1/key"),
    ]


def test_totals_stay_within_what_every_reader_keeps_exactly() -> None:
    given = {"lines": [line("A", amount_vnd=MAX_VND)], "groups": [group("G", cell("C", amount_vnd=MAX_VND))]}
    assert told(total_faults(given, {})) == []
    assert told(total_faults(given, {"lines": {"A": MAX_VND, "B": 1}, "groups": {}, "cells": {}})) == [
        ("budget_total_too_large", "/lines")
    ]
    assert told(total_faults(given, {"cells": {"D": 1}})) == [("budget_total_too_large", "/groups")]


def test_offices_are_known_by_slug_and_a_name_is_told_its_slug() -> None:
    lines = [
        line("A", lead_offices=["phong-vhxh"], coordinating_offices=["Phòng VH-XH"]),
        line("B", beneficiaries=["phong-vhx"]),
    ]
    assert named_offices(lines) == {"phong-vhxh", "Phòng VH-XH", "phong-vhx"}
    known = {"phong-vhxh": "phong-vhxh", "phong vh-xh": "phong-vhxh"}
    faults = list(office_faults(lines, "25345", known))
    assert told(faults) == [
        ("budget_office_unknown", "/lines/0/coordinating_offices/0"),
        ("budget_office_unknown", "/lines/1/beneficiaries/0"),
    ]
    assert [fault.values["suggestion_vi"] for fault in faults] == [" Có phải là phong-vhxh?"] * 2


def test_budget_years_are_stated_or_follow_from_the_time_or_the_plan() -> None:
    lines = [
        line("A", budget_years=[2027, 2026, 2027]),
        line("B", execution_time_kind="year_range", execution_time="2026/2027"),
        line("C"),
    ]
    rows = budget_sets({"lines": lines, "groups": []}, 2026)["lines"]
    assert [row["budget_years"] for row in rows] == [[2026, 2027], [2026, 2027], [2026]]
    assert [row["position"] for row in rows] == [1, 2, 3]
    assert rows[2]["starts_on"] is None


def test_rows_carry_quantity_index_and_folded_words() -> None:
    index = {"version": "TT 130/2025", "chapter_code": "800", "item_code": "0700"}
    given = line("A", quantity={"value": Decimal("30.0"), "unit": "điểm"}, budget_index=index, number="VII")
    row = budget_sets({"lines": [given], "groups": []}, 2026)["lines"][0]
    assert (row["quantity_value"], row["quantity_unit"]) == (Decimal(30), "điểm")
    assert (row["index_version"], row["chapter_code"], row["category_code"]) == ("TT 130/2025", "800", None)
    assert row["search_text"] == "a vii thue dich vu luu tru"
    assert "quantity" not in row
    assert "budget_index" not in row


def test_cells_carry_the_key_of_their_group() -> None:
    sets = budget_sets({"lines": [], "groups": [group("G1", cell("C1"), cell("C2")), group("G2", cell("C3"))]}, 2026)
    assert [(row["key"], row["group_key"], row["position"]) for row in sets["cells"]] == [
        ("C1", "G1", 1),
        ("C2", "G1", 2),
        ("C3", "G2", 1),
    ]
    assert [row["key"] for row in sets["groups"]] == ["G1", "G2"]
    assert "cells" not in sets["groups"][0]


@pytest.mark.parametrize(
    ("value", "shown"), [("30.000000", "30"), ("0.500000", "0.5"), ("100", "100"), ("1E+2", "100")]
)
def test_a_quantity_loses_the_zeros_at_its_end(value: str, shown: str) -> None:
    assert str(plain(Decimal(value))) == shown
