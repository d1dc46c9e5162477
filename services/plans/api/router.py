"""The one router of the service, and the parameters its routes share."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from chassis.auth import Caller, needs
from chassis.bodies import HouseRoute
from chassis.database import DryRun
from chassis.pages import chosen
from services.plans.domain.filters import ItemFilter, PlanFilter

TITLE = "Kế hoạch – plans"
DESCRIPTION = (
    "Administrative units with validity, offices, and plans with their legal bases, tasks, reporting duties, budget "
    "rules, prior-year results, recipients, external systems and discrepancies.\n\n"
    "Every list takes `limit`, `cursor`, `fields` and `known_at`, and answers JSON pages, NDJSON or CSV by `Accept`, "
    "with the cursor to follow changes from in `Changes-Cursor`. Filters with several values are repeated or "
    "separated by commas. Callers without a token see issued plans, without people's names and recorders' notes.\n\n"
    "A plan's key is `<unit code>-<year>-<kind>`, such as `25378-2026-digital-transformation-state-agencies`."
)

router = APIRouter(prefix="/v1/plans", route_class=HouseRoute)

PlansRead = Annotated[Caller, needs("plans:read", public=True)]
PlansWrite = Annotated[Caller, needs("plans:write")]
UnitsWrite = Annotated[Caller, needs("admin_units:write")]

Prune = Annotated[bool, Query(description="Remove what the body leaves out; else it is kept and named.")]
Words = Annotated[
    str | None,
    Query(alias="q", max_length=200, description="Words to find, whatever their accents, tone placement and case."),
]
Units = Annotated[list[str] | None, Query(alias="admin_unit", description="Unit codes.")]
Provinces = Annotated[list[str] | None, Query(alias="province", description="Province codes.")]
PlanKeys = Annotated[list[str] | None, Query(alias="plan_key", description="Plan keys.")]
InYear = Annotated[
    int | None, Query(alias="year", ge=1900, le=2200, description="Plans of this year, or whose phase holds it.")
]
Kinds = Annotated[list[str] | None, Query(alias="kind", description="Plan kinds, with underscores.")]
OfficeSlugs = Annotated[list[str] | None, Query(alias="office", description="Office slugs, in any role.")]
PlanKeyPath = Annotated[
    str,
    Path(
        description="`<unit code>-<year>-<kind>`, the kind with dashes.",
        examples=["25378-2026-digital-transformation-state-agencies"],
    ),
]
UnitPath = Annotated[str, Path(description="Official code: province 2 digits, commune 5.", examples=["25378"])]
ItemKeys = Annotated[list[str] | None, Query(alias="key", description="Keys of items.")]


async def _dry_run(_dry_run: DryRun = False) -> None:
    """The session reads it; here it is only declared."""


DRY_RUN = Depends(_dry_run)


async def _of_plans(  # each parameter is a filter of its own
    plan_key: PlanKeys = None,
    admin_unit: Units = None,
    province: Provinces = None,
    year: InYear = None,
    kind: Kinds = None,
    q: Words = None,
) -> PlanFilter:
    return PlanFilter(
        plan_keys=chosen(plan_key),
        admin_units=chosen(admin_unit),
        provinces=chosen(province),
        years=() if year is None else (year,),
        kinds=chosen(kind),
        words=q,
    )


OfPlans = Annotated[PlanFilter, Depends(_of_plans)]


async def _of_items(
    plan_key: PlanKeys = None,
    admin_unit: Units = None,
    province: Provinces = None,
    year: InYear = None,
    key: ItemKeys = None,
    q: Words = None,
) -> ItemFilter:
    plans = await _of_plans(plan_key, admin_unit, province, year, None, q)
    return ItemFilter(plans, keys=chosen(key))


OfItems = Annotated[ItemFilter, Depends(_of_items)]
