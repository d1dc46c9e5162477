"""What the indicators service says, and what it hears of units, offices and plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from chassis.event_types import Audience, EventType, Words, by_name
from chassis.replica import ListSource, Subscription, in_order
from services.indicators.schemas import events as said
from services.indicators.service import hearing

_EXAMPLES = Path(__file__).parent / "schemas" / "examples"

EVENTS: Mapping[str, EventType] = by_name(
    EventType(
        said.ACTUALS_POSTED,
        said.ActualsPosted,
        Words("Số liệu thực hiện thay đổi", "Figures of a unit changed."),
        Words(
            "Khi số liệu được gửi, rút hoặc cả lần gửi bị hủy; số liệu không đổi thì không báo. Số liệu mẫu báo riêng.",
            "When figures are posted or withdrawn, or a post is reverted; unchanged ones are not told, samples apart.",
        ),
        Words("Mã đơn vị hành chính.", "The unit's code."),
        Audience.UNIT,
        _EXAMPLES,
    ),
    EventType(
        said.TARGETS_APPLIED,
        said.TargetsApplied,
        Words("Chỉ tiêu của kế hoạch thay đổi", "Targets of a plan changed."),
        Words(
            "Khi chỉ tiêu của kế hoạch được ghi và có chỉ tiêu thêm, sửa hoặc bỏ.",
            "When the targets of a plan are applied, and some are new, different or gone.",
        ),
        Words("Khóa kế hoạch.", "The plan's key."),
        Audience.AS_PLAN,
        _EXAMPLES,
    ),
    EventType(
        said.INDICATOR_CHANGED,
        said.IndicatorChanged,
        Words("Danh mục chỉ tiêu thay đổi", "A catalogue entry changed."),
        Words(
            "Khi danh mục chỉ tiêu được ghi và mục này thêm, sửa hoặc bỏ.",
            "When the catalogue is applied, and this entry is new, different or gone.",
        ),
        Words("Mã chỉ tiêu.", "The indicator's code."),
        Audience.PUBLIC,
        _EXAMPLES,
    ),
    EventType(
        said.REGIME_CHANGED,
        said.RegimeChanged,
        Words("Chế độ báo cáo thay đổi", "A reporting regime changed."),
        Words(
            "Khi chế độ báo cáo được ghi và có điều khác: cách chia kỳ, hạn nộp, phạm vi mặc định.",
            "When regimes are applied, and how this one cuts the year, its due rules or its defaults differ.",
        ),
        Words("Mã chế độ báo cáo.", "The regime's code."),
        Audience.PUBLIC,
        _EXAMPLES,
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
            ListSource("/v1/plans", hearing.hear_plans, hearing.forget_plans),
        ),
        types=tuple(_HEAR),
        apply=in_order(_HEAR),
    ),
)
# What the events tell changes of, to be read as a whole where a follower has lost its place.
LISTS: Sequence[str] = (
    "/v1/indicators/catalogue",
    "/v1/indicators/regimes",
    "/v1/indicators/targets",
    "/v1/indicators/actuals",
)
