"""CSV as offices send it: separators, headings, marks of order, quotes; every odd line its own fault."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Refused, Unreadable
from chassis.tabular import Body, Kind, Titles, read, read_whole, separated
from chassis.tabular.table import folded
from tests.chassis.tabular import bodies
from tests.chassis.tabular.bodies import CSV, TITLES, XLS, cells, found, kinds, refusal
from tests.drawn import texts

HEADER = "admin_unit;indicator;value"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_separators_line_ends_and_byte_order_marks(separator: str, end: str, mark: str) -> None:
    lines = [["Mã đơn vị", "Chỉ tiêu", "Giá trị"], ["26491", "DX_01", '"85,75%"'], ["01234", '"a ""b"""', ""]]
    body = mark + end.join(separator.join(line) for line in lines) + end
    table = bodies.read(body.encode(), CSV)
    assert cells(table, "admin_unit", "indicator", "value") == [
        (2, "26491", "DX_01", "85,75%"),
        (3, "01234", 'a "b"', None),
    ]
    assert kinds(table, "value") == [Kind.TEXT, Kind.TEXT]
    assert not table.is_strict


def test_a_heading_above_the_titles_is_skipped_and_rows_keep_their_numbers() -> None:
    body = (
        "ỦY BAN NHÂN DÂN XÃ TÂN LỢI;;;\r\n"
        '"BÁO CÁO\r\nquý II/2026";;;\r\n'
        ";;;\r\n"
        "STT;MÃ ĐƠN VỊ:;Chi tieu;Giá  trị *\r\n"
        "(1);(2);(3);(4)\r\n"
        "1;25378;DX_01;85,75\r\n"
        ";;;\r\n"
        "2;25378;DX_02;9\r\n"
    )
    table = bodies.read(body.encode(), CSV)
    assert found(table) == []
    assert cells(table, "admin_unit", "indicator", "value") == [
        (6, "25378", "DX_01", "85,75"),
        (8, "25378", "DX_02", "9"),
    ]
    assert table.received == 2


def test_a_line_naming_the_separator_is_not_counted() -> None:
    table = bodies.read(b"sep=;\r\nadmin_unit;note\r\n26491;a,b\r\n", CSV)
    assert cells(table, "admin_unit", "note") == [(2, "26491", "a,b")]


@pytest.mark.parametrize(
    ("codec", "content_type"),
    [("utf-16", CSV), ("utf-16-le", f"{CSV}; charset=utf-16le"), ("cp1258", f"{CSV}; charset=windows-1258")],
)
def test_other_charsets(codec: str, content_type: str) -> None:
    # windows-1258 writes a tone after its vowel, so letters come in pieces.
    text = "admin_unit\tnote\n26491\tgi\u00e2\u0301 tr\u1ecb".replace("\u1ecb", "i\u0323")
    table = bodies.read(text.encode(codec), content_type)
    assert cells(table, "admin_unit", "note") == [(2, "26491", "gi\u00e2\u0301 tri\u0323")]


def test_broken_utf16_costs_its_row() -> None:
    body = b"\xff\xfe" + "admin_unit;note\n1;a\n2;".encode("utf-16-le") + b"\x00\xd8" + "x\n3;c\n".encode("utf-16-le")
    table = bodies.read(body, CSV)
    assert found(table) == [(3, None, "row_not_utf8")]
    assert cells(table, "admin_unit") == [(2, "1"), (4, "3")]


def test_windows_1258_that_does_not_say_so_is_refused_row_by_row_with_advice() -> None:
    body = "admin_unit;note\n26491;Tân\n26434;Tan\n".encode("latin-1")
    table = bodies.read(body, CSV)
    assert found(table) == [(2, None, "row_not_utf8")]
    assert "CSV UTF-8" in table.findings.listed()[0].rule.vi
    assert cells(table, "admin_unit") == [(3, "26434")]


