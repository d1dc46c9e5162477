"""What the plans service says; it hears nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from chassis.replica import Subscription
from services.plans.schemas import events as said

EVENTS: Mapping[str, type[BaseModel]] = {
    said.ADMIN_UNIT_CHANGED: said.AdminUnitChanged,
    said.OFFICE_CHANGED: said.OfficeChanged,
    said.OFFICE_REMOVED: said.OfficeRemoved,
    said.PLAN_RECORDED: said.PlanChanged,
    said.PLAN_ISSUED: said.PlanChanged,
    said.PLAN_AMENDED: said.PlanChanged,
    said.PLAN_CLOSED: said.PlanChanged,
}
SUBSCRIPTIONS: Sequence[Subscription] = ()
