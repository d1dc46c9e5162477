"""One posted row: its columns read into exact values, every bad cell named."""

import re
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from chassis.decimals import SIX_PLACES
from chassis.errors import Fault, Rule
from chassis.periods import Period, PeriodError, parse_period
from chassis.text import nfc, suggest
from services.indicators.domain import rules

MAX_ROWS = 1000
SAMPLE = "sample"
MAX_TEXT = 4000


class DataStatus(StrEnum):
    """The legal words of the Statistics Law: ước tính, sơ bộ, chính thức."""

    ESTIMATED = "estimated"
    PRELIMINARY = "preliminary"
    OFFICIAL = "official"


class Action(StrEnum):
    """What a row does to the stored figure."""

    SET = "set"
    WITHDRAW = "withdraw"


FIGURE_COLUMNS = ("value", "numerator", "denominator", "level", "rank", "text", "done_on")
ALIASES = {"commune": "admin_unit"}


@dataclass(frozen=True, slots=True)
class Row:
    """A row as posted: codes not yet resolved, numbers exact, text in NFC."""

    number: int
    admin_unit: str
    indicator: str
    period: str
    sub_population: str = ""
    regime: str | None = None
    value: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    level: int | None = None
    rank: int | None = None
    text: str | None = None
    done_on: date | None = None
    measured_on: date | None = None
    data_status: DataStatus | None = None
    source: str | None = None
    evidence_url: str | None = None
    note: str | None = None
    action: Action = Action.SET
    reason: str | None = None
    base_version: int | None = None

    @property
    def figures(self) -> tuple[str, ...]:
        """The figure columns that are filled in."""
        return tuple(name for name in FIGURE_COLUMNS if getattr(self, name) is not None)


COLUMNS = tuple(each.name for each in fields(Row) if each.name != "number")


@dataclass(slots=True)
class Reader:
    """Reads one row; faults gather, so that every bad cell is told at once."""

    number: int
    cells: dict[str, Any]
    faults: list[Fault] = field(default_factory=list)

    def fault(self, rule: Rule, column: str, value: object = None, **values: object) -> None:
        """Note a fault of one cell."""
        values = {"column": column, "value": value, **values}
        self.faults.append(Fault(rule, values, row=self.number, column=column, value=value))

    def wrong(self, rule: Rule, column: str, **values: object) -> None:
        """Note a cell that is not of its kind."""
        self.fault(rule, column, self.cells[column], **values)

    def text(self, column: str, *, needed: bool = False) -> str | None:
        """A text cell, trimmed and in NFC; an empty one counts as absent."""
        value = self.cells.get(column)
        if value is not None and not isinstance(value, str):
            self.wrong(rules.TEXT_EXPECTED, column)
            return None
        words = nfc(value).strip() if value else None
        if words and len(words) > MAX_TEXT:
            self.wrong(rules.TEXT_TOO_LONG, column, limit=MAX_TEXT)
            return None
        if needed and not words:
            self.fault(rules.ROW_FIELD_MISSING, column)
        return words or None

    def number_in(self, column: str) -> Decimal | None:
        """A number cell, exact; text and true/false are refused, since a guess could be wrong."""
        value = self.cells.get(column)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
            self.wrong(rules.NUMBER_EXPECTED, column)
            return None
        number = Decimal(value)
        if abs(number) >= 10**14 or number != number.quantize(SIX_PLACES):
            self.fault(rules.VALUE_TOO_PRECISE, column, value)
            return None
        return number

    def whole_in(self, column: str) -> int | None:
        """A whole number from 0 upwards."""
        number = self.number_in(column)
        if number is None:
            return None
        if number < 0 or number != number.to_integral_value() or number > 2**31 - 1:
            self.wrong(rules.WHOLE_NUMBER_EXPECTED, column)
            return None
        return int(number)

    def day(self, column: str) -> date | None:
        """A day written 2026-06-14."""
        value = self.text(column)
        if value is None:
            return None
        try:
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
                return date.fromisoformat(value)
        except ValueError:
            pass
        self.wrong(rules.DAY_EXPECTED, column)
        return None

    def choice(self, column: str, kind: type[StrEnum]) -> Any:
        """One of a few codes."""
        value = self.text(column)
        if value is None or value in list(kind):
            return kind(value) if value else None
        self.wrong(rules.CHOICE_EXPECTED, column, known=", ".join(kind))
        return None


def read_rows(cells: list[Any]) -> tuple[list[Row], list[Fault]]:
    """Read every row; rows are numbered from 1. A row with a bad cell is still read, so that its codes are checked."""
    rows, faults = [], []
    for number, each in enumerate(cells, start=1):
        row, found = read_row(number, each)
        faults += found
        if row is not None:
            rows.append(row)
    return rows, faults


def read_row(number: int, cells: Any) -> tuple[Row | None, list[Fault]]:
    """Read one row; the faults name every bad cell."""
    if not isinstance(cells, dict):
        return None, [Fault(rules.ROW_NOT_OBJECT, row=number)]
    reader = Reader(number, {ALIASES.get(str(name), str(name)): value for name, value in cells.items()})
    _refuse_unknown(reader)
    row = Row(
        number,
        admin_unit=reader.text("admin_unit", needed=True) or "",
        indicator=reader.text("indicator", needed=True) or "",
        period=_period(reader),
        sub_population=reader.text("sub_population") or "",
        regime=reader.text("regime"),
        value=reader.number_in("value"),
        numerator=reader.number_in("numerator"),
        denominator=reader.number_in("denominator"),
        level=reader.whole_in("level"),
        rank=reader.whole_in("rank"),
        text=reader.text("text"),
        done_on=reader.day("done_on"),
        measured_on=reader.day("measured_on"),
        data_status=reader.choice("data_status", DataStatus),
        source=reader.text("source"),
        evidence_url=_url(reader),
        note=reader.text("note"),
        action=reader.choice("action", Action) or Action.SET,
        reason=reader.text("reason"),
        base_version=reader.whole_in("base_version"),
    )
    return row, reader.faults


def _refuse_unknown(reader: Reader) -> None:
    for name in reader.cells:
        if name not in COLUMNS:
            near = suggest(str(name), [*COLUMNS, *ALIASES])
            reader.fault(
                rules.ROW_FIELD_UNKNOWN,
                str(name),
                field=name,
                suggestion_vi=f" Có phải là {near}?" if near else "",
                suggestion_en=f" Did you mean {near}?" if near else "",
            )


def _period(reader: Reader) -> str:
    stated = reader.cells.get("period")
    if isinstance(stated, int) and not isinstance(stated, bool):
        reader.cells["period"] = str(stated)  # a bare 2026 can only mean the year
    words = reader.text("period", needed=True)
    period = parse_or_none(words) if words else None
    if words and period is None:
        reader.fault(rules.PERIOD_MALFORMED, "period", words)
    return period.code if period else ""


def parse_or_none(words: str) -> Period | None:
    """The period a text names, or None."""
    try:
        return parse_period(words)
    except PeriodError:
        return None


def _url(reader: Reader) -> str | None:
    words = reader.text("evidence_url")
    if words and not re.match(r"https?://\S+$", words):
        reader.wrong(rules.ADDRESS_EXPECTED, "evidence_url")
        return None
    return words
