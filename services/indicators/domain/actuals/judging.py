"""Rows against what is known of their indicators and periods: rules as expressions over columns.

Every rule is a named check; the figures of sound rows come out in the form they are stored in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from chassis.tabular import Check, Findings, judge
from chassis.tabular.rules import NUMBER_MARK_UNEXPECTED
from services.indicators.domain import rules
from services.indicators.domain.actuals.columns import FIGURE_COLUMNS, STATUS_NUMBER, Action, Kind
from services.indicators.domain.catalogue import RATIO_TYPES, WHOLE_TYPES, ValueType

KIND_OF = {
    ValueType.PERCENT: Kind.VALUE,
    ValueType.INDEX: Kind.VALUE,
    ValueType.COUNT: Kind.VALUE,
    ValueType.AMOUNT: Kind.VALUE,
    ValueType.LEVEL: Kind.LEVEL,
    ValueType.RANK: Kind.RANK,
    ValueType.TEXT: Kind.TEXT,
    ValueType.MILESTONE: Kind.DONE_ON,
}
_NUMBER = pl.Decimal(38, 6)
MILLION = 1_000_000
_TOO_LARGE = 10**14
_IS_SET = pl.col("action") == Action.SET.value
_IS_RATIO = pl.col("value_type").is_in(sorted(RATIO_TYPES))
_IS_PERCENT = pl.col("value_type") == ValueType.PERCENT.value
_TAKES = {
    "value": pl.col("kind") == Kind.VALUE,
    "numerator": _IS_RATIO,
    "denominator": _IS_RATIO,
    "level": pl.col("kind") == Kind.LEVEL,
    "rank": pl.col("kind") == Kind.RANK,
    "text": pl.col("kind") == Kind.TEXT,
    "done_on": pl.col("kind") == Kind.DONE_ON,
}
_EXPECTED = (
    pl.when(_IS_RATIO)
    .then(pl.lit("value | numerator + denominator"))
    .otherwise(
        pl.col("kind").replace_strict(
            {Kind.VALUE: "value", Kind.LEVEL: "level", Kind.RANK: "rank", Kind.TEXT: "text", Kind.DONE_ON: "done_on"},
            default=None,
            return_dtype=pl.String,
        )
    )
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Rows that passed, with their figures in stored form; what refuses others; what is kept but looks odd."""

    frame: pl.DataFrame
    findings: Findings
    warnings: Findings


def judge_rows(found: pl.DataFrame, today: date) -> Verdict:
    """Judge rows whose codes were all found.

    A ratio is computed exactly from numerator and denominator, on the indicator's scale, at six places half up.
    Without a stated status a figure is estimated until its period has ended, preliminary afterwards; without a day
    measured it describes the period's end, or today before that.
    """
    present = [name for name in FIGURE_COLUMNS if found[name].null_count() < found.height]
    times = judge(found, list(_time_checks(today)))
    forms = judge(found, list(_form_checks(present, today)))
    sound = without(found, forms)
    percents = _percents(sound)
    figures = _figures(percents, present)
    numbers = _judge_numbers(figures)
    findings = Findings.together([times, forms, _marks(sound), numbers])
    kept = without(figures, findings)
    return Verdict(_stored(kept, today), findings, _odd(kept))


