"""Scalars are exact both ways and refuse what they cannot hold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError, parse_value

from gateway.schema import build_schema
from gateway.types import scalars

TYPES: Any = build_schema()._schema.type_map


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("85.750"), "85.750"),
        (100, "100"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.000001"), "0.000001"),
        ("7", "7"),
    ],
)
def test_decimals_are_strings_without_exponent(value: Any, text: str) -> None:
    assert scalars.write_decimal(value) == text


@pytest.mark.parametrize("value", ["1e999999999", "NaN", "Infinity", "", "1,5", True, None, "9" * 61, [1]])
def test_what_is_no_exact_number_is_refused(value: Any) -> None:
    with pytest.raises(GraphQLError):
        scalars.read_decimal(value)


def test_decimal_literals_never_pass_through_a_float() -> None:
    kind = TYPES["Decimal"]
    for text in ("0.1", "85.750", "12345678901234567.123456"):
        assert kind.parse_literal(parse_value(text)) == Decimal(text)
    assert kind.parse_literal(parse_value('"85.75"')) == Decimal("85.75")
    with pytest.raises(GraphQLError):
        kind.parse_literal(parse_value("1" * 100))
    with pytest.raises(GraphQLError):
        kind.parse_literal(parse_value("true"))


def test_dong_are_whole_and_fit_64_bits() -> None:
    assert scalars.write_vnd(4_385_000_000) == 4_385_000_000
    assert scalars.read_vnd(2**53) == 2**53
    assert scalars.read_vnd("-1670000000") == -1_670_000_000
    for value in (2**53 + 1, 1.5, True, "1.670.000.000", "", "9" * 70):
        with pytest.raises(GraphQLError):
            scalars.read_vnd(value)


@pytest.mark.parametrize(
    ("written", "read"), [("2026Q2", "2026-Q2"), ("2026-M04", "2026-04"), ("202604", "2026-04"), (2026, "2026")]
)
def test_periods_are_read_in_foreign_spellings(written: Any, read: str) -> None:
    assert scalars.read_period(written) == read


@pytest.mark.parametrize("value", ["2026-Q5", "", "Quý II", 1.5, None])
def test_what_is_no_period_is_refused(value: Any) -> None:
    with pytest.raises(GraphQLError):
        scalars.read_period(value)


def test_days_and_moments() -> None:
    assert scalars.read_date("2026-06-30") == "2026-06-30"
    assert scalars.read_moment("2026-06-30T00:00:00+07:00") == "2026-06-30T00:00:00+07:00"
    for value in ("30/06/2026", "2026-02-30", 20260630, None):
        with pytest.raises(GraphQLError):
            scalars.read_date(value)
    for value in ("2026-06-30T00:00:00", "yesterday", 1):
        with pytest.raises(GraphQLError):
            scalars.read_moment(value)


def test_cursors_are_opaque_and_bounded() -> None:
    assert scalars.read_cursor("abc") == "abc"
    for value in ("", "x" * 2001, 7, None):
        with pytest.raises(GraphQLError):
            scalars.read_cursor(value)
