"""The rules of plans, without database or HTTP: tables of cases, edges first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from services.plans.domain.items import item_faults
from services.plans.domain.offices import KnownOffices, alias_faults, alias_keys
from services.plans.domain.plans import (
    Content,
    PlanAct,
    PlanKey,
    PlanStatus,
    amendment_faults,
    issue_faults,
    key_faults,
    parse_plan_key,
    planned_days,
    refusal_of,
)
from services.plans.domain.units import by_code, latest_within, overlap, unit_faults

TODAY = date(2026, 11, 22)


@dataclass(frozen=True)
class Unit:
    code: str = "26491"
    type: str = "commune"
    province_code: str | None = "75"
    valid_from: date = date(2025, 7, 1)
    valid_to: date | None = None


PROVINCE = Unit("75", "province", None, date(2020, 1, 1))


def codes(faults: Any) -> list[str]:
    return [fault.rule.code for fault in faults]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("25378-2026-digital-transformation", ("25378", 2026, "digital_transformation")),
        ("75-2026-dx", ("75", 2026, "dx")),
        ("00004-2026-a", ("00004", 2026, "a")),
        ("253-2026-a", None),
        ("25378-26-a", None),
        ("25378-2026", None),
        ("25378-2026-", None),
        ("25378-2026-A", None),
        ("25378-2026-a--b", None),
        ("25378-2026-a_b", None),
        ("25378-2026-a\n", None),
        ("25378-2026-" + "a" * 110, None),
    ],
)
def test_a_plan_key_says_unit_year_and_kind(text: str, key: tuple[str, int, str] | None) -> None:
    assert parse_plan_key(text) == (PlanKey(text, *key) if key else None)


KEY = PlanKey("25378-2026-dx", "25378", 2026, "dx")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, []),
        ({"plan_key": "25378-2026-dx", "admin_unit": "25378", "year": 2026, "kind": "dx"}, []),
        ({"plan_key": "25378-2027-dx"}, ["/plan_key"]),
        ({"admin_unit": "25345", "year": 2025, "kind": "other"}, ["/admin_unit", "/year", "/kind"]),
        ({"phase": "2026-2030"}, []),
        ({"phase": "2025-2030"}, ["/phase"]),
        ({"phase": "2026-2026"}, ["/phase"]),
        ({"phase": "2026-2025"}, ["/phase"]),
    ],
)
def test_a_document_agrees_with_its_key(document: dict[str, Any], expected: list[str]) -> None:
    assert [fault.pointer for fault in key_faults(KEY, document)] == expected


def test_a_phase_lasts_to_the_end_of_its_last_year() -> None:
    assert planned_days(KEY, None) == (date(2026, 1, 1), date(2026, 12, 31))
    assert planned_days(KEY, "2026-2030") == (date(2026, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    ("act", "status", "code"),
    [
        (PlanAct.ISSUE, PlanStatus.DRAFT, None),
        (PlanAct.ISSUE, PlanStatus.ISSUED, "plan_already_issued"),
        (PlanAct.ISSUE, PlanStatus.AMENDED, "plan_already_issued"),
        (PlanAct.ISSUE, PlanStatus.CLOSED, "plan_already_issued"),
        (PlanAct.AMEND, PlanStatus.DRAFT, "plan_not_in_force"),
        (PlanAct.AMEND, PlanStatus.ISSUED, None),
        (PlanAct.AMEND, PlanStatus.AMENDED, None),
        (PlanAct.AMEND, PlanStatus.CLOSED, "plan_not_in_force"),
        (PlanAct.CLOSE, PlanStatus.DRAFT, "plan_not_in_force"),
        (PlanAct.CLOSE, PlanStatus.ISSUED, None),
        (PlanAct.CLOSE, PlanStatus.AMENDED, None),
        (PlanAct.CLOSE, PlanStatus.CLOSED, "plan_not_in_force"),
    ],
)
def test_the_life_of_a_plan_runs_one_way(act: PlanAct, status: PlanStatus, code: str | None) -> None:
    refusal = refusal_of(act, status)
    assert (refusal.code if refusal else None) == code


@pytest.mark.parametrize(
    ("number", "issued_on", "blanks", "expected"),
    [
        ("5/KH", date(2026, 3, 1), [], []),
        (None, None, ["document_number", "issued_on"], []),
        (None, date(2026, 3, 1), [], ["plan_blank_unstated"]),
        (None, None, ["issued_on"], ["plan_blank_unstated"]),
        (None, None, [], ["plan_blank_unstated", "plan_blank_unstated"]),
        ("5/KH", TODAY, [], []),
        ("5/KH", date(2026, 11, 23), [], ["plan_issued_in_future"]),
    ],
)
def test_blanks_are_stated_before_a_plan_is_issued(
    number: str | None, issued_on: date | None, blanks: list[str], expected: list[str]
) -> None:
    header = {"document_number": number, "issued_on": issued_on, "blank_in_source": blanks}
    assert codes(issue_faults(header, TODAY)) == expected


def content(header: dict[str, Any] | None = None, **lists: Any) -> Content:
    said = {"title_vi": "T", "document_number": None, "issued_on": None, "blank_in_source": ["document_number"]}
    systems = ({"key": "ioc", "name_vi": "IOC", "connection": "none", "last_success_at": None},)
    items = {"tasks": ({"key": "1", "title_vi": "A"}, {"key": "2", "title_vi": "B"}), "external_systems": systems}
    return Content({**said, **(header or {})}, {**items, **lists})


LIVE = ({"key": "ioc", "name_vi": "IOC", "connection": "live", "last_success_at": "2026-11-01T00:00:00Z"},)


@pytest.mark.parametrize(
    ("given", "prune", "expected"),
    [
        (content(), True, []),
        (content({"document_number": "9/KH"}), True, []),
        (content({"document_number": "9/KH", "blank_in_source": []}), True, []),
        (content({"blank_in_source": []}), True, ["/blank_in_source"]),
        (content({"blank_in_source": ["document_number", "issued_on"]}), True, ["/blank_in_source"]),
        (content({"issued_on": "2026-03-01"}), True, ["/issued_on"]),
        (content({"title_vi": "U"}), True, ["/title_vi"]),
        (content(external_systems=LIVE), True, []),
        (content(external_systems=({**LIVE[0], "name_vi": "IOC 2"},)), True, ["/external_systems/0"]),
        (content(tasks=({"key": "2", "title_vi": "B"}, {"key": "1", "title_vi": "A"})), True, []),
        (content(tasks=({"key": "1", "title_vi": "A"},)), False, []),
        (content(tasks=({"key": "1", "title_vi": "A"},)), True, ["/tasks"]),
        (content(tasks=({"key": "1", "title_vi": "A"}, {"key": "2", "title_vi": "C"})), False, ["/tasks/1"]),
        (content(tasks=({"key": "3", "title_vi": "N"},)), False, ["/tasks/0"]),
    ],
)
def test_what_changes_without_an_amendment(given: Content, prune: bool, expected: list[str]) -> None:
    assert [fault.pointer for fault in amendment_faults(content(), given, prune=prune)] == expected


def test_a_filled_blank_is_no_longer_free() -> None:
    stored = content({"document_number": "9/KH"})
    given = content({"document_number": "10/KH"})
    assert [fault.pointer for fault in amendment_faults(stored, given, prune=False)] == ["/document_number"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([PROVINCE, Unit()], []),
        ([PROVINCE, Unit(valid_to=date(2026, 4, 30)), Unit(type="ward", valid_from=date(2026, 4, 30))], []),
        ([PROVINCE, Unit(type="ward", valid_from=date(2026, 4, 30)), Unit(valid_to=date(2026, 4, 30))], []),
        (
            [PROVINCE, Unit(valid_to=date(2026, 5, 1)), Unit(valid_from=date(2026, 4, 30))],
            [("unit_validity_overlaps", 3, "valid_from")],
        ),
        ([PROVINCE, Unit(), Unit()], [("unit_validity_overlaps", 3, "valid_from")]),
        (
            [
                PROVINCE,
                Unit(),
                Unit(valid_from=date(2025, 8, 1), valid_to=date(2025, 9, 1)),
                Unit(valid_from=date(2025, 10, 1)),
            ],
            [("unit_validity_overlaps", 3, "valid_from"), ("unit_validity_overlaps", 4, "valid_from")],
        ),
        ([PROVINCE, Unit(valid_to=date(2025, 7, 1))], [("unit_validity_empty", 2, "valid_to")]),
        ([PROVINCE, Unit(province_code=None)], [("unit_province_missing", 2, "province_code")]),
        ([PROVINCE, Unit(province_code="37")], [("unit_province_unknown", 2, "province_code")]),
        ([Unit()], [("unit_province_unknown", 1, "province_code")]),
        ([PROVINCE, Unit("7500", province_code="75")], [("unit_type_mismatch", 2, "type")]),
        (
            [Unit("75", "commune", "75")],
            [("unit_type_mismatch", 1, "type"), ("unit_province_unknown", 1, "province_code")],
        ),
        ([Unit("75", "municipality", "37", date(2020, 1, 1))], [("unit_province_unwanted", 1, "province_code")]),
    ],
)
def test_units_are_refused_with_their_place(rows: list[Unit], expected: list[tuple[str, int, str]]) -> None:
    assert [(f.rule.code, f.row, f.column) for f in unit_faults(rows)] == expected


def test_a_stored_province_counts_unless_the_list_replaces_it() -> None:
    assert unit_faults([Unit()], [PROVINCE]) == []
    ended = Unit("75", "province", None, date(2020, 1, 1), date(2025, 1, 1))
    assert codes(unit_faults([ended, Unit()], [PROVINCE])) == ["unit_province_unknown"]


def test_validities_touch_without_overlapping() -> None:
    before, after = Unit(valid_to=date(2026, 4, 30)), Unit(valid_from=date(2026, 4, 30))
    assert not overlap(before, after)
    assert not overlap(after, before)
    assert overlap(Unit(), after)


def test_a_recycled_code_is_read_by_day() -> None:
    phu_dong = Unit(valid_from=date(2020, 1, 1), valid_to=date(2025, 7, 1))
    dai_phuoc = Unit()
    assert by_code([dai_phuoc, phu_dong]) == {"26491": [phu_dong, dai_phuoc]}
    assert latest_within([phu_dong, dai_phuoc], date(2025, 6, 30), date(2025, 6, 30)) == phu_dong
    assert latest_within([phu_dong, dai_phuoc], date(2025, 7, 1), date(2025, 7, 1)) == dai_phuoc
    assert latest_within([phu_dong, dai_phuoc], date(2025, 1, 1), date(2025, 12, 31)) == dai_phuoc
    assert latest_within([phu_dong], date(2025, 7, 1), date(2025, 12, 31)) is None


@dataclass(frozen=True)
class Named:
    slug: str
    name_vi: str
    aliases: tuple[str, ...] = ()


def test_a_spelling_belongs_to_one_office() -> None:
    offices = [Named("a", "Phòng Văn hóa", ("VHXH",)), Named("b", "Phòng văn hoá", ("vhxh",)), Named("c", "C", ("c",))]
    found = [(fault.rule.code, fault.pointer) for fault in alias_faults(offices, field_name="office_kinds")]
    assert found == [
        ("office_alias_ambiguous", "/office_kinds/1/name_vi"),
        ("office_alias_ambiguous", "/office_kinds/1/aliases/0"),
    ]


KNOWN = KnownOffices(
    frozenset({"phong-vhxh", "so-khcn"}),
    dict.fromkeys(alias_keys("Phòng Văn hóa - Xã hội", ["Phòng VH-XH"]), "phong-vhxh"),
)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (["phong-vhxh", "so-khcn"], []),
        (["PHÒNG VH-XH"], [("office_unknown", "/x/0", " Có phải là phong-vhxh?")]),
        (["phong-vhhx"], [("office_unknown", "/x/0", " Có phải là phong-vhxh?")]),
        (["zzz"], [("office_unknown", "/x/0", "")]),
        (["so-khcn", "so-khcn"], [("office_repeated", "/x/1", None)]),
    ],
)
def test_names_instead_of_slugs_are_told_their_slug(named: list[str], expected: list[Any]) -> None:
    found = [(f.rule.code, f.pointer, f.values.get("suggestion_vi")) for f in KNOWN.faults(named, "/x")]
    assert found == expected


def lists(**departures: Any) -> dict[str, Any]:
    task = {
        "key": "1",
        "lead_offices": [],
        "coordinating_offices": [],
        "supporting_offices": [],
        "lead_basis": None,
        "reporting_duty": None,
        "budget_rule": None,
        "external_systems": [],
        "execution_time_kind": None,
        "execution_time": None,
        "execution_time_text": None,
        **departures,
    }
    duty = {"key": "RD1", "from_offices": [], "to_offices": [], "via_offices": []}
    rule = {"key": "R1", "offices": []}
    system = {"key": "ioc", "connection": "none", "last_success_at": None}
    return {"tasks": [task], "reporting_duties": [duty], "budget_rules": [rule], "external_systems": [system]}


@pytest.mark.parametrize(
    ("departures", "expected"),
    [
        ({}, []),
        ({"lead_basis": "none"}, []),
        ({"lead_basis": "explicit"}, [("lead_basis_mismatch", "/tasks/0/lead_basis")]),
        (
            {"lead_basis": "none", "lead_offices": ["phong-vhxh"]},
            [("lead_basis_mismatch", "/tasks/0/lead_basis")],
        ),
        ({"lead_offices": ["phong-vhxh"], "lead_basis": "annex"}, []),
        ({"supporting_offices": ["nobody"]}, [("office_unknown", "/tasks/0/supporting_offices/0")]),
        ({"reporting_duty": "RD1", "budget_rule": "R1", "external_systems": ["ioc"]}, []),
        ({"reporting_duty": "RD2"}, [("item_link_unknown", "/tasks/0/reporting_duty")]),
        ({"budget_rule": "R2"}, [("item_link_unknown", "/tasks/0/budget_rule")]),
        ({"external_systems": ["ioc", "lgsp"]}, [("item_link_unknown", "/tasks/0/external_systems/1")]),
        ({"execution_time_text": "Quý II"}, [("execution_time_incomplete", "/tasks/0/execution_time_kind")]),
        ({"execution_time": "2026"}, [("execution_time_incomplete", "/tasks/0/execution_time_kind")]),
        ({"execution_time_kind": "ongoing"}, [("execution_time_incomplete", "/tasks/0/execution_time_kind")]),
        ({"execution_time_kind": "ongoing", "execution_time_text": "Thường xuyên"}, []),
        (
            {"execution_time_kind": "quarter", "execution_time": "Q2", "execution_time_text": "Quý II"},
            [("execution_time_invalid", "/tasks/0/execution_time")],
        ),
    ],
)
def test_tasks_are_refused_with_their_place(departures: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert [(f.rule.code, f.pointer) for f in item_faults(lists(**departures), KNOWN)] == expected


def test_a_key_stands_once_in_its_list() -> None:
    given = lists()
    given["budget_rules"] *= 2
    assert [(f.rule.code, f.pointer) for f in item_faults(given, KNOWN)] == [
        ("item_key_repeated", "/budget_rules/1/key")
    ]


def test_a_success_needs_a_live_connection() -> None:
    given = lists()
    given["external_systems"][0]["last_success_at"] = "2026-11-01T00:00:00Z"
    found = [(f.rule.code, f.pointer) for f in item_faults(given, KNOWN)]
    assert found == [("system_success_without_connection", "/external_systems/0/last_success_at")]
    given["external_systems"][0]["connection"] = "live"
    assert list(item_faults(given, KNOWN)) == []
