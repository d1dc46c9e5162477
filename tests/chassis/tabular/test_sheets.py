"""XLSX and XLS as communes send them: headings, merged cells, percents, errors; no bomb passes."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import date, datetime

import pytest

from chassis.tabular import Kind, Limits
from chassis.tabular.marks import is_percent
from chassis.tabular.ooxml import Package
from tests.chassis.tabular import bodies
from tests.chassis.tabular.bodies import TITLES, XLS, XLSX, Sheet, cells, found, kinds, refusal, xls

HEADER = ("Mã đơn vị", "Chỉ tiêu", "Giá trị", "Ngày số liệu", "Ghi chú")


def test_a_form_with_heading_and_merged_title_is_read_where_its_titles_are() -> None:
    sheet = Sheet()
    sheet.sheet.merge_range("B1:F1", "ỦY BAN NHÂN DÂN XÃ TÂN LỢI")
    sheet.sheet.merge_range("B2:F2", "BÁO CÁO QUÝ II/2026")
    sheet.rows(("STT", *HEADER), first=3).rows(("(1)", "(2)", "(3)", "(4)", "(5)", "(6)"), first=4)
    sheet.rows((1, "25378", "DX_01", 85.75, None, "  Đạt "), first=5).rows((2, 25378, "DX_02", "85,75%"), first=7)
    table = bodies.read(sheet.body(), XLSX)
    assert found(table) == []
    assert cells(table) == [
        (6, "25378", "DX_01", "85.75", None, "  Đạt "),
        (8, "25378", "DX_02", "85,75%", None, None),
    ]
    assert kinds(table, "admin_unit") == [Kind.TEXT, Kind.NUMBER]
    assert kinds(table, "value") == [Kind.NUMBER, Kind.TEXT]
    assert (table.received, table.is_strict) == (2, False)


VALUES = [
    (0.7, "0.00%", "70%"),
    (0.8575, "0.0%", "85.75%"),
    (1, "0%", "100%"),
    (0.07, "0%", "7%"),
    (1.1, "0%", "110%"),
    (-0.005, "0%", "-0.5%"),
    (70, '0"%"', "70"),  # the sign is only written there
    (70, r"0\%", "70"),
    (0.7, "0.00", "0.7"),
    (0.1 + 0.2, None, "0.3"),
    (2 / 3, None, "0.666666666666667"),
    (28.000000000000004, None, "28"),
    (1670000000, "#,##0", "1670000000"),
    (2**53 - 1, None, "9007199254740991"),
    (1e-7, None, "1e-07"),
    (12345678901234.5, None, "12345678901234.5"),
    (0, "0%", "0%"),
]


@pytest.mark.parametrize(("value", "number_format", "text"), VALUES)
def test_numbers_of_xlsx_read_as_the_sheet_shows_them(value: float, number_format: str | None, text: str) -> None:
    sheet = Sheet().rows(HEADER).write(1, 2, value, number_format)
    table = bodies.read(sheet.body(), XLSX)
    assert cells(table, "value") == [(2, text)]
    assert kinds(table, "value") == [Kind.NUMBER]


@pytest.mark.parametrize(("value", "number_format", "text"), VALUES)
def test_numbers_of_xls_read_as_the_sheet_shows_them(value: float, number_format: str | None, text: str) -> None:
    formats = {(1, 2): number_format} if number_format else None
    table = bodies.read(xls(HEADER, (None, None, value), formats=formats), XLS)
    assert cells(table, "value") == [(2, text)]
    assert kinds(table, "value") == [Kind.NUMBER]


def test_percents_side_by_side_in_xls() -> None:
    rows = (("STT", *HEADER), (1, "26491", "DX", 1, 2, 3), (1, "26491", "DX", 0.25, 0.5, 0.75))
    formats = {(1, place): "0%" for place in (3, 4)} | {(2, place): "0.00%" for place in (3, 4, 5)}
    table = bodies.read(xls(*rows, formats=formats), XLS)
    assert cells(table, "value", "measured_on", "note") == [(2, "100%", "200%", "3"), (3, "25%", "50%", "75%")]


def test_days_flags_and_times() -> None:
    sheet = Sheet().rows(HEADER)
    sheet.write(1, 3, datetime(2026, 6, 14), "dd/mm/yyyy")  # noqa: DTZ001  # a sheet knows no zone
    sheet.write(2, 3, datetime(2026, 6, 14, 13, 30), "dd/mm/yyyy hh:mm").write(3, 3, 0.5, "hh:mm")  # noqa: DTZ001
    sheet.write(4, 3, True).write(5, 3, "14/06/2026")
    table = bodies.read(sheet.body(), XLSX)
    assert cells(table, "measured_on") == [
        (2, "2026-06-14"),
        (3, "2026-06-14 13:30:00"),
        (4, "12:00:00"),
        (5, "true"),
        (6, "14/06/2026"),
    ]
    assert kinds(table, "measured_on") == [Kind.DAY, Kind.DAY, Kind.DAY, Kind.FLAG, Kind.TEXT]
    old = bodies.read(xls(HEADER, (None, None, None, date(2026, 6, 14)), formats={(1, 3): "dd/mm/yyyy"}), XLS)
    assert cells(old, "measured_on") == [(2, "2026-06-14")]
    assert kinds(old, "measured_on") == [Kind.DAY]


def test_formula_errors_are_told_and_never_empty() -> None:
    sheet = Sheet().rows(HEADER, ("26491", "DX"), ("26491", "DX", 5), (None,))
    sheet.sheet.write_formula(1, 2, "=1/0", None, "#DIV/0!")
    sheet.sheet.write_formula(3, 2, "=NA()", None, "#N/A")
    sheet.sheet.write_formula(3, 9, "=NA()", None, "#N/A")
    table = bodies.read(sheet.body(), XLSX)
    assert found(table) == [(2, "value", "cell_error"), (4, "value", "cell_error")]
    assert cells(table, "value") == [(2, None), (3, "5"), (4, None)]


def test_formula_errors_of_xls_are_told() -> None:
    body = bytearray(xls(HEADER, ("26491", "DX", True)))
    # The writer's only formula values are zeros: a flag record becomes an error record by its last byte.
    at = body.index(struct.pack("<HH", 0x205, 8))
    body[at + 10 : at + 12] = b"\x2a\x01"
    assert found(bodies.read(bytes(body), XLS)) == [(2, "value", "cell_error")]


def test_merged_cells_hold_for_every_row_only_where_that_is_the_sense() -> None:
    sheet = Sheet().rows(HEADER, (None, "DX_01", 1), (None, "DX_02", 2), (None, "DX_03", 3), (), (None, "DX_04", 4))
    sheet.sheet.merge_range("A2:A5", "26491")
    sheet.sheet.merge_range("E2:E3", "chung")
    sheet.sheet.merge_range("C6:D6", 9)
    table = bodies.read(sheet.body(), XLSX)
    assert cells(table, "admin_unit", "indicator", "value", "note") == [
        (2, "26491", "DX_01", "1", "chung"),
        (3, "26491", "DX_02", "2", None),
        (4, "26491", "DX_03", "3", None),
        (6, None, "DX_04", "9", None),
    ]
    assert found(table) == [(3, "note", "cell_merged")]


def test_titles_over_merged_cells() -> None:
    sheet = Sheet()
    sheet.sheet.merge_range("A2:A3", "Mã đơn vị")
    sheet.sheet.merge_range("B2:C2", "Kết quả")
    sheet.sheet.merge_range("D2:D3", "Ghi chú")
    sheet.rows((None, "Chỉ tiêu", "Giá trị", None), ("26491", "DX", 5, "x"), first=2)
    table = bodies.read(sheet.body(), XLSX)
    assert cells(table, "admin_unit", "indicator", "value", "note") == [(4, "26491", "DX", "5", "x")]


def test_rows_come_in_lots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.tabular.sheets.ROWS_AT_ONCE", 3)
    sheet = Sheet().rows(HEADER, *[(f"{at:05d}", "DX", at / 100) for at in range(10)])
    sheet.sheet.merge_range("E2:E11", "x")
    titles = type(TITLES)(TITLES.columns, TITLES.aliases, frozenset({"note"}))
    table = bodies.read(sheet.body(), XLSX, titles)
    assert cells(table, "admin_unit", "value", "note") == [
        (at + 2, f"{at:05d}", f"{at / 100:g}", "x") for at in range(10)
    ]


def test_the_one_visible_sheet_with_a_table_is_read() -> None:
    sheet = Sheet("Hướng dẫn").rows(("Điền vào trang sau",), ("Ghi chú: …",))
    data = sheet.workbook.add_worksheet("Số liệu")
    hidden = sheet.workbook.add_worksheet("Danh mục")
    hidden.hide()
    for one in (data, hidden):
        for place, title in enumerate(HEADER):
            one.write(0, place, title)
        one.write(1, 0, "26491")
    table = bodies.read(sheet.body(), XLSX)
    assert cells(table, "admin_unit") == [(2, "26491")]


def test_several_tables_are_refused_unless_one_is_named() -> None:
    sheet = Sheet("Quý I").rows(HEADER, ("26491",))
    second = sheet.workbook.add_worksheet("Quý II")
    for place, title in enumerate(HEADER):
        second.write(0, place, title)
    second.write(1, 0, "26434")
    body = sheet.body()
    error = refusal(body, XLSX)
    assert (error.status, error.rule.code, error.values) == (422, "sheets_several", {"sheets": "Quý I, Quý II"})
    assert cells(bodies.read(body, XLSX, sheet="Quý II"), "admin_unit") == [(2, "26434")]
    unknown = refusal(body, XLSX, sheet="Quý III")
    assert unknown.values == {"sheet": "Quý III", "sheets": "Quý I, Quý II"}


def test_no_titles_and_old_fonts_are_said() -> None:
    assert [f.rule.code for f in refusal(Sheet().rows((1, 2), (3, 4)).body(), XLSX).faults] == ["header_missing"]
    assert [f.rule.code for f in refusal(Sheet().body(), XLSX).faults] == ["header_missing"]
    assert refusal(Sheet().rows(("Mã ®¬n vÞ", "ChØ tiªu")).body(), XLSX).values == {"font": "TCVN3"}
    assert refusal(xls(("Maõ ñôn vò", "Chæ tieâu")), XLS).values == {"font": "VNI"}


def test_an_empty_table_is_empty() -> None:
    for body, kind in ((Sheet().rows(HEADER).body(), XLSX), (xls(HEADER), XLS)):
        table = bodies.read(body, kind)
        assert (table.received, table.cells.height, table.findings.total) == (0, 0, 0)


def test_what_is_no_workbook_is_unreadable() -> None:
    for body in (b"", b"PK\x03\x04", b"hello", b"PK\x03\x04" + bytes(100), xls(HEADER)[:700]):
        error = refusal(body, XLSX)
        assert (error.status, error.rule.code) == (400, "file_unreadable"), body[:20]
    html = refusal(b"<html><table><tr><td>26491</td></tr></table></html>", XLSX)
    assert "HTML" in html.rule.sentence("vi", html.values)
    plain_zip = io.BytesIO()
    with zipfile.ZipFile(plain_zip, "w") as archive:
        archive.writestr("a.txt", "x")
    assert refusal(plain_zip.getvalue(), XLSX).values["reason"] == "no workbook inside"


def test_passwords_are_asked_to_be_removed() -> None:
    # What a spreadsheet program makes of a workbook with a password: another kind of file inside the old file system.
    body = bytearray(xls(HEADER))
    name = "Workbook".encode("utf-16-le")
    at = body.index(name)
    body[at : at + 64] = "EncryptedPackage".encode("utf-16-le").ljust(64, b"\0")
    error = refusal(bytes(body), XLSX)
    assert (error.status, error.rule.code) == (422, "file_encrypted")
    old = bytearray(xls(HEADER))
    window = old.index(struct.pack("<HH", 0xE1, 2))  # any record of the first part will do
    old[window : window + 2] = struct.pack("<H", 0x2F)
    assert refusal(bytes(old), XLS).rule.code == "file_encrypted"


def rezipped(body: bytes, changes: dict[str, bytes], *, declared: dict[str, int] | None = None) -> bytes:
    """A workbook with parts changed, and perhaps with lies about their size."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, changes.get(name, old.read(name)))
    made = bytearray(buffer.getvalue())
    for name, size in (declared or {}).items():
        at = made.rindex(name.encode()) - 46  # the entry in the list at the end
        made[at + 24 : at + 28] = struct.pack("<I", size)
    return bytes(made)


