"""One row against what is known: unit, indicator, period and the kind, scale and exactness of its figure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import IntEnum

from chassis.decimals import plain, quotient
from chassis.errors import Fault, Rule
from services.indicators.domain import rules
from services.indicators.domain.actuals.reading import Action, DataStatus, Row
from services.indicators.domain.catalogue import RATIO_TYPES, WHOLE_TYPES, ValueType, parse_scale


class Kind(IntEnum):
    """What a stored figure is: one number, a level, a rank, words, or a day of completion."""

    VALUE = 1
    LEVEL = 2
    RANK = 3
    TEXT = 4
    DONE_ON = 5


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
_COLUMNS = {
    Kind.VALUE: ("value",),
    Kind.LEVEL: ("level",),
    Kind.RANK: ("rank",),
    Kind.TEXT: ("text",),
    Kind.DONE_ON: ("done_on",),
}
_RATIO_COLUMNS = ("value", "numerator", "denominator")


@dataclass(frozen=True, slots=True)
class Measured:
    """What the catalogue says of a row's indicator."""

    code: str
    value_type: ValueType
    scale: str | None
    allows_above_100: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns a figure of this indicator may fill."""
        return _RATIO_COLUMNS if self.value_type in RATIO_TYPES else _COLUMNS[KIND_OF[self.value_type]]

    @property
    def expected(self) -> str:
        """The same, in words for a message."""
        if self.value_type in RATIO_TYPES:
            return "value | numerator + denominator"
        return _COLUMNS[KIND_OF[self.value_type]][0]


@dataclass(frozen=True, slots=True)
class Span:
    """The days of a row's period under its regime."""

    code: str
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Judged:
    """A row that passed: its figure in stored form."""

    row: Row
    kind: Kind
    value: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    words: str | None
    done_on: date | None
    data_status: DataStatus
    measured_on: date


@dataclass(slots=True)
class _Court:
    row: Row
    measured: Measured
    faults: list[Fault]

    def refuse(self, rule: Rule, column: str, value: object, **values: object) -> None:
        self.faults.append(_fault(self.row, rule, column, value, **values))


def judge(row: Row, measured: Measured, span: Span, today: date) -> tuple[Judged | None, list[Fault]]:
    """The row's figure in stored form, or every reason to refuse it.

    A ratio is computed exactly from numerator and denominator, at six places half up. Without a stated
    status a figure is estimated until its period has ended, preliminary afterwards.
    """
    court = _Court(row, measured, [])
    if span.starts_on > today:
        court.refuse(rules.PERIOD_NOT_BEGUN, "period", row.period, starts_on=span.starts_on)
    if row.measured_on and row.measured_on > today:
        court.refuse(rules.DAY_IN_FUTURE, "measured_on", row.measured_on)
    judged = _withdrawal(court) if row.action is Action.WITHDRAW else _figure(court, span, today)
    if court.faults:
        return None, court.faults
    status = row.data_status or (DataStatus.ESTIMATED if today <= span.ends_on else DataStatus.PRELIMINARY)
    return replace(judged, data_status=status, measured_on=row.measured_on or min(span.ends_on, today)), []


def _blank(row: Row, kind: Kind) -> Judged:
    return Judged(row, kind, None, None, None, None, None, DataStatus.ESTIMATED, date.min)


def _withdrawal(court: _Court) -> Judged:
    if court.row.reason is None:
        court.refuse(rules.REASON_MISSING, "reason", None)
    for column in court.row.figures:
        court.refuse(rules.VALUE_NOT_ALLOWED, column, getattr(court.row, column))
    return _blank(court.row, KIND_OF[court.measured.value_type])


def _figure(court: _Court, span: Span, today: date) -> Judged:
    row, measured = court.row, court.measured
    judged = _blank(row, KIND_OF[measured.value_type])
    strangers = [name for name in row.figures if name not in measured.columns]
    for column in strangers:
        values = {"indicator": measured.code, "expected": measured.expected}
        court.refuse(rules.VALUE_KIND_MISMATCH, column, getattr(row, column), **values)
    if not row.figures:
        court.refuse(rules.VALUE_MISSING, measured.columns[0], None, expected=measured.expected)
    if strangers or not row.figures:
        return judged
    if judged.kind is Kind.TEXT:
        return replace(judged, words=row.text)
    if judged.kind is Kind.DONE_ON:
        return replace(judged, done_on=_done_on(court, span, today))
    return _number(court, judged)


def _done_on(court: _Court, span: Span, today: date) -> date | None:
    done_on = court.row.done_on
    if done_on and done_on > today:
        court.refuse(rules.DAY_IN_FUTURE, "done_on", done_on)
    elif done_on and done_on > span.ends_on:
        court.refuse(rules.DONE_AFTER_PERIOD, "done_on", done_on, ends_on=span.ends_on)
    return done_on


