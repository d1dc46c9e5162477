"""Rows against each other, and against the stored figures of their keys."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from services.indicators.domain.actuals.settling import (
    KEY,
    STORED,
    Outcome,
    changed,
    collapse,
    counts,
    refuse_withdrawals,
    settle,
    tell_stale,
)
from tests.indicators.frames import WITHDRAWN, judged, only, sentence, settled, stored, told

GONE = {"is_withdrawn": "t", "value": None}


def collapsed(*cells: dict[str, Any]) -> tuple[list[int], int, list[tuple[int | None, object]]]:
    """The rows kept, the repeats, and which row contradicts which."""
    found = collapse(judged(*cells))
    assert [code for _, _, code in told(found.findings)] == ["rows_contradict"] * found.findings.total
    return (
        found.frame["row"].to_list(),
        found.repeats,
        [(fault.row, fault.values["other"]) for fault in found.findings.listed()],
    )


def test_rows_of_different_keys_are_sorted_by_key() -> None:
    rows = ({"admin_unit": "26434"}, {"indicator": "COUNT", "value": 1}, {"regime": "calendar"}, {})
    found = collapse(judged(*rows))
    assert found.frame["row"].to_list() == [4, 3, 2, 1]
    assert found.frame.select(KEY).rows() == [(1, 1, 30, 0), (1, 1, 31, 0), (1, 6, 30, 0), (2, 1, 30, 0)]
    assert (found.repeats, found.findings.total) == (0, 0)


def test_rows_in_order_stay_as_they_are() -> None:
    assert collapsed({}, {"regime": "calendar"}, {"indicator": "COUNT", "value": 1}) == ([1, 2, 3], 0, [])
    assert collapsed() == ([], 0, [])


@pytest.mark.parametrize(
    "again",
    [
        {},
        {"value": 85.50},
        {"commune": "26491"},
        {"regime": "state"},
        {"period": "2026Q3"},
        {"action": "set"},
        {"note": " "},
    ],
)
def test_identical_rows_collapse_however_they_are_written(again: dict[str, Any]) -> None:
    assert collapsed({}, again, {}) == ([1], 2, [])


@pytest.mark.parametrize(
    "other",
    [
        {"value": 86},
        {"note": "khác"},
        {"source": "x"},
        {"evidence_url": "https://x"},
        {"data_status": "official"},
        {"measured_on": "2026-09-14"},
        {"reason": "x"},
        {"base_version": 1},
        {"value": None, "numerator": 855, "denominator": 1000},
        {"numerator": 855, "denominator": 1000},
        WITHDRAWN,
    ],
)
def test_rows_that_say_otherwise_are_all_refused(other: dict[str, Any]) -> None:
    assert collapsed({}, other) == ([], 0, [(1, "2"), (2, "1")])


def test_three_of_a_key_are_all_refused_each_naming_one_it_contradicts() -> None:
    assert collapsed({}, {}, {"value": 86}) == ([], 0, [(1, "3"), (2, "3"), (3, "1")])
    assert collapsed({}, {"value": 86}, {"value": 87}) == ([], 0, [(1, "2"), (2, "1"), (3, "1")])
    assert collapsed({}, {"value": 86}, {}) == ([], 0, [(1, "2"), (2, "1"), (3, "2")])


def test_other_keys_are_not_drawn_in() -> None:
    twice = {"admin_unit": "26434"}
    assert collapsed({}, {"value": 86}, twice, twice, {"indicator": "COUNT", "value": 1}) == (
        [5, 3],
        1,
        [(1, "2"), (2, "1")],
    )


def test_sub_populations_are_keys_of_their_own() -> None:
    assert collapsed({}, {"value": 86, "sub_population": "học sinh"}) == ([1, 2], 0, [])


def test_a_contradiction_is_told_in_words() -> None:
    first, _ = collapse(judged({}, {"value": 86})).findings.listed()
    assert (first.row, first.column, first.value) == (1, "indicator", "RATE")
    assert sentence(first) == "Trái với dòng 2 cùng khóa trong lần gửi này."
    assert sentence(first, "en") == "Contradicts row 2 of this post, which has the same key."


# Cells, the stored figure, outcome, version afterwards, what makes it stale.
SETTLED: list[tuple[dict[str, Any], dict[str, Any] | None, str, int, str | None]] = [
    ({}, None, "created", 1, None),
    ({"base_version": 0}, None, "created", 1, None),
    ({"measured_on": "2026-01-01"}, None, "created", 1, None),
    ({"base_version": 1}, None, "stale", 0, "base_version"),
    (WITHDRAWN, None, "refused", 0, None),
    ({**WITHDRAWN, "base_version": 1}, None, "refused", 0, "base_version"),
    ({}, {}, "unchanged", 3, None),
    ({"measured_on": "2026-09-01"}, {}, "unchanged", 3, "measured_on"),
    ({"measured_on": "2026-09-20"}, {}, "unchanged", 3, None),
    ({"base_version": 1}, {}, "unchanged", 3, "base_version"),
    ({"reason": "đối chiếu"}, {}, "unchanged", 3, None),
    ({"value": 86}, {}, "updated", 4, None),
    ({"note": "đã rà soát"}, {}, "updated", 4, None),
    ({"source": "csdl"}, {}, "updated", 4, None),
    ({"evidence_url": "https://x"}, {}, "updated", 4, None),
    ({"data_status": "official"}, {}, "updated", 4, None),
    ({}, {"note": "đã rà soát"}, "updated", 4, None),
    ({"numerator": 855, "denominator": 1000}, {}, "updated", 4, None),
    (
        {"numerator": 855, "denominator": 1000},
        {"numerator": Decimal(855), "denominator": Decimal(1000)},
        "unchanged", 3, None,
    ),
    (
        {"numerator": 1710, "denominator": 2000},
        {"numerator": Decimal(855), "denominator": Decimal(1000)},
        "updated", 4, None,
    ),
    ({"value": 86, "base_version": 3}, {}, "updated", 4, None),
    ({"value": 86, "base_version": 2}, {}, "stale", 3, "base_version"),
    ({"value": 86, "base_version": 4}, {}, "stale", 3, "base_version"),
    ({"value": 86, "base_version": 0}, {}, "stale", 3, "base_version"),
    ({"value": 86, "measured_on": "2026-09-13"}, {}, "stale", 3, "measured_on"),
    ({"value": 86, "measured_on": "2026-09-13", "base_version": 3}, {}, "stale", 3, "measured_on"),
    ({"value": 86, "measured_on": "2026-09-13", "base_version": 2}, {}, "stale", 3, "base_version"),
    ({"value": 86, "measured_on": "2026-09-14"}, {}, "updated", 4, None),
    (WITHDRAWN, {}, "updated", 4, None),
    ({**WITHDRAWN, "measured_on": "2026-09-13"}, {}, "stale", 3, "measured_on"),
    ({**WITHDRAWN, "base_version": 2}, {}, "stale", 3, "base_version"),
    ({**WITHDRAWN, "base_version": 3}, {}, "updated", 4, None),
    (WITHDRAWN, GONE, "unchanged", 3, None),
    ({}, GONE, "updated", 4, None),
    ({"base_version": 3}, GONE, "updated", 4, None),
    ({"base_version": 2}, GONE, "stale", 3, "base_version"),
    ({"measured_on": "2026-09-13"}, GONE, "updated", 4, None),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "figure", "outcome", "version", "stale_on"), SETTLED)
def test_a_row_against_what_is_stored(
    cells: dict[str, Any], figure: dict[str, Any] | None, outcome: str, version: int, stale_on: str | None
) -> None:
    found = settled(cells, *([figure] if figure is not None else []))
    assert found.select("outcome", "version", "stale_on").rows() == [(outcome, version, stale_on)]
    assert changed(found).height == (outcome in ("created", "updated"))


KINDS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"indicator": "LEVEL", "level": 2}, {"indicator_id": 8, "kind": 2, "value": Decimal(2)}),
    ({"indicator": "RANK", "rank": 8}, {"indicator_id": 9, "kind": 3, "value": Decimal(8)}),
    ({"indicator": "WORDS", "text": "đúng, đủ"}, {"indicator_id": 11, "kind": 4, "value": None, "words": "đúng, đủ"}),
    (
        {"indicator": "DONE", "done_on": "2026-09-01"},
        {"indicator_id": 10, "kind": 5, "value": None, "done_on": date(2026, 9, 1)},
    ),
]


@pytest.mark.parametrize(("cells", "figure"), KINDS)
def test_every_kind_of_figure_is_known_again(cells: dict[str, Any], figure: dict[str, Any]) -> None:
    assert settled({"value": None, **cells}, figure)["outcome"].to_list() == ["unchanged"]
    assert settled({"value": None, **cells, "note": "x"}, figure)["outcome"].to_list() == ["updated"]


def test_the_figures_of_other_keys_do_not_count() -> None:
    others = [{"admin_unit_id": 2}, {"indicator_id": 2}, {"period_id": 31}, {"sub_population_id": 5}]
    assert settled({}, *others)["outcome"].to_list() == ["created"]
    assert settled({"value": 86}, *others, {})["version"].to_list() == [4]


@pytest.mark.parametrize(
    ("cells", "stored_on", "measured_on"),
    [
        ({"value": 86}, date(2026, 10, 1), date(2026, 10, 1)),
        ({"value": 86}, date(2026, 9, 1), date(2026, 9, 14)),
        ({"value": 86, "measured_on": "2026-10-02"}, date(2026, 10, 1), date(2026, 10, 2)),
        (WITHDRAWN, date(2026, 10, 1), date(2026, 10, 1)),
    ],
)
def test_an_unstated_day_never_makes_the_stored_one_older(
    cells: dict[str, Any], stored_on: date, measured_on: date
) -> None:
    found = settled(cells, {"measured_on": stored_on})
    assert found.select("outcome", "measured_on").rows() == [("updated", measured_on)]


def test_a_new_figure_describes_the_end_of_its_period() -> None:
    assert settled({})["measured_on"].to_list() == [date(2026, 9, 14)]


def test_the_stored_figure_stands_beside_the_row() -> None:
    (found,) = settled({"value": 86}, {"note": "cũ"}).to_dicts()
    assert {name: found[f"old_{name}"] for name in ("version", "value", "note", "is_withdrawn", "data_status")} == {
        "version": 3,
        "value": Decimal("85.5"),
        "note": "cũ",
        "is_withdrawn": "f",
        "data_status": 2,
    }
    empty = settled({})
    assert {f"old_{name}" for name in STORED if name not in KEY} <= set(empty.columns)
    assert empty.schema["old_value"] == pl.Decimal(38, 6)


def test_a_withdrawal_of_nothing_is_told_in_words() -> None:
    fault = only(refuse_withdrawals(settled(WITHDRAWN)))
    assert (fault.row, fault.column, fault.rule.code, fault.value) == (1, "action", "nothing_to_withdraw", "withdraw")
    assert (sentence(fault), sentence(fault, "en")) == (
        "Không có số liệu nào để rút.",
        "There is no figure to withdraw.",
    )
    assert told(refuse_withdrawals(settled(WITHDRAWN, GONE))) == []
    assert told(tell_stale(settled({**WITHDRAWN, "base_version": 1}))) == []


def test_what_is_older_is_told_in_words() -> None:
    fault = only(tell_stale(settled({"value": 86, "measured_on": "2026-09-13"}, {})))
    assert (fault.row, fault.column, fault.rule.code, fault.value) == (
        1,
        "measured_on",
        "measured_on_older",
        "2026-09-13",
    )
    assert sentence(fault) == "Số liệu ngày 2026-09-13 cũ hơn số đang lưu (ngày 2026-09-14)."
    assert sentence(fault, "en") == "A figure of 2026-09-13 is older than the stored one (2026-09-14)."


@pytest.mark.parametrize(("figure", "version"), [({}, 3), (None, 0)])
def test_what_was_changed_since_is_told_in_words(figure: dict[str, Any] | None, version: int) -> None:
    fault = only(tell_stale(settled({"value": 86, "base_version": 2}, *([figure] if figure is not None else []))))
    assert (fault.row, fault.column, fault.rule.code, fault.value) == (1, "base_version", "changed_since_template", "2")
    assert sentence(fault) == f"Số liệu đã ở phiên bản {version}, không còn là 2."
    assert sentence(fault, "en") == f"The figure is at version {version}, no longer 2."


def test_an_unchanged_row_is_not_called_stale() -> None:
    assert told(tell_stale(settled({"base_version": 1, "measured_on": "2026-01-01"}, {}))) == []


def test_rows_are_counted_by_outcome() -> None:
    rows = judged(
        {}, {"admin_unit": "26434"}, {"indicator": "COUNT", "value": 1, "base_version": 9}, {"regime": "calendar"}
    )
    found = settle(collapse(rows).frame, stored({}, {"admin_unit_id": 2, "value": Decimal(1)}))
    assert counts(found) == {"created": 1, "updated": 1, "unchanged": 1, "stale": 1}
    assert changed(found).select("row", "outcome").rows() == [(4, Outcome.CREATED), (2, Outcome.UPDATED)]
    assert counts(found.clear()) == {"created": 0, "updated": 0, "unchanged": 0, "stale": 0}


@pytest.mark.parametrize("largest", [10, 2**31 - 1])
def test_rows_meet_what_is_stored_under_their_own_keys_in_whatever_order(largest: int) -> None:
    keys = [
        (unit, indicator, period, sub)
        for unit in (1, 2, largest)
        for indicator in (1, 2, largest)
        for period in (1, 2, largest)
        for sub in (0, 1, largest)
    ]
    there = {key: version for version, key in enumerate(reversed(keys), start=1) if sum(key) % 3}
    of_key = [dict(zip(KEY, key, strict=True)) for key in keys]
    one = judged({})
    rows = pl.concat(
        one.with_columns(pl.lit(part, pl.Int32).alias(name) for name, part in key.items()) for key in of_key
    )
    old = stored(*({**dict(zip(KEY, key, strict=True)), "version": version} for key, version in there.items()))
    found = settle(rows, old)
    assert found.select(KEY).rows() == keys
    assert found["old_version"].to_list() == [there.get(key) for key in keys]
