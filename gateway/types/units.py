"""Communes and provinces: where a dashboard starts."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import Parent

from gateway.clients import Row
from gateway.context import Info
from gateway.loaders import ACTUALS, OFFICES, PLANS_OF_UNIT, SCORECARDS, UNITS
from gateway.types.budget import Budget
from gateway.types.enums import AdminUnitType
from gateway.types.fields import shared, shown, told
from gateway.types.indicators import Actual
from gateway.types.nodes import Node, identified
from gateway.types.offices import Office
from gateway.types.plans import Plan
from gateway.types.scalars import Date, Period
from gateway.types.scorecards import (
    Indicators,
    KnownAt,
    On,
    Pillars,
    Regime,
    ScorecardEntry,
    Year,
    argument,
    this_year,
)

IN_FORCE = {"issued": 3, "amended": 3, "closed": 2, "draft": 1}


@shared
class AdminUnit(Node):
    """A unit: its official code with validity is the key, because names repeat and codes are recycled."""

    code: str = told("Official code, leading zeros kept: province 2 digits, commune 5.")
    name_vi: str = told("Name without the word for its type.")
    name_en: str = told("The same without accents.")
    type: AdminUnitType = told("What it is by law since `validFrom`.")
    agency_code: str | None = told("Mã định danh điện tử, as stated; never derived.")
    valid_from: Date = told("First day on which the code means this.")
    valid_to: Date | None = told("First day on which it no longer does; null: it still does.")
    offices: list[Office] | None = told("Its offices.", size=20)
    plans: list[Plan] | None = told("Its plans of a year that the caller may see.", size=2)


async def _offices(row: Parent[Row], info: Info) -> list[Row]:
    return await info.context.loaders.rows(OFFICES, row["code"])


async def _plans(row: Parent[Row], info: Info, year: Year = None) -> list[Row]:
    return await info.context.loaders.rows(PLANS_OF_UNIT, row["code"], year=year or this_year())


async def _plan(
    row: Parent[Row],
    info: Info,
    year: Year = None,
    kind: Annotated[str | None, argument("Kind of plan, such as digital_transformation_area.")] = None,
) -> Row | None:
    plans = await info.context.loaders.rows(PLANS_OF_UNIT, row["code"], year=year or this_year())
    wanted = [plan for plan in plans if kind is None or plan["kind"] == kind]
    return max(wanted, key=lambda plan: (IN_FORCE[plan["status"]], plan["revision"], plan["plan_key"]), default=None)


async def _scorecard(  # noqa: PLR0913  # the arguments of the field
    row: Parent[Row],
    info: Info,
    year: Year = None,
    on: On = None,
    known_at: KnownAt = None,
    pillar: Pillars = None,
    indicator: Indicators = None,
    regime: Regime = None,
) -> list[Row]:
    return await info.context.loaders.rows(
        SCORECARDS,
        row["code"],
        year=year or this_year(),
        on=on,
        known_at=known_at,
        pillar=tuple(pillar) if pillar else None,
        indicator=tuple(indicator) if indicator else None,
        regime=regime,
    )


async def _actuals(
    row: Parent[Row],
    info: Info,
    indicator: Indicators = None,
    period: Annotated[Period | None, argument("Figures of this period only.")] = None,
    regime: Annotated[str | None, argument("Figures of this reporting regime only.")] = None,
    known_at: KnownAt = None,
) -> list[Row]:
    asked = tuple(indicator) if indicator else None
    return await info.context.loaders.rows(
        ACTUALS, row["code"], indicator=asked, period=period, regime=regime, known_at=known_at
    )


def _budget(row: Parent[Row], year: Year = None, known_at: KnownAt = None) -> Row:
    return {"admin_unit": row["code"], "year": year or this_year(), "known_at": known_at}


async def _province(row: Parent[Row], info: Info) -> Row | None:
    return await info.context.loaders.first(UNITS, row["province_code"])


@shown
class Commune(AdminUnit, Node):
    """A commune, ward or special zone (xã, phường, đặc khu)."""

    id: strawberry.ID = identified("Commune", "code")
    province_code: str = told("Code of its province.")
    province: Annotated[Province, strawberry.lazy("gateway.types.units")] | None = told("Its province.", _province)
    offices: list[Office] | None = told("Its offices.", _offices, size=20)
    plans: list[Plan] | None = told("Its plans of a year that the caller may see.", _plans, size=2)
    plan: Plan | None = told("Its plan of a year: the one in force, else the last closed, else a visible draft.", _plan)
    scorecard: list[ScorecardEntry] | None = told(
        "Every target of its plans of a year with the latest figure and the verdict.", _scorecard, size=30
    )
    actuals: list[Actual] | None = told("Its figures in force.", _actuals, size=30)
    budget: Budget | None = told("The money of its plans of a year.", _budget)


@shown
class Province(AdminUnit, Node):
    """A province or centrally run city."""

    id: strawberry.ID = identified("Province", "code")
    offices: list[Office] | None = told("Its offices.", _offices, size=20)
    plans: list[Plan] | None = told("Plans of the province itself of a year that the caller may see.", _plans, size=2)


async def commune_of(row: Parent[Row], info: Info) -> Row | None:
    """The commune a row names."""
    return await info.context.loaders.first(UNITS, row["admin_unit"])
