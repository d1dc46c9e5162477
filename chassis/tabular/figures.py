"""Numbers of cells as exact values: by the kind of the cell, else by how its text is written."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from chassis.tabular.columns import Number, Whole
from chassis.tabular.findings import Check, Findings, judge
from chassis.tabular.numbers import (
    AMBIGUOUS,
    MARK_PERCENT,
    NO_NUMBER,
    OTHER_STYLE,
    READ,
    NumberStyle,
    easily_read,
    read_numbers,
    without_idle_zeros,
)
from chassis.tabular.rules import (
    NUMBER_AMBIGUOUS,
    NUMBER_EXPECTED,
    NUMBER_IN_OTHER_STYLE,
    NUMBER_MARK_UNEXPECTED,
    NUMBER_TOO_FINE,
    NUMBER_TOO_LARGE,
    WHOLE_NUMBER_EXPECTED,
)
from chassis.tabular.table import ROW, Kind
from chassis.tabular.words import without, without_blanks

MOST_DIGITS = 38
_PLAIN = r"^-?[0-9]+(?:[.][0-9]+)?$"
_WITH_EXPONENT = r"^-?[0-9]+(?:[.][0-9]+)?[eE][+-]?[0-9]{1,4}$"
_SIGNS = {"percent": "%", "vnd": "₫"}


def read_figures(
    cells: pl.DataFrame, column: Number | Whole, style: NumberStyle | None, *, is_strict: bool
) -> tuple[list[pl.Series], Findings]:
    """The numbers of a column (frame: row, the column, kind) with their marks, and the cells that hold none."""
    texts, kinds = cells[column.name], cells["kind"]
    if ((kinds == Kind.NUMBER) | texts.is_null()).all() and _are_sound(texts, column):
        return _values(texts, pl.repeat(None, len(texts), dtype=pl.String, eager=True), column), Findings.none()
    fits = not is_strict and (kinds == Kind.TEXT).all()
    easy = easily_read(texts, style, column.digits, _places(column)) if fits else None
    if easy is not None:
        return _values(easy, pl.repeat(None, len(texts), dtype=pl.String, eager=True), column), Findings.none()
    texts = without_blanks(texts)
    read = cells.with_columns(texts).hstack(_read(texts, kinds, style, is_strict=is_strict))
    findings = judge(read, _checks(column, style))
    number, mark = (without(read[name], read[ROW], findings) for name in ("number", "mark"))
    return _values(number, mark, column), findings


def dtype_of(column: Number | Whole) -> pl.DataType:
    """What the numbers of a column become."""
    return pl.Decimal(MOST_DIGITS, column.places) if isinstance(column, Number) else pl.Int64()


def _places(column: Number | Whole) -> int:
    return column.places if isinstance(column, Number) else 0


def _are_sound(texts: pl.Series, column: Number | Whole) -> bool:
    """Whether texts are plain digits that fit the column, as machines send them."""
    places = _places(column)
    fraction = rf"(?:[.][0-9]{{1,{places}}})?" if places else ""
    return texts.str.contains(rf"^-?[0-9]{{1,{column.digits}}}{fraction}$").all()


def _values(numbers: pl.Series, marks: pl.Series, column: Number | Whole) -> list[pl.Series]:
    named = [numbers.cast(dtype_of(column)).alias(column.name)]
    return [*named, marks.alias(f"{column.name}_mark")] if column.marks else named


def _read(texts: pl.Series, kinds: pl.Series, style: NumberStyle | None, *, is_strict: bool) -> pl.DataFrame:
    """Each text as plain digits, with its mark and what came of reading it."""
    outcomes = pl.select(pl.when(texts.is_null()).then(pl.lit(READ)).otherwise(pl.lit(NO_NUMBER))).to_series()
    nothing = pl.repeat(None, len(texts), dtype=pl.String, eager=True)
    read = {"number": nothing, "mark": nothing, "outcome": outcomes, "as_vi": nothing, "as_en": nothing}
    present = texts.is_not_null()
    for kind in (Kind.NUMBER,) if is_strict else (Kind.NUMBER, Kind.TEXT):
        places = (present & (kinds == kind)).arg_true()
        if places.is_empty():
            continue
        some = texts.gather(places)
        part = _typed(some) if kind is Kind.NUMBER else read_numbers(some, style)
        read = {name: column.clone().scatter(places, part[name]) for name, column in read.items()}
    spare = ("number", "as_vi", "as_en")
    return pl.DataFrame(read).with_columns(without_idle_zeros(pl.col(name)).alias(name) for name in spare)


def _typed(texts: pl.Series) -> pl.DataFrame:
    """Numbers as JSON writes them, from sheets perhaps with a % after them."""
    bare = texts.str.strip_suffix("%")
    exponents = bare.str.contains(_WITH_EXPONENT).fill_null(value=False).arg_true()
    if not exponents.is_empty():
        bare = bare.clone().scatter(exponents, pl.Series([_written_out(text) for text in bare.gather(exponents)]))
    is_plain = bare.str.contains(_PLAIN)
    return pl.DataFrame({"bare": bare, "text": texts}).select(
        number=pl.when(is_plain).then(pl.col("bare")).otherwise(None),
        mark=pl.when(pl.col("text").str.ends_with("%")).then(pl.lit(MARK_PERCENT)).otherwise(None),
        outcome=pl.when(is_plain).then(pl.lit(READ)).otherwise(pl.lit(NO_NUMBER)),
        as_vi=pl.lit(None, pl.String),
        as_en=pl.lit(None, pl.String),
    )


def _written_out(text: str) -> str:
    """A number with an exponent in plain digits; one far beyond any column keeps its size, not its digits."""
    number = Decimal(text)
    if number and abs(number.adjusted()) > 2 * MOST_DIGITS:
        return "9" * (MOST_DIGITS + 1) if number.adjusted() > 0 else "0." + "0" * MOST_DIGITS + "1"
    return f"{number:f}"


def _checks(column: Number | Whole, style: NumberStyle | None) -> list[Check]:
    name, places = column.name, _places(column)
    outcome, number = pl.col("outcome"), pl.col("number")
    value = {"value": pl.col(name)}
    too_fine = number.str.contains(rf"[.][0-9]{{{places + 1},}}$")
    fineness = NUMBER_TOO_FINE if places else WHOLE_NUMBER_EXPECTED
    checks = [
        Check(NUMBER_EXPECTED, name, outcome == NO_NUMBER, value),
        Check(NUMBER_AMBIGUOUS, name, outcome == AMBIGUOUS, {**value, **_readings()}),
        Check(NUMBER_IN_OTHER_STYLE, name, outcome == OTHER_STYLE, {**value, "style": style.value if style else ""}),
        Check(fineness, name, too_fine, {**value, "places": places}),
        Check(
            NUMBER_TOO_LARGE, name, number.str.contains(rf"^-?[0-9]{{{column.digits + 1},}}"),
            {**value, "digits": column.digits},
        ),
    ]  # fmt: skip
    checks += [
        Check(NUMBER_MARK_UNEXPECTED, name, (outcome == READ) & (pl.col("mark") == mark), {"mark": sign})
        for mark, sign in _SIGNS.items()
        if mark not in column.marks
    ]
    return checks


def _readings() -> dict[str, pl.Expr]:
    """Both readings, with a decimal comma for Vietnamese sentences and a point for English ones."""
    sides = {"vi": pl.col("as_vi"), "en": pl.col("as_en")}
    points = {f"{side}_point": text for side, text in sides.items()}
    return points | {f"{side}_comma": text.str.replace(".", ",", literal=True) for side, text in sides.items()}
