"""A form as a workbook: the rows to fill in, with lists to choose from, and a sheet that explains them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook

from services.indicators.domain.actuals.titles import ACTIONS, MEASURE_UNIT, NAME, NUMBER, STATUSES, TARGET, WORDS

# What is filled in, by kind of figure.
COLUMNS_OF = {
    "percent": ("value", "numerator", "denominator"),
    "index": ("value", "numerator", "denominator"),
    "count": ("value",),
    "amount": ("value",),
    "level": ("level",),
    "rank": ("rank",),
    "text": ("text",),
    "milestone": ("done_on",),
}
_KEY = ("admin_unit", "indicator", "sub_population", "period", "regime")
FIGURES = ("value", "numerator", "denominator", "level", "rank", "text", "done_on")
_BESIDE = ("measured_on", "data_status", "source", "evidence_url", "note", "action", "reason", "base_version")
_WIDTHS = {
    NUMBER: 5,
    NAME: 60,
    MEASURE_UNIT: 12,
    TARGET: 34,
    "indicator": 34,
    "sub_population": 18,
    "text": 30,
    "note": 30,
}
_LISTS = {"data_status": STATUSES, "action": ACTIONS}
_DAYS = frozenset({"measured_on", "done_on"})
HEADER_ROW = 3
SHEET, GUIDE = "Số liệu", "Hướng dẫn"


@dataclass(frozen=True, slots=True)
class Row:
    """One indicator of a form: what the plans promise, and what is recorded."""

    indicator: str
    name: str
    measure_unit: str
    value_type: str
    targets: list[str]
    sub_population: str | None = None
    version: int | None = None
    figure: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one unit for one period."""

    admin_unit: str
    unit_name: str
    period: str
    period_name: str
    regime: str
    days: str
    rows: Sequence[Row]

    @property
    def columns(self) -> list[str]:
        """The columns of the sheet, by names, and by titles where they only help."""
        needed = {name for row in self.rows for name in COLUMNS_OF[row.value_type]}
        figures = [name for name in FIGURES if name in needed]
        has_parts = any(row.sub_population for row in self.rows)
        key = [name for name in _KEY if name != "sub_population" or has_parts]
        return [NUMBER, NAME, TARGET, MEASURE_UNIT, *figures, *_BESIDE[:-1], *key, _BESIDE[-1]]


def title_of(column: str) -> str:
    """What stands above a column."""
    return WORDS[column][0] if column in WORDS else column


