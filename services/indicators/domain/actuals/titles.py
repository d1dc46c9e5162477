"""The titles that files of figures may give to the columns of a posted row, and the words of its lists."""

from __future__ import annotations

from collections.abc import Mapping

from chassis.tabular import Titles, folded

# The first of each is the one our own forms use.
WORDS: Mapping[str, tuple[str, ...]] = {
    "admin_unit": ("Mã đơn vị", "Mã ĐVHC", "Mã đơn vị hành chính", "Mã xã", "Mã xã/phường", "Mã phường/xã"),
    "commune": (),
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
# Known and left out: what helps whoever fills in a form, and what a file of refused rows says beside them.
NUMBER, NAME, MEASURE_UNIT, TARGET = "STT", "Tên chỉ tiêu", "Đơn vị tính", "Chỉ tiêu giao"
LEFT_OUT = ("row", "message", NUMBER, "TT", "Tên đơn vị", NAME, MEASURE_UNIT, TARGET, "Mục tiêu")
STATUSES = {"estimated": "Ước tính", "preliminary": "Sơ bộ", "official": "Chính thức"}
ACTIONS = {"set": "Ghi", "withdraw": "Rút"}

TITLES = Titles(
    columns=tuple(WORDS),
    aliases={
        **{folded(title): None for title in LEFT_OUT},
        **{folded(title): name for name, titles in WORDS.items() for title in titles},
    },
    spanning=frozenset({"admin_unit", "period", "regime"}),
)
