"""What the budget service says, and what it hears of units, offices and plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from chassis.event_types import Audience, EventType, Words, by_name
from chassis.replica import ListSource, Subscription, in_order
from services.budget.schemas.events import LINES_APPLIED, LinesApplied
from services.budget.service import hearing

EVENTS: Mapping[str, EventType] = by_name(
    EventType(
        LINES_APPLIED,
        LinesApplied,
        Words("Kinh phí của kế hoạch thay đổi", "The budget of a plan changed."),
        Words(
            "Khi dòng, nhóm hoặc ô kinh phí của kế hoạch được ghi và có mục thêm, sửa hoặc bỏ.",
            "When the budget lines, groups or cells of a plan are applied, and some are new, different or gone.",
        ),
        Words("Khóa kế hoạch.", "The plan's key."),
        Audience.AS_PLAN,
        Path(__file__).parent / "schemas" / "examples",
    ),
)

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
            ListSource("/v1/plans?with=budget_rules", hearing.hear_plans, hearing.forget_plans),
        ),
        types=tuple(_HEAR),
        apply=in_order(_HEAR),
    ),
)
# What the events tell changes of, to be read as a whole where a follower has lost its place.
LISTS: Sequence[str] = (
    "/v1/budget/lines",
    "/v1/budget/groups",
)
