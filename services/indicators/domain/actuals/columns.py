"""The columns of a posted row: their names, the titles files may give them, and what each holds."""

from enum import IntEnum, StrEnum

from chassis.tabular import MARK_PERCENT, Choice, Column, Day, Number, Text, Titles, Whole, folded

SAMPLE = "sample"
MAX_TEXT = 4000


class DataStatus(StrEnum):
    """The legal words of the Statistics Law: ước tính, sơ bộ, chính thức."""

    ESTIMATED = "estimated"
    PRELIMINARY = "preliminary"
    OFFICIAL = "official"


class Action(StrEnum):
    """What a row does to the stored figure."""

    SET = "set"
    WITHDRAW = "withdraw"


class Kind(IntEnum):
    """What a stored figure is: one number, a level, a rank, words, or a day of completion."""

    VALUE = 1
    LEVEL = 2
    RANK = 3
    TEXT = 4
    DONE_ON = 5


STATUS_NUMBER = {DataStatus.ESTIMATED: 1, DataStatus.PRELIMINARY: 2, DataStatus.OFFICIAL: 3}
STATUS_OF = {number: status for status, number in STATUS_NUMBER.items()}
FIGURE_COLUMNS = ("value", "numerator", "denominator", "level", "rank", "text", "done_on")

_STATUS_WORDS = {
    "estimated": "estimated",
    "uoc tinh": "estimated",
    "preliminary": "preliminary",
    "so bo": "preliminary",
    "official": "official",
    "chinh thuc": "official",
}
_ACTION_WORDS = {"set": "set", "ghi": "set", "withdraw": "withdraw", "rut": "withdraw"}

COLUMNS: tuple[Column, ...] = (
    Text("admin_unit", longest=100),
    Text("commune", longest=100),  # another name of admin_unit
    Text("indicator", longest=400),
    Text("plan_row", longest=100),
    Text("sub_population", longest=MAX_TEXT),
    Text("regime", longest=100),
    Text("period", required=True, longest=100),
    Number("value", marks=frozenset({MARK_PERCENT})),
    Number("numerator"),
    Number("denominator"),
    Whole("level", digits=9),
    Whole("rank", digits=9),
    Text("text", longest=MAX_TEXT),
    Day("done_on"),
    Day("measured_on"),
    Choice("data_status", _STATUS_WORDS),
    Text("source", longest=MAX_TEXT),
    Text("evidence_url", longest=MAX_TEXT),
    Text("note", longest=MAX_TEXT),
    Choice("action", _ACTION_WORDS),
    Text("reason", longest=MAX_TEXT),
    Whole("base_version", digits=9),
)

_TITLES = {
    "admin_unit": ("Mã đơn vị", "Mã ĐVHC", "Mã đơn vị hành chính", "Mã xã", "Mã xã/phường", "Mã phường/xã"),
    "indicator": ("Mã chỉ tiêu",),
    "plan_row": ("Mục kế hoạch", "Mục trong kế hoạch", "Dòng kế hoạch"),
    "sub_population": ("Nhóm đối tượng", "Đối tượng"),
    "regime": ("Chế độ báo cáo",),
    "period": ("Kỳ báo cáo", "Kỳ"),
    "value": ("Giá trị", "Kết quả", "Kết quả thực hiện", "Số liệu"),
    "numerator": ("Tử số",),
    "denominator": ("Mẫu số",),
    "level": ("Cấp độ", "Mức độ"),
    "rank": ("Thứ hạng", "Xếp hạng"),
    "text": ("Nội dung", "Mô tả kết quả"),
    "done_on": ("Ngày hoàn thành",),
    "measured_on": ("Ngày số liệu", "Số liệu tính đến ngày", "Tính đến ngày"),
    "data_status": ("Trạng thái số liệu", "Loại số liệu"),
    "source": ("Nguồn", "Nguồn số liệu"),
    "evidence_url": ("Minh chứng", "Đường dẫn minh chứng"),
    "note": ("Ghi chú",),
    "action": ("Thao tác",),
    "reason": ("Lý do",),
    "base_version": ("Phiên bản",),
}
# Known and left out: what helps whoever fills in the form, and what a file of refused rows says beside them.
_LEFT_OUT = ("row", "message", "STT", "TT", "Tên đơn vị", "Tên chỉ tiêu", "Đơn vị tính", "Chỉ tiêu giao", "Mục tiêu")

TITLES = Titles(
    columns=tuple(column.name for column in COLUMNS),
    aliases={
        **{folded(title): None for title in _LEFT_OUT},
        **{folded(title): name for name, titles in _TITLES.items() for title in titles},
    },
    spanning=frozenset({"admin_unit", "period", "regime"}),
)
