"""Figures that are kept, in the form they are stored in: exact, with their status and day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.decimals import quotient
from services.indicators.domain.actuals.columns import Kind
from services.indicators.domain.actuals.judging import judge_rows, without, written
from services.indicators.domain.actuals.resolving import resolve
from tests.indicators.frames import (
    TODAY,
    WITHDRAWN,
    codes,
    judged,
    of,
    ratio,
    read_csv,
    resolved,
    told,
    verdict,
)

# Cells, kind, the number.
KEPT: list[tuple[dict[str, Any], Kind, str]] = [
    ({"value": 0}, Kind.VALUE, "0"),
    ({"value": 100}, Kind.VALUE, "100"),
    ({"value": 99.999999}, Kind.VALUE, "99.999999"),
    ({"indicator": "OPEN_RATE", "value": 104}, Kind.VALUE, "104"),
    (ratio(2, 3), Kind.VALUE, "66.666667"),
    (ratio(2, 3, value=66.666667), Kind.VALUE, "66.666667"),
    (ratio(0, 3), Kind.VALUE, "0"),
    (ratio(3, 3), Kind.VALUE, "100"),
    (ratio(1, 200000000), Kind.VALUE, "0.000001"),
    (ratio(1, 200000001), Kind.VALUE, "0"),
    (ratio(0.5, 2.5), Kind.VALUE, "20"),
    (ratio(6, 5, indicator="OPEN_RATE"), Kind.VALUE, "120"),
    (ratio(99999999999.9, 0.1, indicator="OPEN_RATE"), Kind.VALUE, "99999999999900"),
    (ratio(7, 10, indicator="INDEX"), Kind.VALUE, "0.7"),
    (ratio(7, 10, indicator="SHARE"), Kind.VALUE, "0.7"),
    (ratio(2, 3, indicator="POINTS"), Kind.VALUE, "66.666667"),
    ({"indicator": "INDEX", "value": 0.7214}, Kind.VALUE, "0.7214"),
    ({"indicator": "INDEX", "value": 1}, Kind.VALUE, "1"),
    ({"indicator": "COUNT", "value": 3.0}, Kind.VALUE, "3"),
    ({"indicator": "AMOUNT", "value": 99999999999999}, Kind.VALUE, "99999999999999"),
    (of("LEVEL", level=1), Kind.LEVEL, "1"),
    (of("LEVEL", level=5), Kind.LEVEL, "5"),
    (of("RANK", rank=1), Kind.RANK, "1"),
    (of("RANK", rank=999999999), Kind.RANK, "999999999"),
]


@pytest.mark.parametrize(("cells", "kind", "number"), KEPT)
def test_good_figures_are_kept_exactly(cells: dict[str, Any], kind: Kind, number: str) -> None:
    frame = judged(cells)
    assert frame.select("kind", "number").rows() == [(kind, Decimal(number))]
    assert frame["number"].dtype == pl.Decimal(38, 6)


def test_words_and_days_are_figures_too() -> None:
    frame = judged(of("WORDS", text="Theo phân bổ"), of("DONE", done_on="2026-09-14"))
    assert frame.select("kind", "number", "words", "done_on").rows() == [
        (Kind.TEXT, None, "Theo phân bổ", None),
        (Kind.DONE_ON, None, None, date(2026, 9, 14)),
    ]


def test_a_ratio_keeps_its_parts_and_what_is_said_beside_it() -> None:
    frame = judged(ratio(2, 3, value=66.666667), {"value": 85.5})
    assert frame.select("number", "numerator", "denominator", "stated").rows() == [
        (Decimal("66.666667"), Decimal(2), Decimal(3), Decimal("66.666667")),
        (Decimal("85.5"), None, None, None),
    ]


DIGITS = st.decimals(min_value=0, max_value=99999999999999, places=6, allow_nan=False)


@settings(max_examples=60)
@given(parts=st.lists(st.tuples(DIGITS, DIGITS.filter(bool)), min_size=1, max_size=30))
def test_ratios_are_rounded_once_and_half_up(parts: list[tuple[Decimal, Decimal]]) -> None:
    pairs = [(min(pair), max(pair)) for pair in parts]
    lines = "\n".join(f"26491;RATE;2026-Q3;{top};{bottom}\n26491;INDEX;2026-Q3;{top};{bottom}" for top, bottom in pairs)
    values = read_csv(f"admin_unit;indicator;period;numerator;denominator\n{lines}\n", None)
    found = judge_rows(resolve(values.frame, codes()), TODAY)
    assert told(values.findings) == told(found.findings) == []
    wanted = [quotient(top * times, bottom) for top, bottom in pairs for times in (100, 1)]
    assert found.frame["number"].to_list() == wanted


def test_status_and_day_measured_follow_from_the_period() -> None:
    running = {"period": "2026"}  # until 14 December
    frame = judged({}, running, {"data_status": "official", "measured_on": "2026-09-01"})
    assert frame.select("data_status", "measured_on", "measured_stated").rows() == [
        (2, date(2026, 9, 14), None),
        (1, TODAY, None),
        (3, date(2026, 9, 1), date(2026, 9, 1)),
    ]


@pytest.mark.parametrize(("today", "status", "day"), [(14, 1, 14), (15, 2, 14), (13, 1, 13)])
def test_a_figure_is_preliminary_from_the_day_after_the_period(today: int, status: int, day: int) -> None:
    frame = judge_rows(resolved({}), date(2026, 9, today)).frame
    assert frame.select("data_status", "measured_on").rows() == [(status, date(2026, 9, day))]


def test_a_period_has_figures_from_its_first_day() -> None:
    assert told(judge_rows(resolved({}), date(2026, 6, 15)).findings) == []
    assert told(judge_rows(resolved({}), date(2026, 6, 14)).findings) == [(1, "period", "period_not_begun")]


def test_a_withdrawal_carries_no_figure() -> None:
    frame = judged(WITHDRAWN)
    assert frame.select("is_withdrawn", "number", "words", "done_on", "reason").rows() == [
        (True, None, None, None, "nhầm xã")
    ]


@pytest.mark.parametrize(
    ("number", "text"), [("0", "0"), ("100", "100"), ("85.50", "85.5"), ("-0.000001", "-0.000001"), ("1000", "1000")]
)
def test_numbers_are_written_as_json_writes_them(number: str, text: str) -> None:
    frame = pl.DataFrame({"number": [Decimal(number)]}, schema={"number": pl.Decimal(38, 6)})
    assert frame.select(written(pl.col("number"))).item() == text


def test_rows_complained_of_are_left_out() -> None:
    found = resolved({}, {"value": 101}, {"value": 3})
    assert without(found, verdict({}, {"value": 101}).findings)["row"].to_list() == [1, 3]


def test_no_rows_are_no_trouble() -> None:
    found = judge_rows(resolved(), TODAY)
    assert (found.frame.height, found.findings.total, found.warnings.total) == (0, 0, 0)
