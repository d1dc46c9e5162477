"""The pure rules of sums, and of what plans demand of themselves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.budget.domain.checks import CheckVerdict, Facts, Figure, Judgement, Sum, sum_checks
from services.budget.domain.judging import judge_plan
from services.budget.domain.plan_rules import judge_rule

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
        "12 lines of recurrent expenditure 4,385,000,000 VND and 1 line of public investment 4,000,000,000 VND "
        "(2026-2027), together 8,385,000,000 VND; the plan states no total to compare with."
    )


def test_a_plan_without_a_budget_says_so_and_nothing_else() -> None:
    found = checks(Facts())
    assert list(found) == ["budget_stated"]
    assert found["budget_stated"].verdict is CheckVerdict.NO_BUDGET
    assert found["budget_stated"].difference is None


def test_a_total_without_lines_is_broken() -> None:
    judgement = checks(Facts(stated_total_vnd=5))["lines_equal_total"]
    assert (judgement.verdict, judgement.difference) == (CheckVerdict.BROKEN, -5)
    assert judgement.reason_en == "lines (0 VND) do not equal the plan's stated total (5 VND)."


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
    assert judgement.reason_en == "Holds: 50,000,000 VND = 50,000,000 VND."
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
    assert judgement.found == Figure("share", Decimal("9.999999"), "percent")
    assert judgement.reason_vi == "Không đúng: 9,999999 % ≥ 10 %."


@pytest.mark.parametrize(
    ("part", "whole", "found", "reason_vi", "reason_en"),
    [
        (9_996, 100_000, "9.996", "Không đúng: 9,996 % ≥ 10 %.", "Does not hold: 9.996 % ≥ 10 %."),
        (10_004, 100_000, "10.004", "Đúng: 10,004 % ≥ 10 %.", "Holds: 10.004 % ≥ 10 %."),
        (10_000, 100_000, "10", "Đúng: 10 % ≥ 10 %.", "Holds: 10 % ≥ 10 %."),
        (1, 3, "33.333333", "Đúng: 33,33 % ≥ 10 %.", "Holds: 33.33 % ≥ 10 %."),
        (2, 3, "66.666667", "Đúng: 66,67 % ≥ 10 %.", "Holds: 66.67 % ≥ 10 %."),
        (10_000_005, 100_000_000, "10.000005", "Đúng: 10,000005 % ≥ 10 %.", "Holds: 10.000005 % ≥ 10 %."),
    ],
)
def test_a_share_is_never_shown_on_its_threshold_unless_it_stands_there(
    part: int, whole: int, found: str, reason_vi: str, reason_en: str
) -> None:
    asked = rule("share_min", metric="kinh phí an toàn thông tin", comparator="gte", value=10)
    judgement = judge_rule(asked, Facts(lines=Sum(2, whole), amount_by_pillar={"cybersecurity": part}))
    assert judgement.found == Figure("share", Decimal(found), "percent")
    assert (judgement.reason_vi, judgement.reason_en) == (reason_vi, reason_en)


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