def without(frame: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    """The rows that nothing was found against."""
    return frame.filter(~pl.col("row").is_in(findings.rows.implode())) if findings.total else frame


def _time_checks(today: date) -> Iterator[Check]:
    starts = {"value": pl.col("period"), "starts_on": pl.col("starts_on")}
    yield Check(rules.PERIOD_NOT_BEGUN, "period", pl.col("starts_on") > today, starts)
    measured_on = pl.col("measured_on")
    yield Check(rules.DAY_IN_FUTURE, "measured_on", measured_on > today, {"value": measured_on})


def _form_checks(present: list[str], today: date) -> Iterator[Check]:
    seen = {name: {"value": pl.col(name)} for name in FIGURE_COLUMNS}
    yield Check(rules.REASON_MISSING, "reason", ~_IS_SET & pl.col("reason").is_null())
    for name in present:
        given = pl.col(name).is_not_null()
        stranger = {**seen[name], "indicator": pl.col("indicator"), "expected": _EXPECTED}
        yield Check(rules.VALUE_NOT_ALLOWED, name, ~_IS_SET & given, seen[name], plainly(name))
        yield Check(rules.VALUE_KIND_MISMATCH, name, _IS_SET & given & ~_TAKES[name], stranger, plainly(name))
    is_empty = pl.all_horizontal(pl.col(name).is_null() for name in present) if present else pl.lit(value=True)
    for name in ("value", "level", "rank", "text", "done_on"):
        yield Check(rules.VALUE_MISSING, name, _IS_SET & is_empty & _TAKES[name], {"expected": _EXPECTED})
    if "done_on" in present:
        is_done = _IS_SET & _TAKES["done_on"]
        yield Check(rules.DAY_IN_FUTURE, "done_on", is_done & (pl.col("done_on") > today), seen["done_on"])
        late = is_done & (pl.col("done_on") > pl.col("ends_on")) & (pl.col("done_on") <= today)
        yield Check(rules.DONE_AFTER_PERIOD, "done_on", late, {**seen["done_on"], "ends_on": pl.col("ends_on")})
    if "numerator" in present or "denominator" in present:
        yield from _ratio_checks()


def _ratio_checks() -> Iterator[Check]:
    top, bottom = pl.col("numerator"), pl.col("denominator")
    is_ratio = _IS_RATIO & _IS_SET
    is_above = (bottom > 0) & (top > bottom) & ~pl.col("allows_above_100")
    values = {"value": plainly("numerator"), "denominator": plainly("denominator")}
    yield Check(rules.ROW_FIELD_MISSING, "numerator", top.is_null() & bottom.is_not_null() & is_ratio)
    yield Check(rules.ROW_FIELD_MISSING, "denominator", bottom.is_null() & top.is_not_null() & is_ratio)
    below: dict[str, pl.Expr | str | int] = {
        "value": plainly("numerator"),
        "scale": "≥ 0",
        "suggestion_vi": "",
        "suggestion_en": "",
    }
    yield Check(rules.VALUE_OUT_OF_SCALE, "numerator", (top < 0) & is_ratio, below, plainly("numerator"))
    yield Check(rules.DENOMINATOR_ZERO, "denominator", (bottom <= 0) & is_ratio, {}, plainly("denominator"))
    yield Check(
        rules.NUMERATOR_ABOVE_DENOMINATOR, "numerator", is_above & is_ratio, values, plainly("numerator")
    )  # fmt: skip


def plainly(name: str) -> pl.Expr:
    """A number as people write it: 80, 85.75."""
    if name not in ("value", "numerator", "denominator", "computed"):
        return pl.col(name).cast(pl.String)
    return written(pl.col(name))


def written(number: pl.Expr) -> pl.Expr:
    """An exact number as JSON writes it, without zeros that say nothing."""
    return number.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")


def _percents(sound: pl.DataFrame) -> pl.DataFrame:
    """A cell formatted as a percentage says 70 % whatever the scale: on a scale of 0-1 that is 0.7."""
    if sound["value_mark"].null_count() == sound.height or not sound.select(_is_part().any()).item():
        return sound
    return sound.with_columns(pl.when(_is_part()).then(pl.col("value") / 100).otherwise("value").alias("value"))


def _is_part() -> pl.Expr:
    """Whether a percentage is given for an indicator on a scale of 0-1."""
    return (pl.col("value_mark").is_not_null() & _IS_RATIO & (pl.col("highest") == 1)).fill_null(value=False)


def _marks(sound: pl.DataFrame) -> Findings:
    """A percent sign where there are no percentages, or after more digits than are kept."""
    if sound["value_mark"].null_count() == sound.height:
        return Findings.none()
    marked = pl.col("value_mark").is_not_null()
    is_lost = _is_part() & (pl.col("value").to_physical() % 100 != 0)
    return judge(
        sound,
        [
            Check(NUMBER_MARK_UNEXPECTED, "value", marked & ~_IS_RATIO, {"mark": "%"}, plainly("value")),
            Check(rules.VALUE_TOO_PRECISE, "value", is_lost, {"value": plainly("value")}, plainly("value")),
        ],
    )


def _figures(sound: pl.DataFrame, present: list[str]) -> pl.DataFrame:
    """One number for whatever kind of number a row gives; `stated` is what a row says beside its ratio."""
    number = pl.coalesce(pl.col("value"), pl.col("level").cast(_NUMBER), pl.col("rank").cast(_NUMBER))
    if "numerator" not in present:
        return sound.with_columns(stated=pl.lit(None, _NUMBER), number=number)
    top = pl.col("numerator").to_physical() * pl.col("highest").to_physical()  # in millionths of the scale's end
    bottom = pl.col("denominator").to_physical()
    exact = pl.when(bottom > 0).then((2 * top + bottom) // (2 * bottom)).otherwise(None)
    computed = exact.cast(pl.Decimal(38, 0)).cast(_NUMBER) / MILLION
    has_ratio = pl.col("numerator").is_not_null()
    return sound.with_columns(
        stated=pl.when(has_ratio).then("value").otherwise(None),
        number=pl.when(has_ratio).then(computed).otherwise(number),
    )


def _judge_numbers(figures: pl.DataFrame) -> Findings:
    """Numbers against the scale of their indicator; most are sound, so only the others are looked at closely."""
    contradicts = pl.col("stated") != pl.col("number")
    is_odd = contradicts | _is_fraction() | _is_no_rank() | _is_off_scale() | _is_too_large()
    suspects = figures.filter(is_odd.fill_null(value=False))
    return judge(suspects, list(_number_checks(contradicts)))


def _is_fraction() -> pl.Expr:
    is_whole = pl.col("value_type").is_in(sorted(WHOLE_TYPES))
    return is_whole & (pl.col("number").to_physical() % MILLION != 0)


def _is_no_rank() -> pl.Expr:
    return (pl.col("kind") == Kind.RANK) & (pl.col("number") < 1)


def _is_off_scale() -> pl.Expr:
    number = pl.col("number")
    return (number < pl.col("lowest")) | ((number > pl.col("highest")) & ~pl.col("allows_above_100"))


def _is_too_large() -> pl.Expr:
    """Whether a quotient has more digits than are kept, as one of a tiny denominator may; numbers given never have."""
    return pl.col("numerator").is_not_null() & (pl.col("number") >= _TOO_LARGE)


def _number_checks(contradicts: pl.Expr) -> Iterator[Check]:
    number = pl.col("number")
    fraction = _is_fraction()
    no_rank = ~fraction & _is_no_rank()
    off_scale = ~fraction & ~no_rank & _is_off_scale()
    above_100 = off_scale & _IS_PERCENT & (number > 100)
    computed = {"value": written(pl.col("stated")), "computed": written(number)}
    yield Check(rules.VALUE_CONTRADICTS_RATIO, "value", contradicts, computed, written(pl.col("stated")))
    large = {"value": written(number)}
    yield Check(rules.VALUE_TOO_PRECISE, "numerator", _is_too_large() & ~off_scale, large, written(number))
    for column, given in (("numerator", pl.col("numerator").is_not_null()), *_columns_given()):
        value = written(number)
        off = {"value": value, "scale": pl.col("scale").fill_null("≥ 0"), **_meant()}
        yield Check(rules.VALUE_NOT_WHOLE, column, given & fraction, {"value": value}, value)
        yield Check(rules.VALUE_OUT_OF_SCALE, column, given & no_rank, {**off, "scale": "≥ 1"}, value)
        yield Check(rules.VALUE_ABOVE_100, column, given & above_100, {"value": value}, value)
        yield Check(rules.VALUE_OUT_OF_SCALE, column, given & off_scale & ~above_100, off, value)


def _columns_given() -> list[tuple[str, pl.Expr]]:
    return [
        ("value", pl.col("value").is_not_null() & pl.col("numerator").is_null()),
        ("level", pl.col("level").is_not_null()),
        ("rank", pl.col("rank").is_not_null()),
    ]


def _meant() -> dict[str, pl.Expr | str | int]:
    """What a percent on a scale of 0-1 would read there."""
    number = pl.col("number")
    is_percent_of_one = (
        (pl.col("value_type") == ValueType.INDEX.value) & (pl.col("highest") == 1) & (number > 1) & (number <= 100)
    )
    meant = written(number / 100)
    hints = {"suggestion_vi": (" Có phải muốn ghi ", "?"), "suggestion_en": (" Was ", " meant?")}
    return {
        name: pl.when(is_percent_of_one).then(pl.concat_str(pl.lit(before), meant, pl.lit(after))).otherwise(pl.lit(""))
        for name, (before, after) in hints.items()
    }


def _odd(kept: pl.DataFrame) -> Findings:
    """What is kept but looks odd: above 100 % where allowed, or a percent that reads like a ratio."""
    number = pl.col("number")
    value = {"value": written(number)}
    is_small = _IS_PERCENT & (pl.col("highest") > 1) & (number > 0) & (number < 1) & pl.col("numerator").is_null()
    meant = {**value, "meant": written(number * 100)}
    return judge(
        kept,
        [
            Check(rules.VALUE_ABOVE_100_ALLOWED, "value", _IS_PERCENT & (number > 100), value, written(number)),
            Check(rules.VALUE_LOOKS_LIKE_RATIO, "value", is_small, meant, written(number)),
        ],
    )


def _stored(kept: pl.DataFrame, today: date) -> pl.DataFrame:
    """Rows in the form they are stored in; `measured_stated` is what the sender said of the day."""
    numbers = {status.value: number for status, number in STATUS_NUMBER.items()}
    has_begun_only = pl.col("ends_on") >= today
    by_day = pl.when(has_begun_only).then(numbers["estimated"]).otherwise(numbers["preliminary"])
    stated = pl.col("data_status").replace_strict(numbers, default=None, return_dtype=pl.Int8)
    end = pl.min_horizontal(pl.col("ends_on"), pl.lit(today))
    return kept.with_columns(
        number=pl.when(_IS_SET).then("number").otherwise(None),
        words=pl.col("text"),
        data_status=pl.coalesce(stated, by_day.cast(pl.Int8)),
        measured_stated=pl.col("measured_on"),
        measured_on=pl.coalesce("measured_on", end),
        is_withdrawn=~_IS_SET,
    )


# A figure that moves further than this from the last period's is kept, with a warning: most often a slip of the pen.
JUMP_POINTS = 30  # percentage points, of percentages and of indexes on a scale of 0-1
JUMP_TIMES = 3


def tell_jumps(changed: pl.DataFrame, previous: pl.DataFrame) -> Findings:
    """Figures far from the last period's: by 30 percentage points, to three times of it or a third."""
    before = previous.rename({"period_id": "previous_id"})
    key = ["admin_unit_id", "indicator_id", "sub_population_id", "previous_id"]
    found = changed.select("row", *key, "number", "highest", "value_type").join(before, on=key, how="inner")
    number, last = pl.col("number"), pl.col("previous")
    points = pl.when(pl.col("highest") == 1).then(100).otherwise(1)
    is_far = (
        pl.when(_IS_RATIO)
        .then((number - last).abs() * points > JUMP_POINTS)
        .otherwise((last > 0) & (number > 0) & ((number > last * JUMP_TIMES) | (number * JUMP_TIMES < last)))
    )
    values = {"value": written(number), "previous": written(last)}
    return judge(found, [Check(rules.VALUE_JUMPS, "value", is_far, values, written(number))])
