"""The pure rules of budgets: bodies, times, sums, and what plans demand of themselves."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from chassis.errors import Fault
from chassis.money import MAX_VND
from services.budget.domain.checks import CheckVerdict, Facts, Figure, Judgement, Sum, sum_checks
from services.budget.domain.execution_time import Days, execution_time_faults, implied_days
from services.budget.domain.judging import judge_plan
from services.budget.domain.lines import group_faults, line_faults, named_offices, office_faults, total_faults
from services.budget.domain.plan_rules import judge_rule
from services.budget.domain.sets import budget_sets, plain


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


@pytest.mark.parametrize(
    ("kind", "value", "starts_on", "ends_on"),
    [
        ("year", "2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("year_range", "2026/2027", date(2026, 1, 1), date(2027, 12, 31)),
        ("quarter", "2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("quarter", "2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("quarter_range", "2026-Q2/2026-Q3", date(2026, 4, 1), date(2026, 9, 30)),
        ("quarter_range", "2026-Q4/2027-Q1", date(2026, 10, 1), date(2027, 3, 31)),
        ("month", "2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("date", "2026-04-30", date(2026, 4, 30), date(2026, 4, 30)),
        ("ongoing", "2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("ongoing", None, None, None),
        (None, None, None, None),
    ],
)
def test_a_stated_time_implies_calendar_days(
    kind: str | None, value: str | None, starts_on: date | None, ends_on: date | None
) -> None:
    assert implied_days(kind, value) == Days(starts_on, ends_on)
    assert list(execution_time_faults(kind, value, "/lines/0")) == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (None, "2026"),
        ("year", None),
        ("year", "2026-Q1"),
        ("year", "2026/2027"),
        ("year", "26"),
        ("year_range", "2026"),
        ("year_range", "2027/2026"),
        ("year_range", "2026/2026"),
        ("quarter", "2026-Q5"),
        ("quarter", "2026Q2"),
        ("quarter_range", "2026-Q3/2026-Q2"),
        ("quarter_range", "2026-Q2/2026-09"),
        ("month", "2026-13"),
        ("date", "2026-02-30"),
        ("ongoing", "2026-Q1"),
        ("year", "9999"),
    ],
)
def test_a_time_of_another_form_is_a_fault(kind: str | None, value: str | None) -> None:
    faults = list(execution_time_faults(kind, value, "/lines/3"))
    assert told(faults) == [("budget_execution_time_invalid", "/lines/3/execution_time")]
    assert faults[0].value == value


def test_years_of_a_time_are_the_years_it_touches() -> None:
    assert implied_days("year_range", "2026/2028").years == [2026, 2027, 2028]
    assert implied_days(None, None).years == []


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


PARTS = [
    {"expenditure_kind": "recurrent", "budget_years": [2026], "count": 12, "amount_vnd": 4_385_000_000},
    {"expenditure_kind": "investment", "budget_years": [2026, 2027], "count": 1, "amount_vnd": 4_000_000_000},
]
SUM = Sum(16, 1_670_000_000)
TAN_HUNG = Facts(
    lines=SUM,
    cells=Sum(10, 1_670_000_000),
    groups=Sum(7, 1_670_000_000),
    reserve=Sum(1, 50_000_000),
    stated_total_vnd=1_670_000_000,
)


def checks(facts: Facts) -> dict[str, Judgement]:
    return {judgement.check_key: judgement for judgement in sum_checks(facts)}


def test_sixteen_lines_are_ten_cells_in_seven_groups() -> None:
    found = checks(TAN_HUNG)
    assert {key: judgement.verdict for key, judgement in found.items()} == dict.fromkeys(
        (
            "lines_equal_total",
            "cells_equal_lines",
            "groups_equal_cells",
            "groups_equal_total",
            "every_line_in_one_cell",
            "pillars_match_groups",
        ),
        CheckVerdict.HOLDS,
    )
    cells = found["cells_equal_lines"]
    assert cells.found == Figure("cells", 1_670_000_000, count=10)
    assert cells.required == Figure("lines", 1_670_000_000, count=16)
    assert cells.difference == 0
    assert cells.reason_vi == "10 ô tiền (1.670.000.000 ₫) bằng 16 dòng (1.670.000.000 ₫)."
    assert found["lines_equal_total"].reason_vi == (
        "16 dòng (1.670.000.000 ₫) bằng tổng kế hoạch nêu (1.670.000.000 ₫)."
    )


def test_a_plan_without_a_total_shows_its_parts() -> None:
    found = checks(Facts(lines=Sum(13, 8_385_000_000), parts=PARTS))
    assert list(found) == ["lines_equal_total"]
    judgement = found["lines_equal_total"]
    assert judgement.verdict is CheckVerdict.NOT_MEASURABLE
    assert judgement.missing == ("stated_total",)
    assert judgement.difference is None
    assert judgement.reason_vi == (
        "12 dòng chi thường xuyên 4.385.000.000 ₫ và 1 dòng đầu tư công 4.000.000.000 ₫ (2026-2027), "
        "cộng 8.385.000.000 ₫; kế hoạch không nêu tổng để đối chiếu."
    )
    assert judgement.reason_en == (
        "12 lines of recurrent expenditure 4.385.000.000 ₫ and 1 line of public investment 4.000.000.000 ₫ "
        "(2026-2027), together 8.385.000.000 ₫; the plan states no total to compare with."
    )


def test_a_plan_without_a_budget_says_so_and_nothing_else() -> None:
    found = checks(Facts())
    assert list(found) == ["budget_stated"]
    assert found["budget_stated"].verdict is CheckVerdict.NO_BUDGET
    assert found["budget_stated"].difference is None


def test_a_total_without_lines_is_broken() -> None:
    judgement = checks(Facts(stated_total_vnd=5))["lines_equal_total"]
    assert (judgement.verdict, judgement.difference) == (CheckVerdict.BROKEN, -5)
    assert judgement.reason_en == "lines (0 ₫) do not equal the plan's stated total (5 ₫)."


def test_sums_that_differ_are_broken_with_the_gap() -> None:
    facts = Facts(lines=Sum(2, 300), cells=Sum(1, 250), groups=Sum(1, 200), stated_total_vnd=300)
    found = checks(facts)
    assert (found["cells_equal_lines"].verdict, found["cells_equal_lines"].difference) == (CheckVerdict.BROKEN, -50)
    assert (found["groups_equal_cells"].verdict, found["groups_equal_cells"].difference) == (CheckVerdict.BROKEN, -50)
    assert (found["groups_equal_total"].verdict, found["groups_equal_total"].difference) == (CheckVerdict.BROKEN, -100)


def test_equal_sums_with_uneven_parts_are_broken() -> None:
    uneven = [
        {"key": "C1", "amount_vnd": 60, "parts_vnd": 50, "difference_vnd": 10},
        {"key": "C2", "amount_vnd": 40, "parts_vnd": 50, "difference_vnd": -10},
    ]
    facts = Facts(lines=Sum(2, 100), cells=Sum(2, 100), groups=Sum(1, 100), uneven_cells=uneven)
    judgement = checks(facts)["cells_equal_lines"]
    assert judgement.verdict is CheckVerdict.BROKEN
    assert judgement.difference == 0
    assert judgement.details == uneven
    assert judgement.reason_vi == "2 ô tiền (100 ₫) bằng về tổng nhưng từng phần không khớp với 2 dòng (100 ₫)."


def test_lines_outside_cells_and_in_foreign_groups_are_named() -> None:
    facts = Facts(
        lines=Sum(3, 300),
        cells=Sum(1, 300),
        groups=Sum(1, 300),
        misplaced_lines=["B"],
        lines_in_foreign_groups=["A", "C"],
    )
    found = checks(facts)
    placed, at_home = found["every_line_in_one_cell"], found["pillars_match_groups"]
    assert (placed.verdict, placed.difference, placed.details) == (CheckVerdict.BROKEN, -1, ["B"])
    assert (at_home.verdict, at_home.difference, at_home.details) == (CheckVerdict.BROKEN, -2, ["A", "C"])
    assert placed.reason_vi == "2 trên 3 dòng đứng trong đúng một ô tiền."


def rule(kind: str, **params: Any) -> dict[str, Any]:
    given = {"metric": "chi", "comparator": None, "value": None, "measure_unit": "percent", "base": None}
    return {"key": "R1", "kind": kind, "rule_vi": "…", "params": {**given, **params}}


def test_a_rule_in_words_is_qualitative() -> None:
    judgement = judge_rule({"key": "R2", "kind": "scope_limit", "rule_vi": "Không dàn trải", "params": None}, TAN_HUNG)
    assert judgement.verdict is CheckVerdict.QUALITATIVE
    assert (judgement.found, judgement.required, judgement.comparator) == (None, None, None)


def test_disbursement_waits_for_a_ledger_and_shows_both_bases() -> None:
    asked = rule("disbursement_target", metric="tỷ lệ giải ngân", comparator="eq", value=100, base=1_670_000_000)
    judgement = judge_rule(asked, TAN_HUNG)
    assert judgement.verdict is CheckVerdict.NOT_MEASURABLE
    assert judgement.missing == ["disbursed"]
    assert (judgement.comparator, judgement.required) == ("eq", Figure("required_value", 100, "percent"))
    assert judgement.details == [
        {"name": "stated_base", "amount_vnd": 1_670_000_000},
        {"name": "lines", "amount_vnd": 1_670_000_000},
    ]
    assert judgement.reason_vi == "Chưa tính được, còn thiếu: số đã giải ngân (hệ thống chưa có sổ giải ngân)."


def test_the_reserve_is_compared_with_what_is_promised() -> None:
    promised = rule("contingency", comparator="eq", value=50_000_000, measure_unit="vnd")
    judgement = judge_rule(promised, TAN_HUNG)
    assert (judgement.verdict, judgement.difference) == (CheckVerdict.HOLDS, 0)
    assert judgement.found == Figure("reserve_lines", 50_000_000, count=1)
    assert judgement.reason_vi == "Đúng: 50.000.000 ₫ = 50.000.000 ₫."
    short = judge_rule(promised, Facts(lines=SUM, reserve=Sum(1, 40_000_000)))
    assert (short.verdict, short.difference) == (CheckVerdict.BROKEN, -10_000_000)
    assert judge_rule(promised, Facts()).missing == ["budget_lines"]


@pytest.mark.parametrize(
    ("cybersecurity", "comparator", "verdict"),
    [
        (100, "gte", CheckVerdict.HOLDS),
        (99, "gte", CheckVerdict.BROKEN),
        (100, "gt", CheckVerdict.BROKEN),
        (101, "gt", CheckVerdict.HOLDS),
        (100, "lte", CheckVerdict.HOLDS),
        (100, "lt", CheckVerdict.BROKEN),
        (100, "eq", CheckVerdict.HOLDS),
    ],
)
def test_a_share_of_the_plans_own_lines_is_computed_unrounded(
    cybersecurity: int, comparator: str, verdict: CheckVerdict
) -> None:
    asked = rule("share_min", metric="kinh phí an toàn thông tin", comparator=comparator, value=10)
    facts = Facts(lines=Sum(2, 1000), amount_by_pillar={"cybersecurity": cybersecurity})
    judgement = judge_rule(asked, facts)
    assert judgement.verdict is verdict
    assert judgement.found == Figure(
        "share", Decimal(cybersecurity).scaleb(-1).quantize(Decimal("0.000001")), "percent"
    )
    assert judgement.details == [
        {"name": "cybersecurity", "amount_vnd": cybersecurity},
        {"name": "lines", "amount_vnd": 1000},
    ]


def test_a_share_just_below_its_threshold_is_not_rounded_across_it() -> None:
    asked = rule("share_min", metric="kinh phí an toàn thông tin", comparator="gte", value=10)
    facts = Facts(lines=Sum(2, 10**12), amount_by_pillar={"cybersecurity": 10**11 - 1})
    judgement = judge_rule(asked, facts)
    assert judgement.verdict is CheckVerdict.BROKEN
    assert judgement.found == Figure("share", Decimal("10.000000"), "percent")


@pytest.mark.parametrize(
    ("params", "lines", "missing"),
    [
        ({"metric": "kinh phí an toàn thông tin", "value": 10}, Sum(), ["budget_lines"]),
        ({"metric": "chi NSĐP cho KHCN", "value": 2, "base": "GRDP"}, SUM, ["local_spending", "grdp"]),
        ({"metric": "chi NS cho KHCN, CĐS", "base": "tỉnh phân bổ"}, SUM, ["required_value", "local_spending"]),
        ({"metric": "kinh phí đào tạo", "value": 5}, SUM, ["known_measure"]),
        ({"metric": "kinh phí an toàn thông tin", "value": 5, "measure_unit": "vnd"}, SUM, ["known_measure"]),
        ({"metric": "kinh phí an toàn thông tin", "value": 5, "comparator": None}, SUM, ["known_measure"]),
    ],
)
def test_a_share_names_what_is_missing(params: dict[str, Any], lines: Sum, missing: list[str]) -> None:
    judgement = judge_rule(rule("share_min", **{"comparator": "gte", **params}), Facts(lines=lines))
    assert judgement.verdict is CheckVerdict.NOT_MEASURABLE
    assert judgement.missing == missing


def test_other_rules_with_a_metric_name_what_is_missing() -> None:
    words = {"metric": "chi CĐS / tổng chi NSĐP", "base": "tổng chi ngân sách địa phương 2026"}
    assert judge_rule(rule("allocation_priority", **words), TAN_HUNG).missing == ["required_value", "local_spending"]
    assert judge_rule(rule("pilot", metric="số lớp", value=2), TAN_HUNG).missing == ["known_measure"]
    assert judge_rule(rule("disbursement_timing"), TAN_HUNG).missing == ["required_value", "disbursed"]


def test_a_decimal_threshold_from_a_replica_is_what_the_plan_wrote() -> None:
    judgement = judge_rule(rule("share_min", metric="an ninh mạng", comparator="gte", value=2.5), TAN_HUNG)
    assert judgement.required == Figure("required_value", Decimal("2.5"), "percent")


def test_the_checks_of_a_plan_are_counted_by_verdict() -> None:
    row = {
        "plan_key": "25345-2026-x",
        "lines": {"count": 1, "amount_vnd": 50},
        "cells": {"count": 0, "amount_vnd": 0},
        "groups": {"count": 0, "amount_vnd": 0},
        "reserve": {"count": 1, "amount_vnd": 50},
        "budget_total_vnd": 50,
        "amount_by_pillar": None,
        "parts": [],
        "uneven_cells": [],
        "uneven_groups": [],
        "misplaced_lines": ["A"],
        "lines_in_foreign_groups": [],
        "budget_rules": [
            {**rule("contingency", comparator="eq", value=50, measure_unit="vnd"), "note": "riêng", "offices": []},
            {"key": "R2", "kind": "scope_limit", "rule_vi": "…"},
        ],
    }
    judged = judge_plan(row)
    assert judged["verdicts"] == {"holds": 2, "broken": 0, "not_measurable": 0, "qualitative": 1, "no_budget": 0}
    assert (judged["has_budget"], judged["lines"], judged["amount_vnd"], judged["stated_total_vnd"]) == (
        True,
        1,
        50,
        50,
    )
    assert [check["check_key"] for check in judged["checks"]] == ["lines_equal_total", "R1", "R2"]
    assert judged["checks"][0]["rule"] is None
    assert judged["checks"][0]["difference"] == 0
    assert "note" not in judged["checks"][1]["rule"]
    assert judged["checks"][2]["rule"] == {
        "key": "R2",
        "kind": "scope_limit",
        "rule_vi": "…",
        "params": None,
        "offices": None,
        "discrepancy": None,
        "source_ref": None,
    }
