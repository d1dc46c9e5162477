"""Rules as expressions: judged set-wise, counted truly, worded for whoever reads."""

import polars as pl

from chassis.errors import Fault, rule
from chassis.tabular import LISTED_FAULTS, Check, Findings, FirstFindings, judge

ABOVE = rule("test_above", vi="{value} lớn hơn {limit}.", en="{value} is above {limit}.")
MISSING = rule("test_missing", vi="Thiếu {column}.", en="{column} is missing.")
FRAME = pl.DataFrame(
    {"row": [2, 3, 5, 9], "value": [5, 50, None, 70], "unit": ["26491", None, "26434", None], "cap": [10, 10, 10, 60]},
    schema_overrides={"row": pl.UInt32},
)
CHECKS = [
    Check(ABOVE, "value", pl.col("value") > pl.col("cap"), {"value": pl.col("value"), "limit": pl.col("cap")}),
    Check(MISSING, "unit", pl.col("unit").is_null()),
]


def test_every_row_meets_every_rule() -> None:
    findings = judge(FRAME, CHECKS)
    assert [(f.row, f.column, f.rule.code, f.value) for f in findings.listed()] == [
        (3, "value", "test_above", "50"),
        (3, "unit", "test_missing", None),
        (9, "value", "test_above", "70"),
        (9, "unit", "test_missing", None),
    ]
    assert [f.rule.sentence("vi", f.values) for f in findings.listed(2)] == ["50 lớn hơn 10.", "Thiếu unit."]
    assert findings.listed(2)[0].rule.sentence("en", findings.listed(2)[0].values) == "50 is above 10."


def test_unknown_breaks_no_rule() -> None:
    assert judge(FRAME.filter(pl.col("row") == 5), CHECKS[:1]).total == 0


def test_totals_are_true_however_few_are_listed() -> None:
    many = pl.DataFrame({"row": range(1, 100_001)}, schema={"row": pl.UInt32}).with_columns(value=11, cap=10)
    findings = judge(many, CHECKS[:1])
    assert len(findings.listed(1000)) == 1000
    assert findings.listed(1000)[-1].row == 1000
    assert findings.total == 100_000
    assert findings.totals() == {"test_above": 100_000}
    assert findings.rows.to_list() == list(range(1, 100_001))


def test_several_findings_are_one_in_the_order_of_rows() -> None:
    early = Findings.of([Fault(MISSING, {"column": "x"}, row=1, column="x")])
    late = judge(FRAME, CHECKS)
    together = Findings.together([late, Findings.none(), early])
    assert [fault.row for fault in together.listed()] == [1, 3, 3, 9, 9]
    assert together.totals() == {"test_above": 2, "test_missing": 3}
    assert together.rows.to_list() == [1, 3, 9]


def test_nothing_judged_is_nothing_found() -> None:
    assert judge(FRAME, []).total == 0
    assert judge(FRAME.clear(), CHECKS).total == 0
    assert Findings.none().listed() == []
    assert Findings.none().totals() == {}
    assert Findings.none().rows.to_list() == []


def test_long_values_are_shown_in_part() -> None:
    frame = pl.DataFrame({"row": [1], "text": ["é" * 5000]})
    fault = judge(frame, [Check(MISSING, "text", pl.lit(value=True), {"seen": pl.col("text")})]).listed()[0]
    assert fault.value == "é" * 200
    assert fault.values == {"column": "text", "value": "é" * 200, "seen": "é" * 200}
    assert Findings.of([Fault(MISSING, {"seen": "é" * 500}, value="é" * 500)]).listed()[0].value == "é" * 200


def test_what_is_shown_may_be_another_column() -> None:
    shown = judge(FRAME, [Check(MISSING, "value", pl.col("row") == 2, shown=pl.col("unit"))]).listed()[0]
    assert (shown.column, shown.value) == ("value", "26491")
    no_cell = judge(FRAME, [Check(MISSING, None, pl.col("row") == 2)]).listed()[0]
    assert (no_cell.column, no_cell.value, no_cell.values) == (None, None, {})


def test_of_many_findings_the_first_by_row_are_kept_and_all_are_counted() -> None:
    def found(*rows: int | None, column: str = "value") -> Findings:
        return Findings.of([Fault(MISSING, row=row, column=column) for row in rows])

    first = FirstFindings()
    first.add(found(*range(500, 500 + LISTED_FAULTS)))
    first.add(Findings.none())
    first.add(found(9, 501, None, 7))
    first.add(found(7, 9999, column="unit"))
    listed = [(fault.row, fault.column) for fault in first.listed()]
    assert listed[:7] == [
        (None, "value"),
        (7, "value"),
        (7, "unit"),
        (9, "value"),
        *((n, "value") for n in (500, 501, 501)),
    ]
    assert (len(listed), first.first.total, listed[-1]) == (LISTED_FAULTS, LISTED_FAULTS, (1494, "value"))
    assert first.total == LISTED_FAULTS + 6
