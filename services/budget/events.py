"""What the budget service says, and what it hears of units, offices and plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from chassis.database import Session
from chassis.replica import ListSource, Subscription, in_order
from services.budget import service
from services.budget.schemas.events import LINES_APPLIED, LinesApplied

EVENTS: Mapping[str, type[BaseModel]] = {LINES_APPLIED: LinesApplied}

ADMIN_UNIT_CHANGED = "vn.chitieu.plans.admin_unit.changed.v1"
OFFICE_CHANGED = "vn.chitieu.plans.office.changed.v1"
OFFICE_REMOVED = "vn.chitieu.plans.office.removed.v1"
PLAN_RECORDED = "vn.chitieu.plans.plan.recorded.v1"
PLAN_ISSUED = "vn.chitieu.plans.plan.issued.v1"
PLAN_AMENDED = "vn.chitieu.plans.plan.amended.v1"
PLAN_CLOSED = "vn.chitieu.plans.plan.closed.v1"


async def _hear_units(db: Session, said: list[dict[str, Any]]) -> None:
    latest = {unit["code"]: unit for unit in said}
    heads = {code: {"code": code, "version": unit["version"]} for code, unit in latest.items()}
    kept = [{**row, **heads[code]} for code, unit in latest.items() for row in unit["validities"]]
    await service.hear_admin_units(db, kept)
    await service.hear_admin_units_removed(db, [heads[code] for code in latest if not latest[code]["validities"]])


_HEAR = {
    ADMIN_UNIT_CHANGED: _hear_units,
    OFFICE_CHANGED: service.hear_offices,
    OFFICE_REMOVED: service.hear_offices_removed,
    PLAN_RECORDED: service.hear_plans,
    PLAN_ISSUED: service.hear_plans,
    PLAN_AMENDED: service.hear_plans,
    PLAN_CLOSED: service.hear_plans,
}


SUBSCRIPTIONS: Sequence[Subscription] = (
    Subscription(
        source="plans",
        lists=(
            ListSource("/v1/plans/admin-units?on=all", service.hear_admin_units),
            ListSource("/v1/plans/offices", service.hear_offices),
            ListSource("/v1/plans?with=budget_rules", service.hear_plans),
        ),
        types=tuple(_HEAR),
        apply=in_order(_HEAR),
    ),
)
