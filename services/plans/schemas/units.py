"""Administrative units as they cross the border."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from io import StringIO
from typing import Any

from pydantic import Field, ValidationError

from chassis.bodies import Body
from chassis.errors import BODY_INVALID, FIELD_INVALID, FIELD_MISSING, FIELD_UNKNOWN, Fault, Refused
from chassis.problems import unknown
from chassis.reasons import reason_values
from chassis.text import nfc
from services.plans.domain.rules import UNITS_UNREADABLE
from services.plans.domain.units import AdminUnitType
from services.plans.schemas.plans import PlanHeader
from services.plans.schemas.values import AgencyCode, ProvinceCode, ShortWords, UnitCode


class AdminUnitBody(Body):
    """What a code means from one day on; a code that changed its name or type has several rows."""

    code: UnitCode
    name_vi: ShortWords = Field(description="Name without the word for its type.", examples=["Đại Phước"])
    name_en: ShortWords = Field(examples=["Dai Phuoc"])
    type: AdminUnitType
    province_code: ProvinceCode | None = Field(None, description="Of communes, wards and special zones only.")
    agency_code: AgencyCode | None = None
    valid_from: date = Field(description="First day.")
    valid_to: date | None = Field(None, description="First day on which it no longer holds; null: still valid.")


class AdminUnitsBody(Body):
    """Units to record: the rows of a code replace all its stored rows."""

    admin_units: list[AdminUnitBody] = Field(min_length=1, max_length=50_000)


class AdminUnitRow(AdminUnitBody):
    """One validity of a unit."""

    version: int = Field(description="Of the code: one more with every change of any of its validities.")
    plans: list[PlanHeader] | None = Field(
        None, description="Headers of the unit's plans, with `with=plans`: those the caller may see."
    )


class AdminUnitHistory(Body):
    """One code: what it means on the asked day, and everything it has meant."""

    code: UnitCode
    on: date = Field(description="The day asked for.")
    current: AdminUnitBody | None = Field(description="What the code means on that day; null: nothing.")
    validities: list[AdminUnitBody] = Field(description="Oldest first.")
    version: int


class MissingPlanRow(Body):
    """A commune without an issued plan for the year."""

    admin_unit: UnitCode
    name_vi: str
    name_en: str
    type: AdminUnitType
    province: ProvinceCode
    year: int


_COLUMNS = tuple(AdminUnitBody.model_fields)


def read_units_csv(text: str) -> AdminUnitsBody:
    """Units from CSV text with the header line code,name_vi,name_en,type,province_code,valid_from,valid_to.

    An empty cell is nothing. Rows count from 1 below the header.

    Raises:
        Refused: no header or an unknown column ("units_unreadable"), or faults with row and column ("body_invalid").
    """
    rows = csv.DictReader(StringIO(nfc(text.removeprefix("\ufeff"))), strict=True)
    try:
        _check_header(rows.fieldnames or ())
        units, faults = _read_rows(rows)
    except csv.Error as error:
        raise Refused(UNITS_UNREADABLE, reason=str(error)) from error
    if faults:
        raise Refused(BODY_INVALID, faults=faults)
    if not units:
        raise Refused(UNITS_UNREADABLE, reason="no rows")
    return AdminUnitsBody.model_construct(admin_units=units)


def _check_header(columns: Any) -> None:
    faults = [
        Fault(FIELD_UNKNOWN, unknown(name, _COLUMNS), row=0, column=name) for name in columns if name not in _COLUMNS
    ]
    required = [name for name, field in AdminUnitBody.model_fields.items() if field.is_required()]
    faults += [Fault(FIELD_MISSING, {"field": name}, row=0, column=name) for name in required if name not in columns]
    if faults:
        raise Refused(BODY_INVALID, faults=faults)


def _read_rows(rows: csv.DictReader[str]) -> tuple[list[AdminUnitBody], list[Fault]]:
    units, faults = [], []
    for number, row in enumerate(rows, 1):
        try:
            units.append(AdminUnitBody.model_validate(_cells(row)))
        except ValidationError as error:
            faults += [
                Fault(
                    FIELD_INVALID,
                    reason_values(item),
                    row=number,
                    column=str(item["loc"][0]) if item["loc"] else None,
                    value=item["input"] if isinstance(item["input"], str) else None,
                )
                for item in error.errors(include_url=False)
            ]
    return units, faults


def _cells(row: Mapping[str | None, Any]) -> dict[str, Any]:
    return {str(name): value.strip() if isinstance(value, str) else value for name, value in row.items() if value}