PART = "xl/worksheets/sheet1.xml"


def sheet_xml(rows: str) -> bytes:
    return f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>'.encode()


PLAIN = Sheet().rows(HEADER, ("26491", "DX", 5)).body()


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (
            '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
            "rows_too_many",
        ),
        ('<row r="1"><c r="A1"><v>1</v></c><c r="ZZZ9"><v>1</v></c></row>', "columns_too_many"),
        ('<row r="1"><c r="A1"><v>1</v></c><c r="XFD99999"><v>1</v></c></row>', "columns_too_many"),
        ("<row><c><v>1</v></c></row>", "file_unreadable"),
        ('<row r="1"><c x=">" r="XFD1048576"><v>1</v></c></row>', "file_unreadable"),
        ("<row r='1'><c x='>' r='XFD1048576'><v>1</v></c></row>", "file_unreadable"),
        ('<row r="1"><c r="A&#49;"><v>1</v></c></row>', "file_unreadable"),
        ('<row r="1"><x:c r="XFD1048576"><v>1</v></x:c></row>', "rows_too_many"),
    ],
)
def test_sheets_of_monstrous_extent_are_refused_before_they_are_laid_out(rows: str, code: str) -> None:
    assert refusal(rezipped(PLAIN, {PART: sheet_xml(rows)}), XLSX).rule.code == code