def _number(court: _Court, judged: Judged) -> Judged:
    row = court.row
    if row.numerator is not None or row.denominator is not None:
        return _ratio(court, judged)
    column = next(name for name in court.measured.columns if getattr(row, name) is not None)
    value = Decimal(getattr(row, column))
    _check_scale(court, column, value)
    return replace(judged, value=value)


def _ratio(court: _Court, judged: Judged) -> Judged:
    row = court.row
    if row.numerator is None or row.denominator is None:
        missing = "numerator" if row.numerator is None else "denominator"
        court.refuse(rules.ROW_FIELD_MISSING, missing, None)
        return judged
    if row.denominator <= 0:
        court.refuse(rules.DENOMINATOR_ZERO, "denominator", row.denominator)
        return judged
    if row.numerator > row.denominator and not court.measured.allows_above_100:
        column = "numerator"
        court.refuse(rules.NUMERATOR_ABOVE_DENOMINATOR, column, row.numerator, denominator=row.denominator)
        return judged
    hundred = 100 if court.measured.value_type is ValueType.PERCENT else 1
    value = quotient(row.numerator * hundred, row.denominator)
    if row.value is not None and row.value != value:
        court.refuse(rules.VALUE_CONTRADICTS_RATIO, "value", row.value, computed=value)
    _check_scale(court, "numerator", value)
    return replace(judged, value=value, numerator=row.numerator, denominator=row.denominator)


def _check_scale(court: _Court, column: str, value: Decimal) -> None:
    measured = court.measured
    scale = parse_scale(measured.scale)
    if measured.value_type in WHOLE_TYPES and value != value.to_integral_value():
        court.refuse(rules.VALUE_NOT_WHOLE, column, value)
    elif measured.value_type is ValueType.RANK and value < 1:
        court.refuse(rules.VALUE_OUT_OF_SCALE, column, value, scale="≥ 1", **_hint(None))
    elif value < scale.lowest or (not measured.allows_above_100 and not scale.holds(value)):
        _refuse_scale(court, column, value, scale.highest)


def _refuse_scale(court: _Court, column: str, value: Decimal, highest: Decimal | None) -> None:
    if court.measured.value_type is ValueType.PERCENT and value > 100:
        court.refuse(rules.VALUE_ABOVE_100, column, value)
        return
    is_percent_of_one = court.measured.value_type is ValueType.INDEX and 1 < value <= 100 and highest == 1
    meant = value / 100 if is_percent_of_one else None
    court.refuse(rules.VALUE_OUT_OF_SCALE, column, value, scale=court.measured.scale or "≥ 0", **_hint(meant))


def _hint(meant: Decimal | None) -> dict[str, str]:
    if meant is None:
        return {"suggestion_vi": "", "suggestion_en": ""}
    return {"suggestion_vi": f" Có phải muốn ghi {plain(meant):f}?", "suggestion_en": f" Was {plain(meant):f} meant?"}


def warn(judged: Judged, measured: Measured) -> list[Fault]:
    """What is kept but looks odd: above 100 % where allowed, or a percent that reads like a ratio."""
    value, row = judged.value, judged.row
    if value is None or measured.value_type is not ValueType.PERCENT:
        return []
    if value > 100:
        return [_fault(row, rules.VALUE_ABOVE_100_ALLOWED, "value", value)]
    if 0 < value < 1 and row.numerator is None:
        return [_fault(row, rules.VALUE_LOOKS_LIKE_RATIO, "value", value, meant=value * 100)]
    return []


def duplicates(rows: Collection[Judged], key: Mapping[int, tuple[int, ...]]) -> tuple[list[Judged], int, list[Fault]]:
    """Collapse rows with one key: the kept rows, the number of identical repeats, and contradictions.

    Of identical rows the first is kept; rows that contradict each other are refused, all of them.
    """
    by_key: dict[tuple[int, ...], list[Judged]] = {}
    for judged in rows:
        by_key.setdefault(key[judged.row.number], []).append(judged)
    kept, repeats, faults = [], 0, []
    for same in by_key.values():
        others = [each for each in same[1:] if _content(each) != _content(same[0])]
        if others:
            faults += [_contradiction(each, same[0], others[0]) for each in same]
        else:
            kept.append(same[0])
            repeats += len(same) - 1
    return kept, repeats, faults


def _content(judged: Judged) -> Row:
    return replace(judged.row, number=0, regime=None)  # the same regime may be named or left to the default


def _contradiction(judged: Judged, first: Judged, other: Judged) -> Fault:
    seen = other if judged is first else first
    return _fault(judged.row, rules.ROWS_CONTRADICT, "indicator", judged.row.indicator, other=seen.row.number)


def _fault(row: Row, rule: Rule, column: str, value: object, **values: object) -> Fault:
    return Fault(rule, {"column": column, "value": value, **values}, row=row.number, column=column, value=value)
