"""Cells as values: words, choices, days and flags, each bad one by row and column."""

from __future__ import annotations

import unicodedata
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis import text as house_text
from chassis.errors import Fault
from chassis.tabular import Choice, Column, Day, Findings, Flag, Kind, Number, Table, Text, Values, read_cells
from chassis.tabular.rules import CELL_NESTED
from chassis.tabular.words import _SOUND, _SUSPICIOUS
from tests.drawn import texts


def table(*texts: str | None, kind: Kind = Kind.TEXT, is_strict: bool = False, first: int = 1) -> Table:
    rows = pl.Series("row", range(first, len(texts) + first), pl.UInt32)
    cells = pl.DataFrame([rows, pl.Series("cell", texts, pl.String)])
    kinds = pl.DataFrame({"cell": [int(kind)] * len(texts)}, schema={"cell": pl.UInt8})
    return Table(cells, kinds, Findings.none(), len(texts), is_strict)


def values(column: Column, *texts: str | None, kind: Kind = Kind.TEXT, is_strict: bool = False) -> list[object]:
    return read_cells(table(*texts, kind=kind, is_strict=is_strict), [column]).frame["cell"].to_list()


def codes(read: Values) -> list[tuple[int | None, str]]:
    return [(fault.row, fault.rule.code) for fault in read.findings.listed()]


def test_texts_are_composed_and_trimmed() -> None:
    pieces = unicodedata.normalize("NFD", "Đại Phước")
    texts = (" Tân\u00a0Hưng\u200b ", pieces, "", " \u00a0", None, "hai\ndòng", "a  b", "\ufeffx", "thư\u00adờng")
    meant = ["Tân Hưng", "Đại Phước", None, None, None, "hai\ndòng", "a  b", "x", "thường"]
    for is_strict in (True, False):
        assert values(Text("cell"), *texts, is_strict=is_strict) == meant


def test_the_guard_of_our_own_csv_is_taken_off_in_files() -> None:
    texts = ("'=1+1", "'- việc", "'  +84", "'quote", "''")
    assert values(Text("cell"), *texts) == ["=1+1", "- việc", "+84", "'quote", "''"]
    assert values(Text("cell"), "'=1+1", is_strict=True) == ["'=1+1"]


def test_control_signs_and_long_texts_are_refused() -> None:
    read = read_cells(table("a\x00b", "a\x1bb", "a\x85b", "x" * 11, "x" * 10, "a\tb"), [Text("cell", longest=10)])
    assert codes(read) == [
        (1, "text_control_sign"),
        (2, "text_control_sign"),
        (3, "text_control_sign"),
        (4, "text_long"),
    ]
    assert read.frame["cell"].to_list() == [None, None, None, None, "x" * 10, "a\tb"]
    assert read.findings.listed()[3].values == {"column": "cell", "value": "x" * 11, "limit": "10"}


def test_old_fonts_are_refused_by_name_with_advice() -> None:
    read = read_cells(
        table("Sè liÖu ®Þnh kú", "Chæ tieâu khoâng ñaït", "Số liệu định kỳ", "Voltmètre à 5 µV"), [Text("cell")]
    )
    assert [(f.row, f.values["font"]) for f in read.findings.listed()] == [(1, "TCVN3"), (2, "VNI")]
    assert "UniKey" in read.findings.listed()[0].rule.sentence("vi", read.findings.listed()[0].values)
    assert read.frame["cell"].to_list() == [None, None, "Số liệu định kỳ", "Voltmètre à 5 µV"]


@given(texts(30))
def test_no_old_font_passes_the_quick_look(text: str) -> None:
    tidy = unicodedata.normalize("NFC", text)
    if house_text.legacy_font(tidy):
        assert pl.Series([tidy]).str.contains(_SUSPICIOUS).item()


@settings(max_examples=1000)
@given(st.text("aeouAEOUbĐđ®¬µ¸¹\u03bcáàâåãéèêùúõøûÁÀÚÛ \u0301\u0300\u212a\u212bx", max_size=12))
def test_no_old_font_passes_the_quick_look_among_its_own_signs(text: str) -> None:
    test_no_old_font_passes_the_quick_look.hypothesis.inner_test(text)  # type: ignore[attr-defined]


def test_signs_taken_as_they_are_are_composed() -> None:
    every = "".join(chr(code) for code in range(0x10000) if not 0xD800 <= code <= 0xDFFF)
    sound = pl.Series(list(every)).str.extract(f"([ -~{_SOUND}])").drop_nulls().to_list()
    assert len(sound) == 1029
    for sign in sound:
        for before in ("a", "ư", ""):
            assert unicodedata.is_normalized("NFC", before + sign), hex(ord(sign))


@given(st.lists(st.none() | texts(20), max_size=20), st.booleans())
def test_every_text_is_its_trimmed_normal_form_or_refused(texts: list[str | None], is_strict: bool) -> None:
    sent = [None if text is None else text.encode(errors="replace").decode() for text in texts]
    read = read_cells(table(*sent, is_strict=is_strict), [Text("cell")])
    refused = set(read.findings.rows)
    for row, (before, after) in enumerate(zip(sent, read.frame["cell"], strict=True), start=1):
        if after is not None:
            assert row not in refused
            assert unicodedata.is_normalized("NFC", after)
            assert after == after.strip()
            assert "\x00" not in after
        elif row not in refused:
            assert before is None or not before.strip("\u200b\u2060\ufeff\u00ad" + SPACES)