def test_unknown_and_double_titles_are_refused_with_a_suggestion() -> None:
    error = refusal(b"admin_unit;valeu;note;Ghi chu;\n1;2;3;4;\n", CSV)
    assert (error.status, error.rule.code) == (422, "body_invalid")
    assert [(f.rule.code, f.column) for f in error.faults] == [("field_unknown", "valeu"), ("column_twice", "note")]
    assert error.faults[0].rule.sentence("vi", error.faults[0].values) == "Không có trường valeu. Có phải là value?"
    assert error.faults[1].values == {"column": "note", "first": "note", "value": "Ghi chu"}


def test_no_titles_are_said_with_what_was_seen() -> None:
    error = refusal(b"26491,DX_01,5\n26434,DX_01,6\n", CSV)
    assert [(f.rule.code, f.value) for f in error.faults] == [("header_missing", "26491 | DX_01 | 5")]
    assert "admin_unit" in error.faults[0].rule.sentence("en", error.faults[0].values)
    assert [f.rule.code for f in refusal(b"", CSV).faults] == ["header_missing"]


def test_titles_in_an_old_font_are_refused_by_its_name() -> None:
    error = refusal("Mã ®¬n vÞ;ChØ tiªu;Gi¸ trÞ\n26491;DX;5\n".encode(), CSV)
    assert error.rule.code == "text_old_font"
    assert error.values == {"font": "TCVN3"}


def test_too_many_columns() -> None:
    error = refusal((";".join(["admin_unit", *[""] * 600]) + "\n").encode(), CSV)
    assert (error.status, error.rule.code) == (413, "columns_too_many")


def test_short_rows_are_filled_and_long_ones_refused() -> None:
    # Spreadsheets leave out separators at the end of a row.
    body = f"{HEADER}\n26491\n26434;DX;5;;\n26435;DX;5;6\n".encode()
    table = bodies.read(body, CSV)
    assert found(table) == [(4, None, "row_too_wide")]
    assert table.findings.listed()[0].values == {"value": "26435;DX;5;6", "cells": "4", "columns": "3"}
    assert cells(table, "admin_unit", "value") == [(2, "26491", None), (3, "26434", "5")]
    assert table.received == 3


def test_cells_without_a_title_are_told() -> None:
    table = bodies.read(b"admin_unit;;value;\n1;;5;\n2;x;6;\n3;;7;y\n", CSV)
    assert found(table) == [(3, "B", "cell_untitled"), (4, "D", "cell_untitled")]
    assert [fault.value for fault in table.findings.listed()] == ["x", "y"]
    assert cells(table, "admin_unit", "value") == [(2, "1", "5"), (3, "2", "6"), (4, "3", "7")]


def test_quotes_gone_wrong_cost_their_line() -> None:
    lines = [
        "admin_unit;note",
        '26491;màn hình 24" LED',
        '26492;"hai\ndòng"',
        '26493;"x"y',
        '"26494;không đóng',
        "26495;tốt",
        '26496;"có; dấu"',
    ]
    table = bodies.read("\n".join(lines).encode(), CSV)
    assert cells(table, "admin_unit", "note") == [
        (2, "26491", 'màn hình 24" LED'),
        (3, "26492", "hai\ndòng"),
        (6, "26495", "tốt"),
        (7, "26496", "có; dấu"),
    ]
    assert found(table) == [(4, None, "row_unreadable"), (5, None, "row_unreadable")]
    assert table.received == 6


def test_hundreds_of_broken_quotes_take_no_time() -> None:
    body = "admin_unit;note\n" + '26491;"x\n' * 20_001
    table = bodies.read(body.encode(), CSV)
    assert (table.received, table.cells.height) == (20_001, 0)
    assert table.findings.totals() == {"row_unreadable": 20_001}


def test_what_looks_packed_is_not_unpacked() -> None:
    table = bodies.read(b"admin_unit;note\n" + gzip.compress(b"1;2\n" * 100), CSV)
    assert table.cells.filter(table.cells["admin_unit"] == "1").is_empty()


def test_a_csv_file_called_excel_is_read_as_what_it_is() -> None:
    assert cells(bodies.read(b"admin_unit;value\n26491;5\n", XLS), "admin_unit", "value") == [(2, "26491", "5")]


