"""Imports as rules: what may be sent when, how refusals are kept, which rows come back."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl
import pytest

from chassis.errors import Fault, Refused, Rule
from chassis.tabular import Findings, Table, Titles
from chassis.tabular.table import table_of
from services.indicators.domain import imports, rules
from services.indicators.domain.actuals.columns import Kind
from services.indicators.domain.actuals.reverting import taken_back
from services.indicators.domain.actuals.settling import KEY, STORED
from services.indicators.domain.import_errors import PART_ROWS, ErrorPart, Sorting, shown, unpacked
from services.indicators.domain.imports import Kept, State, Upload, back_off_seconds, fault_of, kept_problem

OPEN = [State.RECEIVING, State.QUEUED, State.RUNNING]


@pytest.mark.parametrize(
    ("state", "offset", "refusal"),
    [
        (State.RECEIVING, 5, None),
        (State.RECEIVING, 4, imports.OFFSET_MISMATCH),
        (State.RECEIVING, 6, imports.OFFSET_MISMATCH),
        *((state, 5, imports.NOT_RECEIVING) for state in State if state is not State.RECEIVING),
    ],
)
def test_bytes_are_taken_where_they_end_and_while_they_are_asked_for(
    state: State, offset: int, refusal: Rule | None
) -> None:
    assert Upload(state, 5, None).refusal(offset) is refusal


@pytest.mark.parametrize(
    ("held", "size", "more", "is_too_long"), [(5, None, 10**12, False), (5, 10, 5, False), (5, 10, 6, True)]
)
def test_no_more_than_declared(held: int, size: int | None, more: int, is_too_long: bool) -> None:
    assert Upload(State.RECEIVING, held, size).too_long(more) is is_too_long


@pytest.mark.parametrize(
    ("held", "size", "refusal"),
    [
        (0, None, imports.UPLOAD_EMPTY),
        (1, None, None),
        (9, 10, imports.UPLOAD_INCOMPLETE),
        (0, 10, imports.UPLOAD_INCOMPLETE),
        (10, 10, None),
    ],
)
def test_an_upload_ends_with_all_of_it(held: int, size: int | None, refusal: Rule | None) -> None:
    assert Upload(State.RECEIVING, held, size).unfinished() is refusal


def test_an_import_is_over_or_not() -> None:
    assert [state for state in State if not state.is_finished] == OPEN


def test_the_wait_before_another_attempt_doubles_up_to_a_minute() -> None:
    assert [back_off_seconds(attempt) for attempt in (0, 1, 2, 3, 6, 7, 1000)] == [1, 1, 2, 4, 32, 60, 60]


def test_a_refusal_is_kept_without_words_and_read_with_its_status() -> None:
    fault = Fault(rules.VALUE_ABOVE_100, {"value": Decimal("101.5")}, row=3, column="value", value="101.5")
    refusal = Refused(rules.ACTUALS_REFUSED, faults=[fault] * 1001, faults_total=5000, refused=9, received=10)
    kept = msgspec.json.decode(msgspec.json.encode(kept_problem(refusal)))
    assert (len(kept["errors"]), kept["errors_total"]) == (1000, 5000)
    read = Kept(kept)
    assert (read.status, read.rule, read.faults_total) == (422, rules.ACTUALS_REFUSED, 5000)
    assert read.rule.sentence("en", read.values) == "Nothing was written: 9 of 10 rows are refused."
    assert read.faults[0].row == 3
    assert "101.5" in fault_of(kept["errors"][0]).rule.sentence("vi", read.faults[0].values)


# --- refused rows

TITLES = Titles(("unit", "value", "note"))


def table(first: int, *values: str | None) -> Table:
    rows = range(first, first + len(values))
    cells = pl.DataFrame({"row": rows, "unit": [f"u{row}" for row in rows], "value": values})
    return table_of(cells, TITLES, Findings.none(), is_strict=False)


def found(*rows: int | None) -> Findings:
    return Findings.of([Fault(rules.VALUE_ABOVE_100, {"value": row}, row=row, column="value") for row in rows])


def refused_rows(findings: Findings, *tables: Table) -> list[dict[str, Any]]:
    return [row for part in Sorting(findings).parts(tables) for row in _shown(part)]


def _shown(part: ErrorPart) -> list[dict[str, Any]]:
    return [shown(row, "en") for row in unpacked(part, -1)]


def test_refused_rows_come_with_their_cells_in_order() -> None:
    rows = refused_rows(found(12, 2, 11), table(2, "a", "b"), table(4), table(10, "c", None, "e"))
    assert [(each["row"], each["cells"]) for each in rows] == [
        (2, {"unit": "u2", "value": "a"}),
        (11, {"unit": "u11"}),
        (12, {"unit": "u12", "value": "e"}),
    ]


def test_a_row_without_cells_and_faults_of_no_row_are_kept_as_well() -> None:
    rows = refused_rows(found(None, 3, 99), table(2, "a"), table(4, "b"))
    assert [(each["row"], each["cells"]) for each in rows] == [(None, None), (3, None), (99, None)]


def test_all_faults_of_a_row_stand_together_and_the_same_sentence_once() -> None:
    (only,) = refused_rows(found(2, 2), table(2, "a"))
    assert len(only["errors"]) == 2
    assert only["message"] == only["errors"][0]["message"]


def test_columns_are_those_in_which_anything_stands() -> None:
    sorting = Sorting(found(2))
    list(sorting.parts(iter([table(2, None), table(3, None)])))
    assert sorting.columns == ("unit",)


def test_nothing_is_read_after_the_last_refused_row() -> None:
    def tables() -> Iterator[Table]:
        yield table(2, "a", "b")
        yield table(4, "c")
        raise AssertionError("read on")

    assert [each["row"] for part in Sorting(found(2, 4)).parts(tables()) for each in _shown(part)] == [2, 4]


def test_parts_are_full_but_for_the_last() -> None:
    def tables() -> Iterator[Table]:
        yield table(1, *["x"] * (PART_ROWS + 10))

    parts = list(Sorting(found(*range(1, PART_ROWS + 3))).parts(tables()))
    assert [part.last_row for part in parts] == [PART_ROWS, PART_ROWS + 2]
    assert [row.row for row in unpacked(parts[0], PART_ROWS - 1)] == [PART_ROWS]


# --- taking back


def test_a_figure_without_a_former_one_is_withdrawn_in_its_own_status_and_kind() -> None:
    old = {name: None for name in STORED if name not in KEY}
    old |= {"version": 4, "kind": Kind.VALUE, "value": Decimal("1.5"), "data_status": 3, "is_withdrawn": "f"}
    codes = dict.fromkeys(("admin_unit", "province", "indicator", "sub_population", "regime", "period"), "x")
    former = pl.DataFrame(
        {
            **{name: [1] for name in KEY},
            **{name: [value] for name, value in codes.items()},
            **{f"old_{name}": pl.Series([value], dtype=STORED[name]) for name, value in old.items()},
            **{
                f"former_{name}": pl.Series([None], dtype=STORED[name])
                for name in STORED
                if name not in (*KEY, "version")
            },
        }
    )
    (row,) = taken_back(former, "Sai").to_dicts()
    assert (row["is_withdrawn"], row["action"], row["number"], row["version"]) == (True, "withdraw", None, 5)
    assert (row["kind"], row["data_status"], row["reason"], row["outcome"]) == (Kind.VALUE, 3, "Sai", "updated")