def test_empty_formatted_cells_far_below_do_not_count() -> None:
    rows = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>admin_unit</t></is></c></row>'
        '<row r="2"><c r="A2" t="inlineStr"><is><t>26491</t></is></c></row>'
        '<row r="1048576"><c r="XFD1048576" s="1"/></row>'
    )
    assert cells(bodies.read(rezipped(PLAIN, {PART: sheet_xml(rows)}), XLSX), "admin_unit") == [(2, "26491")]


def test_bombs_in_the_archive_are_refused() -> None:
    bomb = rezipped(PLAIN, {PART: sheet_xml(" " * 50_000_000)})
    limits = Limits(unpacked_bytes=10_000_000)
    assert refusal(bomb, XLSX, limits=limits).rule.code == "unpacked_too_large"
    for part in (PART, "xl/sharedStrings.xml", "xl/styles.xml"):
        liar = rezipped(PLAIN, {part: sheet_xml(" " * 50_000_000)}, declared={part: 1000})
        assert refusal(liar, XLSX, limits=limits).rule.code == "file_unreadable"


def test_declared_entities_are_refused() -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><styleSheet>&b;</styleSheet>'
    assert refusal(rezipped(PLAIN, {"xl/styles.xml": laughs}), XLSX).rule.code == "file_unreadable"


def test_parts_named_twice_are_refused() -> None:
    buffer = io.BytesIO(PLAIN)
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(PART, sheet_xml(""))
    assert refusal(buffer.getvalue(), XLSX).rule.code == "file_unreadable"


def test_a_sheet_in_small_pieces_is_marked_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = Sheet().rows(HEADER)
    for at in range(1, 200):
        sheet.write(at, 2, at / 200, "0.0%").write(at, 4, "Đại Phước" * (at % 5))
    body = sheet.body()
    whole = Package(body, 10_000_000).marks(0)
    monkeypatch.setattr("chassis.tabular.ooxml._STEP", 100)
    assert Package(body, 10_000_000).marks(0) == whole
    assert (whole.height, whole.width, len(whole.percents)) == (200, 5, 199)


@pytest.mark.parametrize(
    ("number_format", "shows"),
    [("0%", True), ("0.00%;[Red]-0.00%", True), ('0"%"', False), (r"0\%", False), ("0_%", False), ("0*%", False),
     ("General", False), ('"tỷ lệ "0.0%', True)],
)  # fmt: skip
def test_number_formats_that_show_percents(number_format: str, shows: bool) -> None:
    assert is_percent(number_format) is shows