def test_a_web_page_called_a_spreadsheet_is_said_to_be_one() -> None:
    for content_type in (XLS, CSV):
        with pytest.raises(Unreadable) as refused:
            read_whole(Body(b"\n<html><table><tr><td>admin_unit</td></tr></table></html>", content_type, TITLES))
        assert "HTML" in refused.value.rule.sentence("vi", refused.value.values)


def test_a_line_of_very_many_cells_is_no_burden() -> None:
    error = refusal(b"a;" * 120_000 + b"\n1\n", CSV)
    assert [f.rule.code for f in error.faults] == ["header_missing"]
    assert refusal(b"admin_unit;" + b"a;" * 120_000, CSV).rule.code == "columns_too_many"


def test_tabs_only_where_the_type_says_so() -> None:
    table = bodies.read(b"admin_unit\tnote\n26491\ta;b,c\n", "text/tab-separated-values")
    assert cells(table, "note") == [(2, "a;b,c")]


CELL = texts(12, without="\0\r")


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=20), st.sampled_from(",;\t"), st.booleans())
def test_what_was_written_is_what_is_read(rows: list[list[str]], separator: str, is_mixed: bool) -> None:
    titles = Titles(("a_title", "b_title", "c_title"))
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\r\n" if is_mixed else "\n")
    writer.writerows([titles.columns, *rows])
    table = bodies.read(buffer.getvalue().encode(), CSV, titles)
    assert found(table) == []
    meant = [(at, *(cell or None for cell in row)) for at, row in enumerate(rows, start=2)]
    blank = {at for at, row in enumerate(rows, start=2) if not any(cell.strip() for cell in row)}
    # What one library calls blank (a no-break space) another may not: neither row says anything.
    assert [(at, *(c or None for c in row)) for at, *row in cells(table) if at not in blank] == [
        row for row in meant if row[0] not in blank
    ]


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=20))
def test_the_fast_reader_and_the_careful_one_agree(rows: list[list[str]]) -> None:
    titles = Titles(("a_title", "b_title", "c_title"))
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows([titles.columns, *rows])
    body = buffer.getvalue().encode()
    fast = bodies.read(body, CSV, titles)
    careful = bodies.read(body + b"too,many,cells,here\n", CSV, titles)
    assert [code for _, _, code in found(careful)] == ["row_too_wide"]
    same = [tuple(cell or None for cell in row) for row in cells(fast)]
    assert [tuple(cell or None for cell in row) for row in cells(careful)] == same


def test_a_file_is_read_in_pieces_of_which_no_row_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.tabular.pieces.pieces.__defaults__", (4096,))
    rows = [(f"{at:05d}", "dòng một\ndòng; hai" if at % 3 else f"x{at}") for at in range(3000)]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=";").writerows([("admin_unit", "note"), *rows])
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf" + buffer.getvalue().encode())
    tables = list(read(Body(path, CSV, TITLES)))
    assert len(tables) == 19
    got = [row for table in tables for row in cells(table, "admin_unit", "note")]
    assert got == [(at, *row) for at, row in enumerate(rows, start=2)]


