"""What the budget service announces: the data of every event type. No personal data is ever announced."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from chassis.event_types import Announcement, PlanKey, ProvinceCode, Said, UnitCode, closed_list, open_list
from chassis.money import MAX_VND
from services.budget.domain.lines import ExpenditureKind, Pillar

LINES_APPLIED = "vn.chitieu.budget.lines.applied.v1"

Kind = Annotated[ExpenditureKind, closed_list(ExpenditureKind, "chi thường xuyên", "chi đầu tư", "dự phòng")]
PillarCode = Annotated[
    Pillar,
    open_list(
        Pillar,
        *("Lãnh đạo, thể chế", "Hạ tầng số", "Nhân lực số", "Dữ liệu số", "Chính quyền số"),
        *("Kinh tế số", "Xã hội số", "An toàn, an ninh mạng", "Nhận thức", "Khoa học, công nghệ, đổi mới sáng tạo"),
    ),
]


class Announced(Said):
    """What is announced of one line, group or cell; only the fields of its own set are there."""

    amount_vnd: int = Field(ge=0, le=MAX_VND, title="Số tiền", description="Whole đồng.")
    expenditure_kind: Kind | SkipJsonSchema[None] = Field(None, title="Loại chi", description="Of lines.")
    pillar: PillarCode | None = Field(None, title="Trụ cột", description="Of lines; null: outside the pillars.")
    budget_years: list[int] | SkipJsonSchema[None] = Field(None, title="Năm ngân sách", description="Of lines.")
    pillars: list[PillarCode] | SkipJsonSchema[None] = Field(None, title="Các trụ cột", description="Of groups.")
    group_key: str | SkipJsonSchema[None] = Field(None, title="Khóa của nhóm", description="Of cells.")
    lines: list[str] | SkipJsonSchema[None] = Field(
        None, title="Các dòng", description="Of cells: keys of the lines in it."
    )


class BudgetChange(Said):
    """One changed line, group or cell."""

    set: Literal["lines", "groups", "cells"] = Field(
        title="Danh mục", json_schema_extra={"x-labels-vi": {"lines": "dòng", "groups": "nhóm", "cells": "ô"}}
    )
    key: str = Field(title="Khóa", description="Unique in its set of the plan.")
    old: Announced | None = Field(title="Trước đó", description="Null: it is new.")
    new: Announced | None = Field(title="Hiện nay", description="Null: it was removed.")


class LinesApplied(Announcement):
    """The lines, groups and cells of one plan that changed; long changes are told in several events."""

    plan_key: PlanKey = Field(title="Khóa kế hoạch")
    admin_unit: UnitCode = Field(title="Mã đơn vị")
    province: ProvinceCode = Field(title="Mã tỉnh")
    year: int = Field(title="Năm kế hoạch")
    changes: list[BudgetChange] = Field(title="Mục thay đổi", min_length=1)
