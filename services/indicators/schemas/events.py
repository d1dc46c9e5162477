"""What the indicators service says: the data of every event type. No note, link or name is ever announced."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from chassis.event_types import Announcement, Number, PlanKey, Said, UnitCode, closed_list, open_list
from chassis.periods import PeriodType
from services.indicators.domain.actuals.columns import SAMPLE, Action, DataStatus
from services.indicators.domain.actuals.titles import ACTIONS, STATUSES
from services.indicators.domain.catalogue import Accumulation, Aggregation, DerivedFrom, Direction, Pillar, ValueType
from services.indicators.domain.targets import Comparator, DueKind, Trajectory

ACTUALS_POSTED = "vn.chitieu.indicators.actuals.posted.v1"
TARGETS_APPLIED = "vn.chitieu.indicators.targets.applied.v1"
INDICATOR_CHANGED = "vn.chitieu.indicators.indicator.changed.v1"
REGIME_CHANGED = "vn.chitieu.indicators.regime.changed.v1"

Indicator = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^(([0-9]{2}|[0-9]{5}):)?[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$",
            "examples": ["PUBLIC_WIFI_POINTS", "26491:DTI_SCORE"],
        }
    ),
]
Status = Annotated[DataStatus, closed_list(DataStatus, *STATUSES.values())]
Deed = Annotated[Action, closed_list(Action, *ACTIONS.values())]
PillarCode = Annotated[
    Pillar,
    open_list(
        Pillar,
        *("Lãnh đạo, thể chế", "Hạ tầng số", "Nhân lực số", "Dữ liệu số", "Chính quyền số"),
        *("Kinh tế số", "Xã hội số", "An toàn, an ninh mạng", "Nhận thức", "Khoa học, công nghệ, đổi mới sáng tạo"),
    ),
]
Kind = Annotated[
    ValueType,
    open_list(
        ValueType, "tỷ lệ phần trăm", "chỉ số", "số đếm", "cấp độ", "thứ hạng", "số tiền", "mốc hoàn thành", "bằng lời"
    ),
]
Compared = Annotated[
    Comparator,
    open_list(
        Comparator, "tối thiểu", "trên", "bằng", "không quá", "dưới", "trong nhóm đầu", "trước hạn", "không đo bằng số"
    ),
]
Course = Annotated[Trajectory, open_list(Trajectory, "không nêu", "giữ thường xuyên", "tăng đều đến hạn")]
DueForm = Annotated[
    DueKind, open_list(DueKind, "năm", "nhiều năm", "quý", "nhiều quý", "tháng", "ngày", "thường xuyên")
]
Better = Annotated[Direction, open_list(Direction, "càng cao càng tốt", "càng thấp càng tốt", "đạt hoặc không")]
Summed = Annotated[
    Aggregation,
    open_list(Aggregation, "bình quân gia quyền", "bình quân", "tổng", "nhỏ nhất", "tỷ lệ số xã đạt", "không tổng hợp"),
]
Counted = Annotated[Accumulation, open_list(Accumulation, "lũy kế", "trong kỳ", "chưa rõ")]
Origin = Annotated[DerivedFrom, open_list(DerivedFrom, "đơn vị gửi", "kinh phí", "báo cáo", "điểm số")]
KindOfPeriod = Annotated[PeriodType, open_list(PeriodType, "ngày", "tuần", "tháng", "quý", "6 tháng", "9 tháng", "năm")]


class FigureSaid(Said):
    """A figure: the fields of its kind only."""

    value: Number | SkipJsonSchema[None] = Field(
        None, title="Giá trị", description="In the indicator's measure unit and scale (percent on 0-100), exact."
    )
    numerator: Number | SkipJsonSchema[None] = Field(None, title="Tử số", description="With `denominator`.")
    denominator: Number | SkipJsonSchema[None] = Field(None, title="Mẫu số", description="With `numerator`.")
    level: int | SkipJsonSchema[None] = Field(None, title="Cấp độ", description="An order, no amount.")
    rank: int | SkipJsonSchema[None] = Field(None, title="Thứ hạng", description="1 is the best.")
    text: str | SkipJsonSchema[None] = Field(None, title="Nội dung")
    done_on: date | SkipJsonSchema[None] = Field(None, title="Ngày hoàn thành")
    data_status: Status = Field(title="Trạng thái số liệu", description="Words of the Statistics Law.")
    measured_on: date = Field(title="Ngày số liệu", description="Day as of which it was measured.")


class ActualChange(Said):
    """One changed figure under its full key."""

    indicator: Indicator = Field(title="Mã chỉ tiêu")
    sub_population: str | SkipJsonSchema[None] = Field(
        None, title="Nhóm đối tượng", description="Absent: everybody the indicator counts."
    )
    regime: str = Field(title="Chế độ báo cáo", description="Says on which days the period begins and ends.")
    period: str = Field(title="Kỳ báo cáo", description="Code.", examples=["2026-Q3", "2026-S1", "2026"])
    action: Deed = Field(title="Thao tác")
    old: FigureSaid | None = Field(title="Trước đó", description="Null: there was none, or it had been withdrawn.")
    new: FigureSaid | None = Field(title="Hiện nay", description="Null: it was withdrawn.")
    version: int = Field(ge=1, title="Phiên bản của số liệu", description="The figure's own version, from 1.")


class ActualsPosted(Announcement):
    """The figures of one unit that a post changed; a long post is told in several events."""

    admin_unit: UnitCode = Field(title="Mã đơn vị")
    import_id: UUID = Field(title="Mã lần gửi", description="The post: /v1/indicators/imports/{import_id}.")
    source: Annotated[str, WithJsonSchema({"const": SAMPLE, "type": "string"})] | None = Field(
        title="Nguồn", description="sample: every change here is a sample figure of a demo; null: none is."
    )
    changes: list[ActualChange] = Field(title="Số liệu thay đổi", min_length=1)


class DueSaid(Said):
    """When a target is to be reached: calendar time, whatever the reporting regime."""

    kind: DueForm = Field(title="Cách nêu thời hạn")
    value: str | None = Field(title="Thời hạn", examples=["2026-Q2/2026-Q3"], description="Null: ongoing.")


class TargetSaid(Said):
    """What a plan promises for one indicator."""

    indicator: Indicator = Field(title="Mã chỉ tiêu")
    sub_population: str | None = Field(title="Nhóm đối tượng", description="Null: everybody the indicator counts.")
    value_type: Kind = Field(title="Kiểu số liệu")
    measure_unit: str | None = Field(title="Đơn vị tính", description="As people write it; null: it has none.")
    comparator: Compared = Field(title="So sánh")
    value: Number | None = Field(
        title="Mức cần đạt", description="In `measure_unit` (percent on 0-100); null: it is not a number."
    )
    raw_target: str = Field(title="Nguyên văn", description="The plan's own words.", examples=["dự kiến 30 điểm"])
    due: DueSaid | None = Field(title="Thời hạn", description="Null: none is stated, so the plan year.")
    trajectory: Course = Field(title="Tiến độ", description="What is expected before the due day.")


class TargetChange(Said):
    """One changed target."""

    key: str = Field(title="Khóa", description="Unique in the plan; kept through every revision.")
    old: TargetSaid | None = Field(title="Trước đó", description="Null: it is new.")
    new: TargetSaid | None = Field(title="Hiện nay", description="Null: it was removed.")


class TargetsApplied(Announcement):
    """The targets of one plan that changed; long changes are told in several events."""

    plan_key: PlanKey = Field(title="Khóa kế hoạch")
    admin_unit: UnitCode = Field(title="Mã đơn vị")
    changes: list[TargetChange] = Field(title="Chỉ tiêu thay đổi", min_length=1)


class IndicatorSaid(Said):
    """A catalogue entry, without the recorder's note."""

    name_vi: str = Field(title="Tên chỉ tiêu")
    name_en: str = Field(title="Tên tiếng Anh")
    pillar: PillarCode = Field(title="Trụ cột")
    value_type: Kind = Field(title="Kiểu số liệu")
    measure_unit: str | None = Field(title="Đơn vị tính", description="As people write it; null: it has none.")
    scale: str | None = Field(title="Thang đo", description="Lowest and highest figure.", examples=["0-100"])
    direction: Better = Field(title="Chiều tốt lên")
    aggregation: Summed = Field(title="Cách tổng hợp", description="How communes' figures become a province's.")
    accumulation: Counted = Field(title="Cách cộng dồn")
    derived_from: Origin = Field(title="Nguồn số liệu", description="A figure posted for a derived one is a claim.")
    allows_above_100: bool = Field(title="Cho phép vượt thang đo")
    numerator_vi: str | None = Field(title="Tử số", description="What is counted.")
    denominator_vi: str | None = Field(title="Mẫu số", description="Out of what.")
    related: list[str] = Field(title="Chỉ tiêu liên quan", description="Codes.")


