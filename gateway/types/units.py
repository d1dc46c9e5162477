"""Communes and provinces: where a dashboard starts."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import Parent

from gateway.clients import Row
from gateway.context import Info
from gateway.loaders import ACTUALS, COMMUNES_OF_PROVINCE, OFFICES, PLANS_OF_UNIT, SCORECARDS, UNITS, Value
from gateway.selection import children, whole_number
from gateway.types.budget import Budget
from gateway.types.enums import AdminUnitType
from gateway.types.fields import shared, shown, told
from gateway.types.indicators import Actual
from gateway.types.nodes import Node, identified, unit_code
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
    *,
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
        pillar=None if pillar is None else tuple(pillar),
        indicator=None if indicator is None else tuple(indicator),
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
    asked = None if indicator is None else tuple(indicator)
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


def plans_year(info: Info, *path: str) -> int | None:
    """The one year whose plans a query asks of each unit; None if it asks for none, or for several."""
    asked = [node for name in ("plan", "plans") for node in children(info, *path, name)]
    years = {whole_number(info, node, "year") or this_year() for node in asked}
    return years.pop() if len(years) == 1 else None


def keep_plans(info: Info, units: list[Row], year: int | None) -> None:
    """Remember the plans that came along with units."""
    for unit in units if year else ():
        info.context.loaders.prime(PLANS_OF_UNIT, unit["code"], unit["plans"], year=year)


Types = Annotated[list[AdminUnitType] | None, argument("Of these types only.")]


async def _communes(row: Parent[Row], info: Info, type: Types = None) -> list[Row]:  # noqa: A002 - the field's name
    year = plans_year(info)
    embedded: dict[str, Value] = {"with": "plans", "year": year} if year else {}
    kinds = None if type is None else tuple(kind.value for kind in type)
    found = await info.context.loaders.rows(COMMUNES_OF_PROVINCE, row["code"], type=kinds, **embedded)
    keep_plans(info, found, year)
    return found


async def _missing(row: Parent[Row], info: Info, year: Year = None) -> list[Row]:
    asked = {"province": row["code"], "year": year or this_year()}
    return await info.context.services.rows("plans", "/v1/plans/missing", asked)


async def commune_of(row: Parent[Row], info: Info) -> Row | None:
    """The commune a row names."""
    return await info.context.loaders.first(UNITS, row["admin_unit"])


@shown
class MissingPlan:
    """A commune without an issued plan for a year."""

    commune_code: str = told("Code of the commune.", unit_code)
    name_vi: str = told("Its name.")
    name_en: str = told("The same without accents.")
    type: AdminUnitType = told("What it is by law.")
    year: int = told("The year without a plan.")
    commune: Commune | None = told("The commune.", commune_of)


@shown
class Province(AdminUnit, Node):
    """A province or centrally run city."""

    id: strawberry.ID = identified("Province", "code")
    offices: list[Office] | None = told("Its offices.", _offices, size=20)
    plans: list[Plan] | None = told("Plans of the province itself of a year that the caller may see.", _plans, size=2)
    communes: list[Commune] | None = told("Its communes, in Vietnamese dictionary order.", _communes, size=100)
    missing_plans: list[MissingPlan] | None = told("Its communes without an issued plan for a year.", _missing, size=50)
