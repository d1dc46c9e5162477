"""What the plans service says; it hears nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from chassis.event_types import Audience, EventType, Words, by_name
from chassis.replica import Subscription
from services.plans.schemas import events as said

_EXAMPLES = Path(__file__).parent / "schemas" / "examples"
_PLAN = Words("Khóa kế hoạch.", "The plan's key.")
_OFFICE = Words("<mã đơn vị>/<khóa cơ quan>.", "<admin unit>/<office>.")

EVENTS: Mapping[str, EventType] = by_name(
    EventType(
        said.ADMIN_UNIT_CHANGED,
        said.AdminUnitChanged,
        Words("Đơn vị hành chính thay đổi", "An administrative unit changed."),
        Words(
            "Khi danh mục đơn vị được ghi và mã này thêm, đổi hoặc bỏ một thời kỳ hiệu lực.",
            "When units are recorded and what this code means, or meant, is another.",
        ),
        Words("Mã đơn vị hành chính.", "The unit's code."),
        Audience.PUBLIC,
        _EXAMPLES,
    ),
    EventType(
        said.OFFICE_CHANGED,
        said.OfficeChanged,
        Words("Cơ quan của đơn vị được thêm hoặc đổi", "An office of a unit was added or changed."),
        Words(
            "Khi cơ quan của đơn vị, hoặc loại cơ quan dùng chung mà nó thuộc về, được ghi khác trước.",
            "When an office, or the shared kind it takes its names from, is recorded and says something else.",
        ),
        _OFFICE,
        Audience.PUBLIC,
        _EXAMPLES,
    ),
    EventType(
        said.OFFICE_REMOVED,
        said.OfficeRemoved,
        Words("Cơ quan của đơn vị được bỏ", "An office of a unit was removed."),
        Words("Khi đơn vị không còn cơ quan này.", "When the unit's offices are recorded without it."),
        _OFFICE,
        Audience.PUBLIC,
        _EXAMPLES,
    ),
    EventType(
        said.PLAN_RECORDED,
        said.PlanChanged,
        Words("Kế hoạch được ghi", "A plan was recorded."),
        Words(
            "Khi dự thảo được ghi hoặc sửa; với kế hoạch đã ban hành: khi bổ sung chỗ trống, hoặc đính chính có lý do.",
            "When a draft is recorded or edited; of an issued plan: when blanks are filled in, or by a correction.",
        ),
        _PLAN,
        Audience.AS_PLAN,
        _EXAMPLES,
    ),
    EventType(
        said.PLAN_ISSUED,
        said.PlanChanged,
        Words("Kế hoạch được ban hành", "A plan was issued."),
        Words("Khi cơ quan tuyên bố đã ban hành; từ đó công khai.", "When its issue is stated; public from then."),
        _PLAN,
        Audience.PUBLIC,
        _EXAMPLES,
    ),
    EventType(
        said.PLAN_AMENDED,
        said.PlanChanged,
        Words("Kế hoạch được điều chỉnh", "A plan was amended."),
        Words(
            "Khi tuyên bố điều chỉnh bằng văn bản; kế hoạch có lần ban hành kế tiếp.",
            "When an amendment is stated, by its document; the plan has its next revision.",
        ),
        _PLAN,
        Audience.PUBLIC,
        _EXAMPLES,
    ),
    EventType(
        said.PLAN_CLOSED,
        said.PlanChanged,
        Words("Kế hoạch kết thúc", "A plan was closed."),
        Words("Khi tuyên bố kết thúc; kế hoạch không đổi nữa.", "When it is stated closed; it says nothing new after."),
        _PLAN,
        Audience.PUBLIC,
        _EXAMPLES,
    ),
)
SUBSCRIPTIONS: Sequence[Subscription] = ()
# What the events tell changes of, to be read as a whole where a follower has lost its place.
LISTS: Sequence[str] = (
    "/v1/plans",
    "/v1/plans/admin-units",
    "/v1/plans/office-kinds",
    "/v1/plans/offices",
    "/v1/plans/tasks",
    "/v1/plans/legal-bases",
    "/v1/plans/reporting-duties",
    "/v1/plans/budget-rules",
    "/v1/plans/prior-year-results",
    "/v1/plans/recipients",
    "/v1/plans/external-systems",
    "/v1/plans/discrepancies",
)
