"""What the plans service says: the data of every event type. No personal data is ever announced."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.event_types import Announcement, Number, PlanKey, ProvinceCode, Said, UnitCode, closed_list, open_list
from chassis.money import MAX_VND
from services.plans.domain.items import RuleComparator
from services.plans.domain.offices import OfficeLevel
from services.plans.domain.plans import PlanStatus
from services.plans.domain.units import AdminUnitType

ADMIN_UNIT_CHANGED = "vn.chitieu.plans.admin_unit.changed.v1"
OFFICE_CHANGED = "vn.chitieu.plans.office.changed.v1"
OFFICE_REMOVED = "vn.chitieu.plans.office.removed.v1"
PLAN_RECORDED = "vn.chitieu.plans.plan.recorded.v1"
PLAN_ISSUED = "vn.chitieu.plans.plan.issued.v1"
PLAN_AMENDED = "vn.chitieu.plans.plan.amended.v1"
PLAN_CLOSED = "vn.chitieu.plans.plan.closed.v1"

UnitType = Annotated[
    AdminUnitType, open_list(AdminUnitType, "tỉnh", "thành phố trực thuộc trung ương", "xã", "phường", "đặc khu")
]
Level = Annotated[
    OfficeLevel,
    open_list(
        OfficeLevel,
        *("cấp xã", "cấp tỉnh", "trung ương", "Đảng", "trường học"),
        *("cộng đồng", "doanh nghiệp", "chợ", "khác"),
    ),
]
Status = Annotated[PlanStatus, closed_list(PlanStatus, "dự thảo", "đã ban hành", "đã điều chỉnh", "đã kết thúc")]
Comparator = Annotated[RuleComparator, open_list(RuleComparator, "tối thiểu", "trên", "bằng", "không quá", "dưới")]


class UnitValidity(Said):
    """What a code means between two days."""

    name_vi: str = Field(title="Tên")
    name_en: str = Field(title="Tên tiếng Anh")
    type: UnitType = Field(title="Loại đơn vị")
    province_code: ProvinceCode | None = Field(title="Mã tỉnh", description="Null: it is a province itself.")
    agency_code: str | None = Field(title="Mã định danh điện tử", description="As stated; null: none is known.")
    valid_from: date = Field(title="Có hiệu lực từ ngày", description="First day.")
    valid_to: date | None = Field(
        title="Hết hiệu lực từ ngày", description="First day on which it no longer holds; null: it holds still."
    )


class AdminUnitChanged(Announcement):
    """Everything a code means and has meant, oldest first: codes are recycled, and types change."""

    code: UnitCode = Field(title="Mã đơn vị hành chính", description="As text, leading zeros kept.")
    validities: list[UnitValidity] = Field(title="Các thời kỳ hiệu lực", description="Empty: the code was removed.")
    old: list[UnitValidity] = Field(title="Trước đó", description="Its validities before; empty: the code is new.")


class OfficeSaid(Said):
    """An office of a unit, with what its kind gives it."""

    admin_unit: UnitCode = Field(title="Mã đơn vị")
    slug: str = Field(title="Khóa của cơ quan", description="Key, unique within the unit.", examples=["phong-vhxh"])
    name_vi: str = Field(title="Tên cơ quan")
    name_en: str = Field(title="Tên tiếng Anh")
    level: Level = Field(title="Cấp")
    aliases: list[str] = Field(title="Tên gọi khác", description="Other spellings of its name.")
    agency_code: str | None = Field(title="Mã định danh điện tử", description="As stated; null: none is known.")


class OfficeChanged(OfficeSaid, Announcement):
    """An office of a unit as it is now, with what its kind gives it."""

    old: OfficeSaid | None = Field(title="Trước đó", description="Null: the unit did not have it.")


class OfficeRemoved(Announcement):
    """An office that its unit no longer has."""

    admin_unit: UnitCode = Field(title="Mã đơn vị")
    slug: str = Field(title="Khóa của cơ quan")
    old: OfficeSaid = Field(title="Trước đó", description="What it was.")


class RuleParamsSaid(Said):
    """What a budget rule compares: a metric with a value or a base."""

    metric: str = Field(title="Đại lượng", description="In the document's words.")
    comparator: Comparator | None = Field(title="So sánh", description="Null: the document states no threshold.")
    value: Number | None = Field(title="Ngưỡng", description="In `measure_unit`; percent on 0-100; null: none.")
    measure_unit: str = Field(title="Đơn vị tính", description="percent, vnd (whole đồng), or the document's words.")
    base: int | str | None = Field(title="Mẫu số", description="What it is a share of: whole đồng, or words.")


class BudgetRuleSaid(Said):
    """A rule the plan sets for its own money; the budget service checks it with numbers."""

    key: str = Field(title="Khóa", description="Unique in the plan; kept through every revision.")
    kind: str = Field(title="Loại quy tắc", pattern="^[a-z]+(_[a-z]+)*$", examples=["share_min"])
    rule_vi: str = Field(title="Nội dung", description="In the document's words.")
    params: RuleParamsSaid | None = Field(title="Tham số", description="Null: it cannot be checked with numbers.")
    offices: list[str] = Field(title="Cơ quan chịu trách nhiệm", description="Slugs of the offices that answer for it.")
    discrepancy: str | None = Field(title="Điểm chưa khớp", description="What does not fit in the document.")
    source_ref: str | None = Field(title="Vị trí trong văn bản")
    note: None = Field(title="Ghi chú", description="Always null: remarks are not announced.")


class PlanHeader(Said):
    """The header of a plan."""

    plan_key: PlanKey = Field(title="Khóa kế hoạch", description="<admin unit>-<year>-<kind>.")
    plan_id: UUID = Field(title="Mã kế hoạch")
    admin_unit: UnitCode = Field(title="Mã đơn vị", description="Unit whose plan it is.")
    province: ProvinceCode = Field(title="Mã tỉnh", description="Province of the unit as of now.")
    year: int = Field(title="Năm kế hoạch")
    phase: str | None = Field(title="Giai đoạn", description="2026-2030; null: the plan is of its year alone.")
    kind: str = Field(title="Loại kế hoạch", pattern="^[a-z0-9]+(_[a-z0-9]+)*$", description="Kind, as in the key.")
    revision: int = Field(title="Lần ban hành", ge=1, description="1; each amendment is the next.")
    status: Status = Field(title="Trạng thái")
    public_from: datetime | None = Field(
        title="Công khai từ", description="Moment from which it is public, UTC; null: it is a draft."
    )
    title_vi: str = Field(title="Tên kế hoạch")
    title_en: str = Field(title="Tên tiếng Anh")
    document_number: str | None = Field(title="Số, ký hiệu văn bản", description="Null: blank in the document.")
    issued_on: date | None = Field(title="Ngày ban hành", description="Null: blank in the document.")
    budget_total_vnd: int | None = Field(
        ge=0, le=MAX_VND, title="Tổng kinh phí", description="Whole đồng, as the document states; null: it states none."
    )
    budget_rules: list[BudgetRuleSaid] = Field(title="Quy tắc kinh phí")


class ItemsChanged(Said):
    """Items of one list of the plan that changed, by their keys; read them at /v1/plans/{plan_key}."""

    name: str = Field(title="Danh mục", pattern="^[a-z]+(_[a-z]+)*$", examples=["tasks", "legal_bases"])
    created: list[str] = Field(title="Thêm")
    updated: list[str] = Field(title="Sửa")
    removed: list[str] = Field(title="Bỏ")


class PlanChanged(PlanHeader, Announcement):
    """The plan's header after the change, its header before, and which of its items changed."""

    old: PlanHeader | None = Field(title="Trước đó", description="Header before; null: the plan is new.")
    items: list[ItemsChanged] = Field(title="Mục thay đổi", description="Lists with changed items; empty: header only.")