@pytest.fixture
def singly(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what is read line by line, of a body cut into small blocks and pieces."""
    monkeypatch.setattr(separated, "BLOCK_BYTES", 64 * 1024)
    monkeypatch.setattr(separated, "PIECE_BYTES", 4 * 1024)
    sizes: list[int] = []
    read_lines = separated._read_lines

    def noted(lines: list[str], *rest: Any, **more: Any) -> Any:
        sizes.append(sum(len(line.encode()) + 1 for line in lines))
        return read_lines(lines, *rest, **more)

    monkeypatch.setattr(separated, "_read_lines", noted)
    return sizes


def read_lines(lines: list[str]) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """The cells and the faults of a file with a heading, whose first row is the third."""
    body = "\ufeffBÁO CÁO;\nadmin_unit;note\n" + "\n".join(lines) + "\n"
    tables = list(read(Body(body.encode(), CSV, TITLES)))
    assert sum(table.received for table in tables) == len(lines)
    rows = [row for table in tables for row in cells(table, "admin_unit", "note")]
    return rows, [fault for table in tables for fault in found(table)]


def test_of_a_block_with_odd_lines_only_their_pieces_are_read_singly(singly: list[int]) -> None:
    lines = [f'{at:05d};"dòng một\ndòng; hai"' if at % 3 else f"{at:05d};x{at}" for at in range(9000)]
    lines[1500] = '01500;"x"y'
    lines[7000] = "07000;a;b"
    rows, faults = read_lines(lines)
    assert faults == [(1503, None, "row_unreadable"), (7003, None, "row_too_wide")]
    meant = [(at + 3, f"{at:05d}", "dòng một\ndòng; hai" if at % 3 else f"x{at}") for at in range(9000)]
    assert rows == [row for row in meant if row[0] not in (1503, 7003)]
    assert len(singly) == 3  # the first odd line stands near the end of its piece, so the next one is read with it
    assert max(singly) <= 2 * separated.PIECE_BYTES


def test_a_quote_without_an_end_costs_its_line_and_holds_two_pieces(singly: list[int]) -> None:
    lines = [f'{at:05d};"a; b"' for at in range(9000)]
    lines[10] = '00010;"mở'
    rows, faults = read_lines(lines)
    assert faults == [(13, None, "row_unreadable")]
    assert rows == [(at + 3, f"{at:05d}", "a; b") for at in range(9000) if at != 10]
    assert len(singly) == 1
    assert max(singly) <= 2 * separated.PIECE_BYTES


@pytest.mark.parametrize("stray", ['"mở', 'x" y', '"24" LED"', '"a" b'])
@pytest.mark.parametrize("blocks", [4, 64])
def test_a_stray_quote_among_cells_of_several_lines_costs_its_line_alone(
    singly: list[int], monkeypatch: pytest.MonkeyPatch, stray: str, blocks: int
) -> None:
    monkeypatch.setattr(separated, "BLOCK_BYTES", blocks * 1024)
    lines = [f'{at:05d};"dòng một\ndòng hai"' if at % 3 else f"{at:05d};x{at}" for at in range(9000)]
    lines[10] = f"00010;{stray}"
    rows, faults = read_lines(lines)
    is_cell = stray == 'x" y'
    assert faults == ([] if is_cell else [(13, None, "row_unreadable")])
    meant = [(at + 3, f"{at:05d}", "dòng một\ndòng hai" if at % 3 else f"x{at}") for at in range(9000)]
    meant[10:11] = [(13, "00010", stray)] if is_cell else []
    assert rows == meant
    assert sum(singly) <= 2 * separated.PIECE_BYTES


def test_large_quoted_texts_are_cut_rightly_by_the_fast_reader() -> None:
    rows = [(f"{at:06d}", '"a";\n' * (at % 9)) for at in range(60_000)]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=";", lineterminator="\n").writerows([("admin_unit", "note"), *rows])
    table = bodies.read(buffer.getvalue().encode(), CSV)
    assert cells(table, "admin_unit", "note") == [(at, a, b or None) for at, (a, b) in enumerate(rows, start=2)]


def test_folded_titles() -> None:
    assert folded(" Mã  ĐƠN vị:* ") == "ma don vi"
    assert folded("Kinh phí\n(triệu đồng)") == "kinh phi (trieu dong)"


def test_titles_over_two_lines_are_put_together() -> None:
    body = "Mã xã;Kết quả;;Ghi chú\n;Chỉ tiêu;Giá trị;\n26491;DX;5;x\n"
    # "Kết quả" is a heading over two titles; where the lower line has its own title, that one counts.
    table = bodies.read(body.encode(), CSV)
    assert cells(table, "admin_unit", "indicator", "value", "note") == [(3, "26491", "DX", "5", "x")]


def test_refusals_are_house_errors() -> None:
    with pytest.raises(Refused):
        bodies.read(b"x;y\n1;2\n", CSV)
