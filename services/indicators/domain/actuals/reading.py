"""Posted rows as typed columns: what each cell says by itself, before anything is looked up."""

from __future__ import annotations

import polars as pl

from chassis.periods import Period, PeriodError, parse_period
from chassis.tabular import Check, Findings, Kind, NumberStyle, Table, Values, judge, read_cells
from services.indicators.domain import rules
from services.indicators.domain.actuals.columns import FIGURE_COLUMNS, NAMES, SAMPLE, SAYINGS, Action

_ADDRESS = r"^https?://\S+$"


def read_names(table: Table) -> Values:
    """The cells that say what rows are about; every bad one is told, and is empty in the frame.

    Frame: row and the columns of `NAMES` but commune; `period` in the house's spelling.
    """
    values = read_cells(_with_bare_periods(table), NAMES)
    frame = values.frame.with_columns(pl.coalesce("admin_unit", "commune").alias("admin_unit"))
    checks = [
        Check(rules.ROW_FIELD_MISSING, "admin_unit", pl.col("admin_unit").is_null()),
        Check(rules.ROW_FIELD_MISSING, "indicator", pl.col("indicator").is_null() & pl.col("plan_row").is_null()),
        Check(rules.UNIT_NAMED_TWICE, "commune", pl.col("commune") != pl.col("admin_unit"), _seen("commune")),
    ]
    spelled, unknown = _spelled(frame)
    told = _untold(judge(frame, checks), values.findings)
    return Values(spelled.drop("commune"), Findings.together([values.findings, told, unknown]))


def read_rows(table: Table, names: Values, style: NumberStyle | None, *, takes_samples: bool) -> Values:
    """Rows read cell by cell, their names read before; every bad cell is told, and is empty in the frame.

    Frame: the names and every column of `SAYINGS`; `value_mark`.
    """
    values = read_cells(table, SAYINGS, style)
    frame = values.frame.with_columns(pl.col("action").fill_null(Action.SET.value))
    checks = [Check(rules.ADDRESS_EXPECTED, "evidence_url", ~pl.col("evidence_url").str.contains(_ADDRESS))]
    if not takes_samples:
        checks.append(Check(rules.SAMPLES_REFUSED, "source", pl.col("source") == SAMPLE))
    told = _untold(judge(frame, checks), values.findings)
    findings = Findings.together([table.findings, names.findings, values.findings, told])
    return Values(names.frame.hstack(frame.drop("row")), findings)


def left_blank(values: Values) -> pl.Series:
    """The numbers of rows that only name a figure and say nothing of it, as an unfilled row of a form does.

    A row with a bad cell, a withdrawal, or as much as a note is not blank.
    """
    says = (*FIGURE_COLUMNS, "measured_on", "data_status", "source", "evidence_url", "note", "reason")
    is_blank = pl.all_horizontal(pl.col(name).is_null() for name in says) & (pl.col("action") == Action.SET.value)
    blank = values.frame.filter(is_blank)["row"]
    return blank.filter(~blank.is_in(values.findings.rows.implode()))


def _seen(column: str) -> dict[str, pl.Expr | str | int]:
    return {"value": pl.col(column)}


def _untold(findings: Findings, before: Findings) -> Findings:
    """Findings of cells that nobody complained of before: a bad cell reads as an empty one."""
    if not findings.total or not before.total:
        return findings
    return Findings(findings.frame.join(before.frame, on=["row", "column"], how="anti", nulls_equal=True))


def _with_bare_periods(table: Table) -> Table:
    """A bare 2026 can only mean the year, so a number is as good as a text there."""
    kinds = table.kinds["period"]
    if not (kinds == Kind.NUMBER).any():
        return table
    bare = pl.select(pl.when(kinds == Kind.NUMBER).then(pl.lit(Kind.TEXT, pl.UInt8)).otherwise(kinds)).to_series()
    changed = table.kinds.with_columns(bare.alias("period"))
    return Table(table.cells, changed, table.findings, table.received, table.is_strict)


def _spelled(frame: pl.DataFrame) -> tuple[pl.DataFrame, Findings]:
    """Periods in the house's spelling; what is no period is told and empty."""
    said = frame["period"].drop_nulls().unique().to_list()
    meant = {words: period.code if (period := parse_or_none(words)) else None for words in said}
    if all(words == code for words, code in meant.items()):
        return frame, Findings.none()
    codes = pl.col("period").replace_strict(meant, default=None, return_dtype=pl.String)
    is_none = pl.col("period").is_in([words for words, code in meant.items() if code is None])
    findings = judge(frame, [Check(rules.PERIOD_MALFORMED, "period", is_none, _seen("period"))])
    return frame.with_columns(codes), findings


def parse_or_none(words: str) -> Period | None:
    """The period a text names, or None."""
    try:
        return parse_period(words)
    except PeriodError:
        return None
