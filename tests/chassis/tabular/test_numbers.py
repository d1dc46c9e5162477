"""Numbers in files: read in the declared style or where they cannot be mistaken, else refused with both readings."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.money import format_decimal_vi
from chassis.tabular import Findings, Kind, Number, NumberStyle, Table, Whole, read_cells
from chassis.tabular.numbers import _easy, _read_hard, read_numbers

VI, EN, PLAIN = NumberStyle.VI, NumberStyle.EN, NumberStyle.PLAIN
ANY_MARK = frozenset({"percent", "vnd"})


def table(*texts: str | None, kind: Kind = Kind.TEXT, is_strict: bool = False) -> Table:
    rows = pl.Series("row", range(1, len(texts) + 1), pl.UInt32)
    cells = pl.DataFrame([rows, pl.Series("value", texts, pl.String)])
    kinds = pl.DataFrame({"value": [int(kind)] * len(texts)}, schema={"value": pl.UInt8})
    return Table(cells, kinds, Findings.none(), len(texts), is_strict)


def number(text: str, style: NumberStyle | None = None, kind: Kind = Kind.TEXT) -> tuple[object, object, list[str]]:
    """The value of one cell, its mark, and the codes of its faults."""
    values = read_cells(table(text, kind=kind), [Number("value", marks=ANY_MARK, digits=20)], style)
    _, value, mark = values.frame.row(0)
    return value, mark, [fault.rule.code for fault in values.findings.listed()]


READ = [
    ("1.670.000.000", "1670000000", None),
    ("200,000,000", "200000000", None),
    ("85,75%", "85.75", "percent"),
    ("85,75 %", "85.75", "percent"),
    ("85.75", "85.75", None),
    ("0.70", "0.7", None),
    ("0.700", "0.7", None),
    ("0,125", "0.125", None),
    ("1234.567", "1234.567", None),
    ("1.234,56", "1234.56", None),
    ("1,234.56", "1234.56", None),
    ("1 670 000", "1670000", None),
    ("1\u00a0670\u00a0000,5", "1670000.5", None),
    ("1\u202f670.500", "1670.5", None),
    (" 05 ", "5", None),
    ("-5", "-5", None),
    ("\u22125,5", "-5.5", None),
    ("-0", "0", None),
    ("1,67 tỷ", "1670000000", None),
    ("2 triệu đồng", "2000000", "vnd"),
    ("1.670.000.000 ₫", "1670000000", "vnd"),
    ("1.670.000.000đ.", "1670000000", "vnd"),
    ("500 nghìn", "500000", None),
    ("100 VNĐ", "100", "vnd"),
    ("0.000001 tỷ", "1000", None),
]


@pytest.mark.parametrize(("text", "value", "mark"), READ)
def test_what_cannot_be_mistaken_is_read_undeclared(text: str, value: str, mark: str | None) -> None:
    assert number(text) == (Decimal(value), mark, [])


@pytest.mark.parametrize(
    ("text", "as_vi", "as_en"),
    [
        ("1.670", "1670", "1.67"),
        ("1,670", "1.67", "1670"),
        ("1.670 triệu", "1670000000", "1670000"),
        ("85.750", "85750", "85.75"),
        ("-999,999%", "-999.999", "-999999"),
    ],
)
def test_two_readings_are_refused_and_both_shown(text: str, as_vi: str, as_en: str) -> None:
    findings = read_cells(table(text), [Number("value", marks=ANY_MARK)]).findings
    (fault,) = findings.listed()
    assert (fault.rule.code, fault.row, fault.column, fault.value) == ("number_ambiguous", 1, "value", text)
    vi, en = fault.rule.sentence("vi", fault.values), fault.rule.sentence("en", fault.values)
    assert f"{as_vi.replace('.', ',')} (kiểu vi) hoặc {as_en.replace('.', ',')} (kiểu en)" in vi
    assert f"{as_vi} (style vi) or {as_en} (style en)" in en


@pytest.mark.parametrize(
    ("text", "style", "value"),
    [
        ("1.670", VI, "1670"),
        ("1.670", EN, "1.67"),
        ("1.670", PLAIN, "1.67"),
        ("1,670", VI, "1.67"),
        ("1,670", EN, "1670"),
        ("1.670 triệu", VI, "1670000000"),
        ("85,75%", VI, "85.75"),
        ("1.670.000.000", VI, "1670000000"),
        ("200,000,000", EN, "200000000"),
        ("1 670,5", VI, "1670.5"),
        ("1670", VI, "1670"),
        ("1670", EN, "1670"),
        ("1670", PLAIN, "1670"),
    ],
)
def test_a_declared_style_decides(text: str, style: NumberStyle, value: str) -> None:
    read, _, codes = number(text, style)
    assert (read, codes) == (Decimal(value), [])


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("0.70", VI),  # never 70
        ("85.75", VI),
        ("0.700", VI),
        ("1234.567", VI),
        ("200,000,000", VI),
        ("85,75", EN),
        ("1.670.000", EN),
        ("1,670", PLAIN),
        ("1 670", PLAIN),
        ("1.670.000", PLAIN),
    ],
)
def test_the_other_style_is_refused_never_bent(text: str, style: NumberStyle) -> None:
    assert number(text, style) == (None, None, ["number_in_other_style"])


@pytest.mark.parametrize(
    "text",
    ["abc", "1e3", "1.", ".5", "--5", "+5", "1,2,3", "1.000,000.5", "12.34,5", "٣", "１", "70%%", "% 70", "5 đồng đ",
     "(5)", "5-", "1..2", "1 2", "1 23 456", "NaN", "=1+1", "5\x00", "5 tr", "9" * 80],
)  # fmt: skip
@pytest.mark.parametrize("style", [None, VI, EN, PLAIN])
def test_what_is_no_number_is_none(text: str, style: NumberStyle | None) -> None:
    expected = "number_in_other_style" if text == "1 2" and style is None else "number_expected"
    expected = "number_too_large" if text == "9" * 80 else expected
    value, mark, codes = number(text, style)
    assert (value, mark) == (None, None)
    assert codes in ([expected], ["number_expected"])


@given(st.decimals(-(10**14) + 1, 10**14 - 1, places=6, allow_nan=False))
def test_what_our_own_tables_show_reads_back_in_their_style(value: Decimal) -> None:
    assert number(format_decimal_vi(value), VI)[0] == value
    assert number(f"{value:,f}", EN)[0] == value
    assert number(f"{value:f}", PLAIN)[0] == value


TEXTS = st.text("0123456789.,- %", max_size=12)


@given(st.lists(TEXTS, min_size=1, max_size=30), st.sampled_from([None, VI, EN, PLAIN]))
def test_easy_texts_read_as_the_full_grammar_reads_them(texts: list[str], style: NumberStyle | None) -> None:
    series = pl.Series(texts, dtype=pl.String)
    easy = series.filter(series.str.contains(_easy(style, digits=60, places=30)))
    quick, full = read_numbers(easy, style), _read_hard(easy, style)
    assert quick.select("number", "mark", "outcome").rows() == full.select("number", "mark", "outcome").rows()


@given(TEXTS, st.sampled_from([None, VI, EN, PLAIN]), st.sampled_from([0, 1, 2, 3, 4, 6]), st.sampled_from([3, 14]))
def test_a_text_reads_alike_alone_and_beside_a_hard_one(
    text: str, style: NumberStyle | None, places: int, digits: int
) -> None:
    column = Number("value", places=places, digits=digits) if places else Whole("value", digits=digits)
    alone, beside = (read_cells(table(*texts), [column], style) for texts in ((text,), (text, "1 tr")))
    told = [[fault.rule.code for fault in found.findings.listed() if fault.row == 1] for found in (alone, beside)]
    assert (alone.frame.row(0), told[0]) == (beside.frame.row(0), told[1])


@given(TEXTS)
def test_undeclared_is_read_only_where_every_style_that_reads_it_agrees(text: str) -> None:
    value, _, codes = number(text)
    readings = {number(text, style)[0] for style in (VI, EN)} - {None}
    assert (value is not None) == (len(readings) == 1) or codes in (["number_too_fine"], ["number_too_large"])
    if value is not None:
        assert readings == {value}


@pytest.mark.parametrize(
    ("text", "value", "mark"),
    [
        ("1.670", "1.67", None),
        ("85.75%", "85.75", "percent"),
        ("1e3", "1000", None),
        ("1E-2", "0.01", None),
        ("-0.0", "0", None),
        ("0.7000000000", "0.7", None),
        ("1e-07", "0.0000001", None),
        ("12345678901234567890", "12345678901234567890", None),
    ],
)
def test_numbers_of_typed_forms_need_no_style(text: str, value: str, mark: str | None) -> None:
    places = 7 if text == "1e-07" else 6
    for style in (None, VI, EN, PLAIN):
        column = Number("value", digits=20, places=places, marks=ANY_MARK)
        values = read_cells(table(text, kind=Kind.NUMBER), [column], style)
        assert values.frame.row(0)[1:] == (Decimal(value), mark)
        assert values.findings.total == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0.1234567", "number_too_fine"),
        ("1e-7", "number_too_fine"),
        ("1e-999", "number_too_fine"),
        ("123456789012345", "number_too_large"),
        ("1e14", "number_too_large"),
        ("-1e9999", "number_too_large"),
        ("9" * 60, "number_too_large"),
        ("1e99999", "number_expected"),
        ("NaN", "number_expected"),
        ("inf", "number_expected"),
        ("0.5%", "number_mark_unexpected"),
    ],
)
def test_numbers_that_do_not_fit_are_refused_never_rounded(text: str, code: str) -> None:
    values = read_cells(table(text, "1", kind=Kind.NUMBER), [Number("value")])
    assert [fault.rule.code for fault in values.findings.listed()] == [code]
    assert values.frame["value"].to_list() == [None, Decimal(1)]


def test_zero_with_any_exponent_is_zero() -> None:
    values = read_cells(table("0e9999", "-0E-9999", kind=Kind.NUMBER), [Number("value")])
    assert values.frame["value"].to_list() == [Decimal(0), Decimal(0)]


def test_thirty_eight_digits_are_exact() -> None:
    text = "12345678901234567890123456789012.123456"
    values = read_cells(table(text, kind=Kind.NUMBER), [Number("value", digits=32, places=6)])
    assert values.frame["value"].to_list() == [Decimal(text)]
    assert values.frame.schema["value"] == pl.Decimal(38, 6)


def test_whole_numbers() -> None:
    column = Whole("value", marks=ANY_MARK)
    texts = ("1.670.000.000 đ", "1,67 tỷ", "9007199254740992", "5,0", "5,5", "10000000000000000000", None, "  ")
    values = read_cells(table(*texts), [column])
    assert values.frame["value"].to_list() == [1670000000, 1670000000, 2**53, 5, None, None, None, None]
    assert values.frame["value_mark"].to_list() == ["vnd", None, None, None, None, None, None, None]
    assert [(f.row, f.rule.code) for f in values.findings.listed()] == [
        (5, "whole_number_expected"),
        (6, "number_too_large"),
    ]
    assert values.frame.schema["value"] == pl.Int64()


def test_marks_not_asked_for_are_refused_by_their_sign() -> None:
    faults = read_cells(table("5%", "5 đ"), [Number("value")]).findings.listed()
    assert [(f.rule.code, f.values["mark"]) for f in faults] == [
        ("number_mark_unexpected", "%"),
        ("number_mark_unexpected", "₫"),
    ]


def test_texts_and_flags_of_strict_forms_are_no_numbers() -> None:
    for kind in (Kind.TEXT, Kind.FLAG, Kind.DAY):
        values = read_cells(table("85.75", kind=kind, is_strict=True), [Number("value")])
        assert [fault.rule.code for fault in values.findings.listed()] == ["number_expected"]
    empty = read_cells(table("", None, is_strict=True), [Number("value", required=True)])
    assert [(f.row, f.rule.code) for f in empty.findings.listed()] == [(1, "cell_missing"), (2, "cell_missing")]
