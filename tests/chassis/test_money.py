"""Money and figures: exact, and written the Vietnamese way."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.money import (
    MAX_VND,
    AmountError,
    format_decimal_en,
    format_decimal_vi,
    format_percent_en,
    format_percent_vi,
    format_vnd,
    format_vnd_en,
    vnd,
)


@pytest.mark.parametrize("amount", [0, 1, -1, 1_670_000_000, MAX_VND, -MAX_VND])
def test_vnd_takes_whole_dong(amount: int) -> None:
    assert vnd(amount) == amount


@pytest.mark.parametrize("value", [MAX_VND + 1, -MAX_VND - 1, 1.0, Decimal(1), "1", True, None, float("nan")])
def test_vnd_refuses_everything_else(value: object) -> None:
    with pytest.raises(AmountError):
        vnd(value)


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (0, "0 ₫"),
        (999, "999 ₫"),
        (1_670_000_000, "1.670.000.000 ₫"),
        (8_385_000_000, "8.385.000.000 ₫"),
        (-1_000, "-1.000 ₫"),
        (MAX_VND, "9.007.199.254.740.992 ₫"),
    ],
)
def test_format_vnd(amount: int, written: str) -> None:
    assert format_vnd(amount) == written


@pytest.mark.parametrize(
    ("value", "places", "written"),
    [
        (Decimal("85.750000"), None, "85,75"),
        (Decimal("60.000000"), None, "60"),
        (Decimal("1234.5"), None, "1.234,5"),
        (Decimal("-0.5"), None, "-0,5"),
        (Decimal("-0.000"), None, "0"),
        (Decimal("1E+3"), None, "1.000"),
        (Decimal("0.70"), None, "0,7"),
        (Decimal("0.70"), 2, "0,70"),
        (Decimal("2.345"), 2, "2,35"),
        (Decimal("-2.345"), 2, "-2,35"),
        (Decimal("-0.004"), 2, "0,00"),
        (Decimal("1999.5"), 0, "2.000"),
        (
            Decimal("12345678901234567890123456789012.345678"),
            6,
            "12.345.678.901.234.567.890.123.456.789.012,345678",
        ),
        (1670, None, "1.670"),
    ],
)
def test_format_decimal_vi(value: Decimal | int, places: int | None, written: str) -> None:
    assert format_decimal_vi(value, places=places) == written


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity")])
def test_format_decimal_vi_refuses_what_is_no_figure(value: Decimal) -> None:
    with pytest.raises(ValueError, match="not a finite figure"):
        format_decimal_vi(value)


def test_format_percent_vi() -> None:
    assert format_percent_vi(Decimal("85.75")) == "85,75 %"
    assert format_percent_vi(Decimal("79.999")) == "79,999 %"
    assert format_percent_vi(Decimal("85.755"), places=2) == "85,76 %"


@given(st.decimals(min_value=-(10**14), max_value=10**14, places=6))
def test_every_figure_reads_back_exactly(value: Decimal) -> None:
    written = format_decimal_vi(value)
    assert Decimal(written.replace(".", "").replace(",", ".")) == value


@pytest.mark.parametrize(
    ("amount", "words"), [(0, "0 VND"), (1_670_000_000, "1,670,000,000 VND"), (-5000, "-5,000 VND")]
)
def test_money_in_english(amount: int, words: str) -> None:
    assert format_vnd_en(amount) == words


@pytest.mark.parametrize(
    ("value", "words"), [("1234.50", "1,234.5"), ("-0.000", "0"), ("1000000", "1,000,000"), ("9.996", "9.996")]
)
def test_figures_in_english(value: str, words: str) -> None:
    assert format_decimal_en(Decimal(value)) == words
    assert format_percent_en(Decimal(value)) == f"{words} %"
