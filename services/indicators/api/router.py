"""The one router of the service, and the parameters its routes share."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from chassis.auth import Caller, needs
from chassis.bodies import HouseRoute
from chassis.pages import chosen
from chassis.periods import FIRST_YEAR, LAST_YEAR
from services.indicators.domain.filters import TargetFilter
from services.indicators.service import Viewer

TITLE = "Chỉ tiêu – indicators"
DESCRIPTION = (
    "What communes promise (targets), what they report (actuals), and the verdict on every target, explained.\n\n"
    "Every list takes `limit`, `cursor`, `fields` and `known_at`, and answers JSON pages, NDJSON or CSV by `Accept`, "
    "with the cursor to follow changes from in `Changes-Cursor`. Filters with several values are repeated or "
    "separated by commas. Callers without a token see issued plans' targets and public figures only, without notes, "
    "evidence links and names.\n\n"
    "A figure's key is unit, indicator, sub-population, regime and period: `2026-Q2` of the state regime ends on "
    "14 June, of the calendar on 30 June, so every figure says its regime and its days."
)

router = APIRouter(prefix="/v1/indicators", route_class=HouseRoute)

IndicatorsRead = Annotated[Caller, needs("indicators:read", public=True)]
CatalogueWrite = Annotated[Caller, needs("catalogue:write")]
TargetsWrite = Annotated[Caller, needs("targets:write")]
ActualsWrite = Annotated[Caller, needs("actuals:write")]

Prune = Annotated[bool, Query(description="Remove what the body leaves out; else it is kept and named.")]
Words = Annotated[
    str | None,
    Query(alias="q", max_length=200, description="Words to find, whatever their accents, tone placement and case."),
]
PlanKeys = Annotated[list[str] | None, Query(alias="plan_key", description="Plan keys.")]
Units = Annotated[list[str] | None, Query(alias="admin_unit", description="Unit codes.")]
Provinces = Annotated[list[str] | None, Query(alias="province", description="Province codes.")]
Indicators = Annotated[list[str] | None, Query(alias="indicator", description="Indicator codes.")]
Pillars = Annotated[list[str] | None, Query(alias="pillar", description="Pillars.")]
Regimes = Annotated[list[str] | None, Query(alias="regime", description="Codes of reporting regimes.")]
PeriodTypes = Annotated[list[str] | None, Query(alias="period_type", description="Kinds of periods.")]
Year = Annotated[int, Query(ge=FIRST_YEAR, le=LAST_YEAR)]
Years = Annotated[list[Year] | None, Query(alias="year", description="Years.")]


def viewer_of(request: Request, caller: Caller) -> Viewer:
    """Whose eyes: sample figures are public in the demo, and nowhere else."""
    return Viewer(caller, shows_samples=request.app.state.house.settings.is_demo)


async def _of_targets(
    plan_key: PlanKeys = None,
    admin_unit: Units = None,
    province: Provinces = None,
    year: Years = None,
    indicator: Indicators = None,
    pillar: Pillars = None,
) -> TargetFilter:
    return TargetFilter(
        plan_keys=chosen(plan_key),
        admin_units=chosen(admin_unit),
        provinces=chosen(province),
        years=tuple(year or ()),
        indicators=chosen(indicator),
        pillars=chosen(pillar),
    )


OfTargets = Annotated[TargetFilter, Depends(_of_targets)]
