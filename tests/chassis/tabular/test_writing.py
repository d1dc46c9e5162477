"""Rows as files: exact decimals, safe cells, steady chunks."""

import csv as reader
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from io import StringIO
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import tabular
from tests.drawn import texts


class Comparator(StrEnum):
    GTE = "gte"


class Level(IntEnum):
    ONE = 1


async def stream(*rows: Mapping[str, object]) -> AsyncIterator[Mapping[str, object]]:
    for row in rows:
        yield row


async def collected(chunks: AsyncIterator[bytes]) -> list[bytes]:
    return [chunk async for chunk in chunks]


def test_ndjson_line_keeps_every_digit() -> None:
    row = {
        "value": Decimal("0.70"),
        "amount_vnd": 2**53,
        "name": "Đại Phước",
        "at": datetime(2026, 6, 14, 17, tzinfo=UTC),
        "on": date(2026, 6, 14),
        "none": None,
        "list": [Comparator.GTE],
    }
    assert tabular.ndjson_line(row).decode() == (
        '{"value":0.70,"amount_vnd":9007199254740992,"name":"Đại Phước","at":"2026-06-14T17:00:00Z",'
        '"on":"2026-06-14","none":null,"list":["gte"]}\n'
    )


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-5, "-5"),
        (Level.ONE, "1"),
        (0.5, "0.5"),
        (Decimal("-0.70"), "-0.70"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.000001"), "0.000001"),
        (date(2026, 6, 14), "2026-06-14"),
        (datetime(2026, 6, 14, 17, tzinfo=UTC), "2026-06-14T17:00:00Z"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (Comparator.GTE, "gte"),
        (["phong-vhxh", "ubnd-xa"], '["phong-vhxh","ubnd-xa"]'),
        ({"value": Decimal("0.70")}, '{"value":0.70}'),
        ("≥ 60 %", "≥ 60 %"),
        ("", ""),
        ("-5", "-5"),
        ("-5.25", "-5.25"),
        ("-5,25", "-5,25"),
        ("-5+cmd", "'-5+cmd"),
        ("- việc thứ nhất", "'- việc thứ nhất"),
        ("=1+1", "'=1+1"),
        ("  =1+1", "'  =1+1"),
        ("\u00a0=1+1", "'\u00a0=1+1"),
        ("+84 251", "'+84 251"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("＝1+1", "'＝1+1"),  # full width: spreadsheets run it too
        ("a=b", "a=b"),
    ],
)
def test_csv_cell(value: object, cell: str) -> None:
    assert tabular.csv_cell(value) == cell


async def test_csv_is_what_excel_opens() -> None:
    rows = stream(
        {"code": "01234", "name": 'Tên "lạ"; một,\nhai', "value": Decimal("0.70"), "extra": 1},
        {"code": "00001"},
    )
    assert b"".join(await collected(tabular.csv(rows, ["code", "name", "value"]))).decode() == (
        '\ufeffcode,name,value\r\n01234,"Tên ""lạ""; một,\nhai",0.70\r\n00001,,\r\n'
    )


async def test_csv_lays_objects_out_flat_where_a_column_names_a_field() -> None:
    rows = stream({"a": {"b": {"c": 1}, "d": [2]}}, {"a": None}, {"a": {"b": "x"}}, {})
    assert b"".join(await collected(tabular.csv(rows, ["a.b.c", "a.d"]))).decode() == (
        "\ufeffa.b.c,a.d\r\n1,[2]\r\n,\r\n,\r\n,\r\n"
    )


async def test_csv_of_nothing_is_its_header() -> None:
    assert await collected(tabular.csv(stream(), ["code"])) == [b"\xef\xbb\xbfcode\r\n"]


async def test_ndjson_of_nothing_is_nothing() -> None:
    assert await collected(tabular.ndjson(stream())) == []


LONG = "x" * (tabular.CHUNK_CHARACTERS // 2)


async def test_ndjson_comes_in_chunks() -> None:
    chunks = await collected(tabular.ndjson(stream({"a": LONG}, {"a": LONG}, {"a": "end"})))
    assert [chunk.count(b"\n") for chunk in chunks] == [2, 1]
    exact = await collected(tabular.ndjson(stream({"a": LONG}, {"a": LONG})))
    assert [chunk.count(b"\n") for chunk in exact] == [2]


async def test_csv_comes_in_chunks() -> None:
    chunks = await collected(tabular.csv(stream({"a": LONG}, {"a": LONG}, {"a": "end"}), ["a"]))
    assert [chunk.count(b"\r\n") for chunk in chunks] == [3, 1]
    assert chunks[1] == b"end\r\n"
    exact = await collected(tabular.csv(stream({"a": LONG}, {"a": LONG}), ["a"]))
    assert [chunk.count(b"\r\n") for chunk in exact] == [3]


CELLS = texts(without="\r\n\0")


@given(st.lists(st.fixed_dictionaries({"a": CELLS, "b": st.decimals(allow_nan=False, allow_infinity=False)})))
async def test_both_formats_read_back(rows: list[dict[str, object]]) -> None:
    lines = b"".join(await collected(tabular.ndjson(stream(*rows)))).splitlines()
    assert [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in lines] == rows
    text = b"".join(await collected(tabular.csv(stream(*rows), ["a", "b"]))).decode("utf-8-sig")
    read = list(reader.DictReader(StringIO(text, newline="")))
    assert [row["a"] for row in read] == [tabular.csv_cell(row["a"]) for row in rows]
    assert [Decimal(row["b"]) for row in read] == [row["b"] for row in rows]