def write_form(form: Form, file: Path) -> None:
    """Write a form to a file."""
    with Workbook(file, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        _Writer(book, form).write()


class _Writer:
    def __init__(self, book: Workbook, form: Form) -> None:
        self._form = form
        self._columns = form.columns
        self._sheet = book.add_worksheet(SHEET)
        self._guide = book.add_worksheet(GUIDE)
        line = {"valign": "top", "text_wrap": True, "border": 1, "border_color": "#BFBFBF"}
        self._bold = book.add_format({"bold": True, "font_size": 13})
        self._head = book.add_format({**line, "bold": True, "bg_color": "#D9E7F5", "valign": "vcenter"})
        self._known = book.add_format({**line, "bg_color": "#F2F2F2", "num_format": "@"})
        self._filled = book.add_format({**line, "num_format": "General"})
        self._text = book.add_format({**line, "num_format": "@"})
        self._day = book.add_format({**line, "num_format": "dd/mm/yyyy", "align": "left"})
        self._closed = book.add_format({**line, "bg_color": "#D9D9D9"})

    def write(self) -> None:
        """Fill both sheets."""
        form, sheet = self._form, self._sheet
        sheet.write_string(0, 0, f"Số liệu thực hiện chỉ tiêu, {form.unit_name}, {form.period_name}", self._bold)
        sheet.write_string(1, 0, f"Kỳ {form.days}. Cách điền: xem trang {GUIDE}.")
        for place, column in enumerate(self._columns):
            sheet.write_string(HEADER_ROW - 1, place, title_of(column), self._head)
            sheet.set_column(place, place, _WIDTHS.get(column, 14))
        for number, row in enumerate(form.rows, start=1):
            self._write_row(HEADER_ROW - 1 + number, number, row)
        sheet.freeze_panes(HEADER_ROW, 2)
        self._add_lists()
        self._write_guide()

    def _write_row(self, at: int, number: int, row: Row) -> None:
        known = self._known_cells(number, row)
        open_ = set(COLUMNS_OF[row.value_type]) | set(_BESIDE)
        for place, column in enumerate(self._columns):
            if column in known:
                self._sheet.write_string(at, place, known[column], self._known)
            elif column == "base_version":
                self._write_version(at, place, row)
            elif column in open_:
                self._write_cell(at, place, column, row.figure.get(column))
            else:
                self._sheet.write_blank(at, place, None, self._closed)

    def _known_cells(self, number: int, row: Row) -> dict[str, str]:
        form = self._form
        return {
            NUMBER: str(number),
            NAME: row.name,
            TARGET: "; ".join(dict.fromkeys(row.targets)),
            MEASURE_UNIT: row.measure_unit,
            "admin_unit": form.admin_unit,
            "indicator": row.indicator,
            "sub_population": row.sub_population or "",
            "period": form.period,
            "regime": form.regime,
        }

    def _write_version(self, at: int, place: int, row: Row) -> None:
        # 0: nothing was recorded when the form was made; a figure recorded since is not overwritten unseen.
        self._sheet.write_number(at, place, row.version or 0, self._known)

    def _write_cell(self, at: int, place: int, column: str, value: Any) -> None:
        sheet = self._sheet
        if column in _DAYS:
            day = None if value is None else date.fromisoformat(value)
            sheet.write_blank(at, place, None, self._day) if day is None else sheet.write_datetime(
                at, place, day, self._day
            )
        elif value is None:
            sheet.write_blank(at, place, None, self._filled if column in FIGURES[:5] else self._text)
        elif column in _LISTS:
            sheet.write_string(at, place, _LISTS[column].get(value, value), self._text)
        elif isinstance(value, int | float):
            sheet.write_number(at, place, value, self._filled)
        else:
            sheet.write_string(at, place, str(value), self._text)

    def _add_lists(self) -> None:
        last = HEADER_ROW - 1 + len(self._form.rows)
        for column, words in _LISTS.items():
            place = self._columns.index(column)
            choice = {
                "validate": "list",
                "source": list(words.values()),
                "error_title": "Không có trong danh sách",
                "error_message": f"Chọn một trong: {', '.join(words.values())}; hoặc để trống.",
            }
            self._sheet.data_validation(HEADER_ROW, place, last, place, choice)

    def _write_guide(self) -> None:
        self._guide.set_column(0, 0, 120)
        for number, words in enumerate(_guide(self._form)):
            self._guide.write_string(number, 0, words)


def _guide(form: Form) -> list[str]:
    return [
        f"Biểu này của {form.unit_name}, {form.period_name} ({form.days}).",
        "",
        f"1. Điền số liệu vào trang “{SHEET}”. Ô xám đậm không dùng cho chỉ tiêu đó.",
        "2. Tỷ lệ phần trăm ghi theo thang 0-100 (85,75 % thì ghi 85,75), trừ chỉ số có thang 0-1.",
        "   Có tử số và mẫu số thì chỉ ghi hai số đó, để trống giá trị: hệ thống tính chính xác.",
        "3. Ngày ghi theo dạng ngày/tháng/năm. Trạng thái số liệu, thao tác: chọn trong danh sách hoặc để trống.",
        "4. Muốn rút một số liệu đã ghi sai: chọn thao tác “Rút”, xóa số liệu ở dòng đó và ghi lý do.",
        "5. Dòng chưa có số liệu: cứ để trống, khi gửi sẽ được bỏ qua và số đang lưu giữ nguyên.",
        "6. Không sửa các ô nền nhạt (mã, kỳ, phiên bản): phiên bản giúp không ghi đè số người khác vừa sửa.",
        "",
        "Gửi:  chitieu push TỆP.xlsx          Thử trước, không ghi gì:  chitieu push TỆP.xlsx --dry-run",
        "Ghi nhận chưa phải là nộp báo cáo.",
    ]
