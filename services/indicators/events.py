"""What the indicators service says, and what it hears of units, offices and plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from chassis.replica import ListSource, Subscription, in_order
from services.indicators.schemas import events as said
from services.indicators.service import hearing

EVENTS: Mapping[str, type[BaseModel]] = {
    said.ACTUALS_POSTED: said.ActualsPosted,
    said.TARGETS_APPLIED: said.TargetsApplied,
    said.INDICATOR_CHANGED: said.EntryChanged,
    said.REGIME_CHANGED: said.EntryChanged,
}

ADMIN_UNIT_CHANGED = "vn.chitieu.plans.admin_unit.changed.v1"
OFFICE_CHANGED = "vn.chitieu.plans.office.changed.v1"
OFFICE_REMOVED = "vn.chitieu.plans.office.removed.v1"
PLAN_RECORDED = "vn.chitieu.plans.plan.recorded.v1"
PLAN_ISSUED = "vn.chitieu.plans.plan.issued.v1"
PLAN_AMENDED = "vn.chitieu.plans.plan.amended.v1"
PLAN_CLOSED = "vn.chitieu.plans.plan.closed.v1"

_HEAR = {
    ADMIN_UNIT_CHANGED: hearing.hear_units,
    OFFICE_CHANGED: hearing.hear_offices,
    OFFICE_REMOVED: hearing.hear_removed_offices,
    PLAN_RECORDED: hearing.hear_plans,
    PLAN_ISSUED: hearing.hear_plans,
    PLAN_AMENDED: hearing.hear_plans,
    PLAN_CLOSED: hearing.hear_plans,
}


SUBSCRIPTIONS: Sequence[Subscription] = (
    Subscription(
        source="plans",
        lists=(
            ListSource("/v1/plans/admin-units?on=all", hearing.hear_listed_units, hearing.forget_units),
            ListSource("/v1/plans/offices", hearing.hear_offices, hearing.forget_offices),
            ListSource("/v1/plans", hearing.hear_plans, hearing.forget_plans),
        ),
        types=tuple(_HEAR),
        apply=in_order(_HEAR),
    ),
)
