"""Ranking compares like with like, exactly, and shows what it compared."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gateway.schema.ranking_root import like_with_like, placed
from tests.gateway.shapes import Served


def figure(unit: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "admin_unit": unit, "regime": "state", "period_type": "quarter", "ends_on": "2026-06-14", "value": value,
        "numerator": None, "denominator": None, "level": None, "rank": None, "done_on": None, **more,
    }  # fmt: skip


def places(rows: list[dict[str, Any]], *, lower: bool = False) -> list[tuple[int, str]]:
    return [(item["place"], item["admin_unit"]) for item in placed(rows, is_lower_better=lower)]


def test_equal_figures_share_a_place_and_the_next_counts_them() -> None:
    rows = [figure("a", Decimal(80)), figure("b", Decimal("90.0")), figure("c", 90), figure("d", Decimal(70))]
    assert places(rows) == [(1, "b"), (1, "c"), (3, "a"), (4, "d")]
    assert places(rows, lower=True) == [(1, "d"), (2, "a"), (3, "b"), (3, "c")]


def test_ratios_are_compared_unrounded() -> None:
    third = figure("a", Decimal("33.333333"), numerator=1, denominator=3)
    less = figure("b", Decimal("33.333333"), numerator=33333333, denominator=100000000)
    assert places([less, third]) == [(1, "a"), (2, "b")]


def test_an_earlier_day_is_better() -> None:
    rows = [figure("a", done_on="2026-04-30"), figure("b", done_on="2026-03-01")]
    assert places(rows) == [(1, "b"), (2, "a")]


def test_levels_and_ranks_count_by_their_number() -> None:
    assert places([figure("a", level=2), figure("b", level=3)]) == [(1, "b"), (2, "a")]
    assert places([figure("a", rank=2), figure("b", rank=3)], lower=True) == [(1, "a"), (2, "b")]


def test_only_one_regime_and_kind_of_period_is_compared() -> None:
    rows = [
        figure("a", 1),
        figure("b", 2),
        figure("c", 3, regime="calendar"),
        figure("a", 9, period_type="year"),
    ]
    assert {(row["admin_unit"], row["value"]) for row in like_with_like(rows)} == {("a", 1), ("b", 2)}


def test_the_latest_figure_of_each_counts() -> None:
    rows = [figure("a", 1, ends_on="2026-03-14"), figure("a", 2), figure("a", 0, ends_on="2025-12-14")]
    assert [row["value"] for row in like_with_like(rows)] == [2]
    assert like_with_like([]) == []


QUERY = """query($province: String!, $indicator: String!, $on: Date) {
  ranking(province: $province, indicator: $indicator, on: $on) {
    provinceCode regime periodType on counted indicator { code }
    items { place commune { code } actual { adminUnitCode value period isSample } }
  }
}"""


async def test_a_provinces_communes_are_ranked_and_never_those_of_two(served: Served) -> None:
    actuals = (await served.ask('{actuals(province: "75", first: 200){nodes{indicatorCode adminUnitCode}}}'))["actuals"]
    units: dict[str, set[str]] = {}
    for row in actuals["nodes"]:
        units.setdefault(row["indicatorCode"], set()).add(row["adminUnitCode"])
    indicator, _ = max(units.items(), key=lambda pair: (len(pair[1]), pair[0]))
    variables = {"province": "75", "indicator": indicator, "on": "2026-11-22"}
    ranking = (await served.ask(QUERY, variables))["ranking"]
    assert ranking["indicator"] == {"code": indicator}
    assert ranking["counted"] == len(ranking["items"]) >= 2
    assert {item["actual"]["adminUnitCode"] for item in ranking["items"]} <= {"25345", "25378", "26434", "26491"}
    assert [item["place"] for item in ranking["items"]] == sorted(item["place"] for item in ranking["items"])
    assert all(item["commune"]["code"] == item["actual"]["adminUnitCode"] for item in ranking["items"])
    before = (await served.ask(QUERY, {**variables, "on": "2025-01-01"}))["ranking"]
    assert (before["counted"], before["items"], before["regime"], before["periodType"]) == (0, [], None, None)


async def test_what_cannot_be_ranked_says_so(served: Served) -> None:
    answer = await served.post(QUERY, {"province": "75", "indicator": "NO_SUCH"})
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["ranking_indicator_unknown"]
    assert answer["data"] == {"ranking": None}