class IndicatorChanged(Announcement):
    """A catalogue entry before and after the change."""

    code: Indicator = Field(title="Mã chỉ tiêu", description="Common, or local to one unit (<admin unit>:<code>).")
    old: IndicatorSaid | None = Field(title="Trước đó", description="Null: it is new.")
    new: IndicatorSaid | None = Field(title="Hiện nay", description="Null: it was removed.")


class RegimeSaid(Said):
    """How a reporting regime cuts the year."""

    name_vi: str = Field(title="Tên chế độ")
    name_en: str = Field(title="Tên tiếng Anh")
    opens_on_day: int = Field(title="Ngày mở kỳ", description="1: the calendar; 15: the 15th of the month before.")
    period_types: list[KindOfPeriod] = Field(title="Loại kỳ")
    first_year: int = Field(title="Từ năm")
    last_year: int = Field(title="Đến năm")
    reporting_window_days: int = Field(title="Số ngày mở nộp", description="Days before the due day.")
    source: str | None = Field(title="Căn cứ", description="Where it is stated.")


class DueRuleSaid(Said):
    """When reports of one kind of period are due."""

    day: int = Field(ge=1, le=31, title="Ngày", description="Of the month; one it does not have is its last day.")
    months_after: int = Field(ge=0, title="Số tháng sau kỳ", description="0: in the period's last month.")
    source: str | None = Field(title="Căn cứ", description="Where it is stated.")


class DueRuleChange(Said):
    """One changed due rule of a regime."""

    admin_unit: UnitCode | None = Field(title="Mã đơn vị", description="Unit that stated it; null: for everybody.")
    period_type: KindOfPeriod = Field(title="Loại kỳ")
    old: DueRuleSaid | None = Field(title="Trước đó", description="Null: it is new.")
    new: DueRuleSaid | None = Field(title="Hiện nay", description="Null: it was removed.")


class DefaultChange(Said):
    """A unit, province or * whose figures are under the regime from now on, or no more."""

    scope: str = Field(title="Phạm vi", pattern=r"^([0-9]{2}|[0-9]{5}|\*)$")
    new: bool = Field(title="Là chế độ mặc định")


class RegimeChanged(Announcement):
    """A reporting regime before and after the change; long changes are told in several events."""

    code: str = Field(title="Mã chế độ", examples=["state"])
    old: RegimeSaid | None = Field(title="Trước đó", description="Null: it is new.")
    new: RegimeSaid | None = Field(title="Hiện nay", description="Null: it was removed.")
    default_for: list[DefaultChange] = Field(title="Thay đổi phạm vi mặc định")
    due_rules: list[DueRuleChange] = Field(title="Thay đổi hạn nộp")
