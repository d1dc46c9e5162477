"""What is measured: value types, scales, and when a catalogue entry is sound."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from chassis.errors import Fault
from services.indicators.domain import rules


class ValueType(StrEnum):
    """The kinds of figures an indicator or a target can have."""

    PERCENT = "percent"
    INDEX = "index"
    COUNT = "count"
    LEVEL = "level"
    RANK = "rank"
    AMOUNT = "amount"
    MILESTONE = "milestone"
    TEXT = "text"


class Direction(StrEnum):
    """Which way is better; boolean indicators are met or not met."""

    HIGHER = "higher_is_better"
    LOWER = "lower_is_better"
    BOOLEAN = "boolean"


class Aggregation(StrEnum):
    """How communes' figures become one figure of a province."""

    WEIGHTED_MEAN = "weighted_mean"
    MEAN = "mean"
    SUM = "sum"
    MIN = "min"
    SHARE_MET = "share_of_communes_met"
    NONE = "none"


class Accumulation(StrEnum):
    """Whether a figure counts from the start of the year or for its period alone."""

    CUMULATIVE = "cumulative"
    IN_PERIOD = "in_period"
    UNKNOWN = "unknown"


class DerivedFrom(StrEnum):
    """Where an indicator's figure comes from; a figure posted for a derived one is kept as a claim."""

    POSTED = "posted"
    BUDGET = "budget"
    REPORTS = "reports"
    SCORE = "score"


class Pillar(StrEnum):
    """The ten pillars of the plans."""

    LEADERSHIP = "leadership_institutions"
    INFRASTRUCTURE = "digital_infrastructure"
    PEOPLE = "human_resources"
    DATA = "digital_data"
    GOVERNMENT = "digital_government"
    ECONOMY = "digital_economy"
    SOCIETY = "digital_society"
    SECURITY = "cybersecurity"
    AWARENESS = "awareness"
    SCIENCE = "science_innovation"


RATIO_TYPES = frozenset({ValueType.PERCENT, ValueType.INDEX})
WHOLE_TYPES = frozenset({ValueType.COUNT, ValueType.LEVEL, ValueType.RANK, ValueType.AMOUNT})

_CODE = re.compile(r"(?:(?P<unit>\d{2}|\d{5}):)?[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*", re.ASCII)
_SCALE = re.compile(r"(\d+)-(\d+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scale:
    """The lowest and highest figure an indicator can have, both included; None where there is no bound."""

    lowest: Decimal
    highest: Decimal | None

    def holds(self, value: Decimal) -> bool:
        """Whether a figure lies on the scale."""
        return self.lowest <= value and (self.highest is None or value <= self.highest)


def parse_scale(words: str | None) -> Scale:
    """The scale a catalogue entry states ("0-100", "0-1", "1-5"); without one, from 0 upwards."""
    found = _SCALE.fullmatch(words) if words else None
    return Scale(Decimal(found[1]), Decimal(found[2])) if found else Scale(Decimal(0), None)


def is_scale(words: str) -> bool:
    """Whether a text states a scale whose end lies above its beginning."""
    found = _SCALE.fullmatch(words)
    return found is not None and int(found[1]) < int(found[2])


def is_code(code: str) -> bool:
    """Whether a text has the form of an indicator code, common (DTI_SCORE) or local (25378:DTI_SCORE)."""
    return _CODE.fullmatch(code) is not None


def owner_of(code: str) -> str:
    """The unit whose local code this is; an empty text for a common code."""
    unit, colon, _ = code.partition(":")
    return unit if colon else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the rules of the catalogue look at in one entry."""

    code: str
    value_type: ValueType
    measure_unit: str | None
    scale: str | None
    direction: Direction
    aggregation: Aggregation
    numerator_vi: str | None
    denominator_vi: str | None
    related: tuple[str, ...]


def check_entry(entry: Entry, pointer: str) -> list[Fault]:
    """Every fault of one entry in itself: form of its code, scale, ratio parts, milestone and rank."""
    faults = [] if is_code(entry.code) else [_fault(rules.INDICATOR_CODE_MALFORMED, pointer, "code", entry.code)]
    if entry.scale is not None and not is_scale(entry.scale):
        faults.append(_fault(rules.SCALE_MALFORMED, pointer, "scale", entry.scale))
    if entry.value_type in RATIO_TYPES and entry.scale is None:
        faults.append(_fault(rules.SCALE_MISSING, pointer, "scale", None))
    if (entry.aggregation is Aggregation.WEIGHTED_MEAN) != bool(entry.numerator_vi and entry.denominator_vi):
        faults.append(_fault(rules.RATIO_PARTS_MISMATCH, pointer, "aggregation", entry.aggregation.value))
    if entry.value_type is ValueType.RANK and entry.direction is not Direction.LOWER:
        faults.append(_fault(rules.DIRECTION_MISMATCH, pointer, "direction", entry.direction.value))
    if entry.value_type is ValueType.MILESTONE and entry.direction is not Direction.BOOLEAN:
        faults.append(_fault(rules.DIRECTION_MISMATCH, pointer, "direction", entry.direction.value))
    return faults


def check_catalogue(entries: list[Entry], owner: str, known: Collection[str]) -> list[Fault]:
    """Every fault of a set of entries: each in itself, codes twice, codes of another owner, unknown relations."""
    faults: list[Fault] = []
    seen: set[str] = set()
    codes = {*known, *(entry.code for entry in entries)}
    for index, entry in enumerate(entries):
        pointer = f"/indicators/{index}"
        faults += check_entry(entry, pointer)
        if entry.code in seen:
            faults.append(_fault(rules.KEY_TWICE, pointer, "code", entry.code))
        if owner_of(entry.code) != owner:
            faults.append(_fault(rules.INDICATOR_OF_ANOTHER_OWNER, pointer, "code", entry.code))
        faults += [
            _fault(rules.RELATED_UNKNOWN, pointer, "related", code)
            for code in entry.related
            if code not in codes or code == entry.code
        ]
        seen.add(entry.code)
    return faults


def _fault(rule: rules.Rule, pointer: str, field: str, value: object) -> Fault:
    return Fault(rule, {"value": value}, pointer=f"{pointer}/{field}", value=value)
