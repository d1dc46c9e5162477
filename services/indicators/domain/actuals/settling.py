"""A judged row against the stored figure of its key: new, changed, unchanged or stale."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from chassis.decimals import plain
from chassis.errors import Fault
from services.indicators.domain import rules
from services.indicators.domain.actuals.judging import Judged, Kind
from services.indicators.domain.actuals.reading import Action, DataStatus

STATUS_NUMBER = {DataStatus.ESTIMATED: 1, DataStatus.PRELIMINARY: 2, DataStatus.OFFICIAL: 3}
STATUS_OF = {number: status for status, number in STATUS_NUMBER.items()}


class Outcome(StrEnum):
    """What happens to a row."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    STALE = "stale"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Stored:
    """The figure kept for a key now."""

    version: int
    kind: Kind
    value: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    words: str | None
    done_on: date | None
    measured_on: date
    data_status: DataStatus
    source: str | None
    evidence_url: str | None
    note: str | None
    is_withdrawn: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """A row's outcome, and for a stale or refused one the reason."""

    judged: Judged
    outcome: Outcome
    stored: Stored | None = None
    fault: Fault | None = None

    @property
    def version(self) -> int:
        """The version the key has afterwards."""
        before = self.stored.version if self.stored else 0
        return before + (self.outcome in (Outcome.CREATED, Outcome.UPDATED))

    @property
    def is_withdrawal(self) -> bool:
        """Whether the figure is taken back."""
        return self.judged.row.action is Action.WITHDRAW

    @property
    def measured_on(self) -> date:
        """The day the figure describes; a row that names none never makes the stored day older."""
        stated, stored = self.judged.row.measured_on, self.stored
        return self.judged.measured_on if stated or not stored else max(self.judged.measured_on, stored.measured_on)


def settle(judged: Judged, stored: Stored | None) -> Settled:
    """What happens to a row, given what is stored.

    A row that says what is stored, or differs in the day measured alone, is unchanged, whatever version it
    was made from: posting again is harmless. An older day or another base version never wins.
    """
    row = judged.row
    if row.action is Action.WITHDRAW and (stored is None or stored.is_withdrawn):
        return _not_there(judged, stored)
    if stored and _says_the_same(judged, stored):
        return Settled(judged, Outcome.UNCHANGED, stored)
    version = stored.version if stored else 0
    if row.base_version is not None and row.base_version != version:
        return _stale(judged, stored, "base_version", row.base_version, version)
    if stored and row.measured_on and row.measured_on < stored.measured_on:
        return _stale(judged, stored, "measured_on", row.measured_on, stored.measured_on)
    return Settled(judged, Outcome.UPDATED if stored else Outcome.CREATED, stored)


def _not_there(judged: Judged, stored: Stored | None) -> Settled:
    if stored is not None:
        return Settled(judged, Outcome.UNCHANGED, stored)
    row = judged.row
    fault = Fault(rules.NOTHING_TO_WITHDRAW, row=row.number, column="action", value=row.action.value)
    return Settled(judged, Outcome.REFUSED, None, fault)


def _stale(judged: Judged, stored: Stored | None, column: str, value: object, kept: object) -> Settled:
    rule = rules.BASE_VERSION_STALE if column == "base_version" else rules.ROW_STALE
    values = {"value": value, "stored": kept}
    fault = Fault(rule, values, row=judged.row.number, column=column, value=value)
    return Settled(judged, Outcome.STALE, stored, fault)


def _says_the_same(judged: Judged, stored: Stored) -> bool:
    row = judged.row
    if row.action is Action.WITHDRAW or stored.is_withdrawn:
        return False
    said = (judged.kind, judged.value, judged.numerator, judged.denominator, judged.words, judged.done_on)
    kept = (stored.kind, stored.value, stored.numerator, stored.denominator, stored.words, stored.done_on)
    beside = (judged.data_status, row.source, row.evidence_url, row.note)
    return said == kept and beside == (stored.data_status, stored.source, stored.evidence_url, stored.note)


def figure_of(source: Judged | Stored) -> dict[str, Any]:
    """A figure as the wire says it: only the columns of its kind."""
    match source.kind:
        case Kind.LEVEL:
            return {"level": _whole(source.value)}
        case Kind.RANK:
            return {"rank": _whole(source.value)}
        case Kind.TEXT:
            return {"text": source.words}
        case Kind.DONE_ON:
            return {"done_on": source.done_on}
    parts = {"value": source.value, "numerator": source.numerator, "denominator": source.denominator}
    return {name: plain(number) for name, number in parts.items() if number is not None}


def announced(settled: Settled, key: Mapping[str, Any]) -> dict[str, Any]:
    """One change as the event says it: codes, old and new figure, version; no note, link or name."""
    judged, stored = settled.judged, settled.stored
    old = None
    if stored is not None and not stored.is_withdrawn:
        old = {**figure_of(stored), "data_status": stored.data_status, "measured_on": stored.measured_on}
    new = None
    if judged.row.action is Action.SET:
        new = {**figure_of(judged), "data_status": judged.data_status, "measured_on": settled.measured_on}
    return {**key, "action": judged.row.action, "old": old, "new": new, "version": settled.version}


def _whole(value: Decimal | None) -> int | None:
    return None if value is None else int(value)
