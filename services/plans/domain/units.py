"""Administrative units: a code with validity is the key, because codes are recycled and types change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Protocol, TypeVar

from chassis.errors import Fault
from services.plans.domain.rules import (
    UNIT_PROVINCE_MISSING,
    UNIT_PROVINCE_UNKNOWN,
    UNIT_PROVINCE_UNWANTED,
    UNIT_TYPE_MISMATCH,
    UNIT_VALIDITY_EMPTY,
    UNIT_VALIDITY_OVERLAPS,
)

PROVINCE_CODE_LENGTH, COMMUNE_CODE_LENGTH = 2, 5


class AdminUnitType(StrEnum):
    """The types of units by law: an attribute with validity, never part of a key."""

    PROVINCE = "province"
    MUNICIPALITY = "municipality"
    COMMUNE = "commune"
    WARD = "ward"
    SPECIAL_ZONE = "special_zone"


PROVINCE_TYPES = frozenset({AdminUnitType.PROVINCE, AdminUnitType.MUNICIPALITY})


class Validity(Protocol):
    """What a code meant from one day (inclusive) until another (exclusive; None: still)."""

    @property
    def code(self) -> str:
        """The official code."""

    @property
    def type(self) -> str:
        """Its type by law."""

    @property
    def province_code(self) -> str | None:
        """The province of a commune-level unit."""

    @property
    def valid_from(self) -> date:
        """First day."""

    @property
    def valid_to(self) -> date | None:
        """First day on which it no longer holds; None: still valid."""


AnyValidity = TypeVar("AnyValidity", bound=Validity)


def unit_faults(rows: Sequence[Validity], known_provinces: Iterable[Validity] = ()) -> list[Fault]:
    """What is wrong with a list of units, each fault with its row (from 1) and column.

    `known_provinces` are provinces stored already whose code the list does not replace.
    """
    faults = [fault for row, unit in enumerate(rows, 1) for fault in _own_faults(row, unit)]
    faults += _overlaps(rows)
    faults += _lost_provinces(rows, known_provinces)
    return sorted(faults, key=lambda fault: fault.row or 0)


def place_of(code: str, province: str | None) -> tuple[str | None, str | None]:
    """Province and commune of a unit; a province lies in itself and is no commune."""
    return (province, code) if len(code) == COMMUNE_CODE_LENGTH else (code, None)


def overlap(first: Validity, second: Validity) -> bool:
    """Whether two validities share a day."""
    return _ends(first) > second.valid_from and _ends(second) > first.valid_from


def latest_within(validities: Iterable[AnyValidity], first_day: date, last_day: date) -> AnyValidity | None:
    """The youngest validity that holds on some day of a span, both days inclusive."""
    holding = [v for v in validities if v.valid_from <= last_day and _ends(v) > first_day]
    return max(holding, key=lambda v: v.valid_from, default=None)


def by_code(validities: Iterable[AnyValidity]) -> Mapping[str, list[AnyValidity]]:
    """Validities of each code, oldest first."""
    grouped: dict[str, list[AnyValidity]] = defaultdict(list)
    for validity in sorted(validities, key=lambda v: v.valid_from):
        grouped[validity.code].append(validity)
    return grouped


def _ends(validity: Validity) -> date:
    return validity.valid_to or date.max


def _own_faults(row: int, unit: Validity) -> Iterator[Fault]:
    is_province = unit.type in PROVINCE_TYPES
    length = PROVINCE_CODE_LENGTH if is_province else COMMUNE_CODE_LENGTH
    if len(unit.code) != length:
        yield Fault(UNIT_TYPE_MISMATCH, {"code": unit.code, "type": unit.type}, row=row, column="type", value=unit.type)
    if is_province and unit.province_code:
        yield Fault(
            UNIT_PROVINCE_UNWANTED, {"code": unit.code}, row=row, column="province_code", value=unit.province_code
        )
    if not is_province and not unit.province_code:
        yield Fault(UNIT_PROVINCE_MISSING, {"code": unit.code}, row=row, column="province_code")
    if unit.valid_to and unit.valid_to <= unit.valid_from:
        values = {"code": unit.code, "valid_from": unit.valid_from, "valid_to": unit.valid_to}
        yield Fault(UNIT_VALIDITY_EMPTY, values, row=row, column="valid_to", value=unit.valid_to)


def _overlaps(rows: Sequence[Validity]) -> Iterator[Fault]:
    longest: Validity | None = None
    for row, unit in sorted(enumerate(rows, 1), key=lambda numbered: (numbered[1].code, numbered[1].valid_from)):
        if longest is None or longest.code != unit.code:
            longest = unit
            continue
        if _ends(longest) > unit.valid_from:
            values = {
                "code": unit.code,
                "valid_from": unit.valid_from,
                "other_from": longest.valid_from,
                "other_to": longest.valid_to,
            }
            yield Fault(UNIT_VALIDITY_OVERLAPS, values, row=row, column="valid_from", value=unit.valid_from)
        longest = max(longest, unit, key=_ends)


def _lost_provinces(rows: Sequence[Validity], known_provinces: Iterable[Validity]) -> Iterator[Fault]:
    given = {unit.code for unit in rows}
    stored = [unit for unit in known_provinces if unit.code not in given]
    provinces = by_code([unit for unit in (*rows, *stored) if unit.type in PROVINCE_TYPES])
    for row, unit in enumerate(rows, 1):
        code = unit.province_code
        if unit.type in PROVINCE_TYPES or not code:
            continue
        if not any(overlap(unit, province) for province in provinces.get(code, ())):
            values = {"code": unit.code, "province_code": code}
            yield Fault(UNIT_PROVINCE_UNKNOWN, values, row=row, column="province_code", value=code)
