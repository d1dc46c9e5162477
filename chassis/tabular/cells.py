"""Cells as values: strict, set-wise, every bad cell with its row and column."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import polars as pl

from chassis.tabular.columns import Choice, Column, Day, Flag, Number, Text, Whole
from chassis.tabular.figures import dtype_of, read_figures
from chassis.tabular.findings import Check, Findings, judge
from chassis.tabular.numbers import NumberStyle
from chassis.tabular.rules import CELL_MISSING, CHOICE_UNKNOWN, DAY_EXPECTED, FLAG_EXPECTED
from chassis.tabular.table import ROW, Kind, Table
from chassis.tabular.words import read_words, without_blanks
from chassis.text import fold, suggest

COLUMNS_AT_ONCE = 2  # one thread leaves half of a small machine idle; more would let reads wait
FEW_ROWS = 1_000  # they are read sooner than threads are made
MOST_ADVISED = 100  # different strangers; seeking what was meant is slow
FIRST_YEAR, LAST_YEAR = 1900, 2199  # as for periods: outside them a year is a typing error
_DAY_IN_FILES = r"^\s*([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})\s*$"
_ISO_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_FLAGS = {"true": True, "co": True, "dung": True, "x": True, "false": False, "khong": False, "sai": False}

Read = tuple[list[pl.Series], Findings]


@dataclass(frozen=True, slots=True)
class Values:
    """Rows with a typed column for each declared one (a bad cell is empty), and what was wrong with their cells."""

    frame: pl.DataFrame
    findings: Findings


def read_cells(table: Table, columns: Sequence[Column], style: NumberStyle | None = None) -> Values:
    """Read every cell as its column declares.

    Texts in files are read as numbers in the declared style or, without one, where they cannot be mistaken.
    """
    read_column = partial(_read_column, table, style)
    if table.cells.height <= FEW_ROWS:
        read = [read_column(column) for column in columns]
    else:
        with ThreadPoolExecutor(COLUMNS_AT_ONCE) as pool:
            read = list(pool.map(read_column, columns))
    series = [one for several, _ in read for one in several]
    return Values(pl.DataFrame([table.cells[ROW], *series]), Findings.together(findings for _, findings in read))


def _read_column(table: Table, style: NumberStyle | None, column: Column) -> Read:
    rows = table.cells[ROW]
    cells = pl.DataFrame([rows, table.cells[column.name], table.kinds[column.name].alias("kind")])
    series, findings = _read(cells, column, style, is_strict=table.is_strict)
    missing = _missing(rows, series[0], column, Findings.together([table.findings, findings]))
    return series, Findings.together([findings, missing])


def _missing(rows: pl.Series, values: pl.Series, column: Column, findings: Findings) -> Findings:
    """The empty cells of a required column, but those whose fault is known already."""
    if not column.required or not values.null_count():
        return Findings.none()
    known = findings.frame.filter(pl.col("column") == column.name)["row"]
    empty = pl.col(ROW).is_in(known.implode()).not_() & pl.col("value").is_null()
    frame = pl.DataFrame([rows, values.alias("value")])
    return judge(frame, [Check(CELL_MISSING, column.name, empty)])


def _read(cells: pl.DataFrame, column: Column, style: NumberStyle | None, *, is_strict: bool) -> Read:
    if cells[column.name].null_count() == cells.height:
        return _nothing(cells[column.name], column), Findings.none()
    if isinstance(column, Text):
        words, findings = read_words(cells, column.name, longest=column.longest, is_strict=is_strict)
        return [words], findings
    if isinstance(column, Number | Whole):
        return read_figures(cells, column, style, is_strict=is_strict)
    if isinstance(column, Choice):
        return _read_choice(cells, column, is_strict=is_strict)
    if isinstance(column, Day):
        return _read_day(cells, column, is_strict=is_strict)
    return _read_flag(cells, column, is_strict=is_strict)


def _nothing(texts: pl.Series, column: Column) -> list[pl.Series]:
    """A column that was not sent, as half of the declared ones most often are."""
    dtype = _dtype(column)
    nothing = texts if dtype == pl.String() else pl.Series([None], dtype=dtype).new_from_index(0, len(texts))
    has_marks = isinstance(column, Number | Whole) and column.marks
    return [nothing.alias(column.name), *([texts.alias(f"{column.name}_mark")] if has_marks else [])]


def _dtype(column: Column) -> pl.DataType:
    if isinstance(column, Number | Whole):
        return dtype_of(column)
    if isinstance(column, Day):
        return pl.Date()
    return pl.Boolean() if isinstance(column, Flag) else pl.String()


def _read_choice(cells: pl.DataFrame, column: Choice, *, is_strict: bool) -> Read:
    texts = cells[column.name]
    meant = {text: column.words.get(fold(text)) for text in texts.drop_nulls().unique()}
    findings = Findings.none()
    if None in meant.values() or cells["kind"].max() not in (None, Kind.TEXT):
        texts, findings = read_words(cells, column.name, longest=200, is_strict=is_strict)
        meant = {text: column.words.get(fold(text)) for text in texts.drop_nulls().unique()}
        strangers = [text for text, value in meant.items() if value is None]
        findings = Findings.together([findings, _strangers(pl.DataFrame([cells[ROW], texts]), column, strangers)])
    if not meant:
        return [texts], findings
    return [texts.replace_strict(meant, default=None, return_dtype=pl.String)], findings


def _strangers(frame: pl.DataFrame, column: Choice, strangers: list[str]) -> Findings:
    if not strangers:
        return Findings.none()
    text = pl.col(column.name)
    near = {one: column.words.get(suggest(one, column.words) or "") for one in strangers[:MOST_ADVISED]}
    vi = {one: f" Có phải là {word}?" if word else "" for one, word in near.items()}
    en = {one: f" Did you mean {word}?" if word else "" for one, word in near.items()}
    values: dict[str, pl.Expr | str | int] = {
        "value": text,
        "choices": ", ".join(dict.fromkeys(column.words.values())),
        "suggestion_vi": text.replace_strict(vi, default=""),
        "suggestion_en": text.replace_strict(en, default=""),
    }
    return judge(frame, [Check(CHOICE_UNKNOWN, column.name, text.is_in(strangers), values)])


def _read_day(cells: pl.DataFrame, column: Day, *, is_strict: bool) -> Read:
    name = column.name
    is_day = cells["kind"].is_in([Kind.TEXT, Kind.DAY])
    if is_day.all() and cells[name].str.contains(_ISO_DAY).all():
        days = cells[name].str.to_date("%Y-%m-%d", strict=False)
        if days.null_count() == cells[name].null_count() and _in_our_time(days).all():
            return [days], Findings.none()
    texts = without_blanks(cells[name])
    may_be_turned = (cells["kind"] == Kind.TEXT) & (not is_strict)
    days = texts.to_frame().select(_day(name, is_day, may_be_turned))[name]
    days = days.clone().scatter((~_in_our_time(days)).fill_null(value=False).arg_true(), None)
    read = pl.DataFrame([cells[ROW], texts, days.alias("day")])
    is_none = pl.col("day").is_null() & pl.col(name).is_not_null()
    values: dict[str, pl.Expr | str | int] = {"value": pl.col(name), "also": "" if is_strict else ", 14/06/2026"}
    return [days], judge(read, [Check(DAY_EXPECTED, name, is_none, values)])


def _day(name: str, is_day: pl.Series, may_be_turned: pl.Series) -> pl.Expr:
    text = pl.col(name)
    parts = text.str.extract_groups(_DAY_IN_FILES).struct
    turned = pl.concat_str(parts[2], parts[1].str.zfill(2), parts[0].str.zfill(2), separator="-")
    iso = pl.when(is_day & text.str.contains(_ISO_DAY)).then(text)
    written = iso.when(may_be_turned).then(turned).otherwise(None)
    return written.str.to_date("%Y-%m-%d", strict=False).alias(name)


def _in_our_time(days: pl.Series) -> pl.Series:
    return days.dt.year().is_between(FIRST_YEAR, LAST_YEAR)


def _read_flag(cells: pl.DataFrame, column: Flag, *, is_strict: bool) -> Read:
    texts = without_blanks(cells[column.name])
    known = {text: _FLAGS.get(fold(text)) for text in texts.drop_nulls().unique()}
    flags = texts.replace_strict(known, default=None, return_dtype=pl.Boolean) if known else texts.cast(pl.Boolean)
    kinds = [Kind.FLAG] if is_strict else [Kind.FLAG, Kind.TEXT]
    odd = (~cells["kind"].is_in(kinds)).arg_true()
    flags = flags.clone().scatter(odd, None)
    read = pl.DataFrame([cells[ROW], texts, flags.alias("flag")])
    is_none = pl.col("flag").is_null() & pl.col(column.name).is_not_null()
    return [flags], judge(read, [Check(FLAG_EXPECTED, column.name, is_none)])
