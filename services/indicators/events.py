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

_HEAR = {
    "vn.chitieu.plans.admin_unit.changed.v1": hearing.hear_units,
    "vn.chitieu.plans.office.changed.v1": hearing.hear_offices,
    "vn.chitieu.plans.office.removed.v1": hearing.hear_removed_offices,
    "vn.chitieu.plans.plan.recorded.v1": hearing.hear_plans,
    "vn.chitieu.plans.plan.issued.v1": hearing.hear_plans,
    "vn.chitieu.plans.plan.amended.v1": hearing.hear_plans,
    "vn.chitieu.plans.plan.closed.v1": hearing.hear_plans,
}


SUBSCRIPTIONS: Sequence[Subscription] = (
    Subscription(
        source="plans",
        lists=(
            ListSource("/v1/plans/admin-units?on=all", hearing.hear_listed_units),
            ListSource("/v1/plans/offices", hearing.hear_offices),
            ListSource("/v1/plans", hearing.hear_plans),
        ),
        types=tuple(_HEAR),
        apply=in_order(_HEAR),
    ),
)