def test_codes_typed_as_numbers_are_texts_in_files_only() -> None:
    assert values(Text("cell"), "26491", "2026", kind=Kind.NUMBER) == ["26491", "2026"]
    for text, kind, is_strict in (
        ("26491", Kind.NUMBER, True),
        ("26491.5", Kind.NUMBER, False),
        ("70%", Kind.NUMBER, False),
        ("true", Kind.FLAG, False),
        ("2026-04-01", Kind.DAY, False),  # "4/2026" turned into a day by the spreadsheet
    ):
        read = read_cells(table(text, kind=kind, is_strict=is_strict), [Text("cell", required=True)])
        assert codes(read) == [(1, "text_expected")]
        assert read.frame["cell"].to_list() == [None]


SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
STATUS = {"so bo": "preliminary", "preliminary": "preliminary", "chinh thuc": "official", "official": "official"}


def test_choices_are_found_however_they_are_accented() -> None:
    assert values(Choice("cell", STATUS), "Sơ bộ", " SO BO ", "official", None, "") == [
        "preliminary",
        "preliminary",
        "official",
        None,
        None,
    ]
    read = read_cells(table("chính thưc", "chinh", "xyz", "sơ bộ"), [Choice("cell", STATUS)])
    assert codes(read) == [(2, "choice_unknown"), (3, "choice_unknown")]
    sentences = [f.rule.sentence("vi", f.values) for f in read.findings.listed()]
    assert sentences == [
        "Cột cell không nhận “chinh”; các giá trị: preliminary, official. Có phải là official?",
        "Cột cell không nhận “xyz”; các giá trị: preliminary, official.",
    ]
    assert read.frame["cell"].to_list() == ["official", None, None, "preliminary"]
    assert codes(read_cells(table("5", kind=Kind.NUMBER, is_strict=True), [Choice("cell", STATUS)])) == [
        (1, "text_expected")
    ]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-06-14", date(2026, 6, 14)),
        ("14/06/2026", date(2026, 6, 14)),
        ("1/2/2026", date(2026, 2, 1)),
        ("14-6-2026", date(2026, 6, 14)),
        (" 14.06.2026 ", date(2026, 6, 14)),
        ("29/02/2028", date(2028, 2, 29)),
        ("1900-01-01", date(1900, 1, 1)),
        ("2199-12-31", date(2199, 12, 31)),
    ],
)
def test_days_in_files(text: str, day: date) -> None:
    assert values(Day("cell"), text, None, "", "2026-01-02") == [day, None, None, date(2026, 1, 2)]


@pytest.mark.parametrize(
    "text",
    ["06/14/2026", "2026-02-30", "29/02/2026", "14/06/26", "2026-6-14", "2026/06/14", "1899-12-31", "2200-01-01",
     "2026-06-14T00:00:00", "0000-01-01", "46187", "hôm nay", "2026-06", "14/06", "١٤/٠٦/٢٠٢٦"],
)  # fmt: skip
@pytest.mark.parametrize("is_strict", [True, False])
def test_what_is_no_day_is_refused(text: str, is_strict: bool) -> None:
    read = read_cells(table(text, "2026-01-02", is_strict=is_strict), [Day("cell")])
    assert codes(read) == [(1, "day_expected")]
    assert read.frame["cell"].to_list() == [None, date(2026, 1, 2)]
    assert read.findings.listed()[0].value == text


def test_days_by_kind() -> None:
    assert values(Day("cell"), "2026-06-14", kind=Kind.DAY) == [date(2026, 6, 14)]
    for text, kind, is_strict in (
        ("14/06/2026", Kind.TEXT, True),
        ("20260614", Kind.NUMBER, False),
        ("2026-06-14 13:30:00", Kind.DAY, False),
        ("12:00:00", Kind.DAY, False),
    ):
        assert codes(read_cells(table(text, kind=kind, is_strict=is_strict), [Day("cell")])) == [(1, "day_expected")]


def test_flags() -> None:
    assert values(Flag("cell"), "true", "false", None, kind=Kind.FLAG, is_strict=True) == [True, False, None]
    assert values(Flag("cell"), "Có", "không", "x", "", "Đúng", "sai", "TRUE") == [
        True, False, True, None, True, False, True,
    ]  # fmt: skip
    assert codes(read_cells(table("true", is_strict=True), [Flag("cell")])) == [(1, "flag_expected")]
    assert codes(read_cells(table("1", kind=Kind.NUMBER), [Flag("cell")])) == [(1, "flag_expected")]
    assert codes(read_cells(table("maybe"), [Flag("cell")])) == [(1, "flag_expected")]


@pytest.mark.parametrize(
    "column", [Text("cell", required=True), Number("cell", required=True), Day("cell", required=True)]
)
def test_empty_cells_of_required_columns_are_told_once(column: Column) -> None:
    read = read_cells(table("x\x00", None, " ", "5", first=4), [column])
    assert codes(read)[1:3] == [(5, "cell_missing"), (6, "cell_missing")]
    assert codes(read)[0][0] == 4
    assert read.findings.listed()[1].values == {"column": "cell"}


def test_a_cell_complained_of_before_is_not_called_empty() -> None:
    nested = Findings.of([Fault(CELL_NESTED, row=1, column="cell"), Fault(CELL_NESTED, row=2, column="other")])
    cells = table(None, None)
    read = read_cells(Table(cells.cells, cells.kinds, nested, 2, is_strict=True), [Text("cell", required=True)])
    assert codes(read) == [(2, "cell_missing")]


def test_no_rows_are_no_trouble() -> None:
    for column in (Text("cell"), Number("cell"), Day("cell"), Flag("cell"), Choice("cell", STATUS)):
        read = read_cells(table(), [column])
        assert (read.frame.height, read.findings.total) == (0, 0)
