"""Parquet: types are taken at their word, and no file unpacks beyond the limits."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest

from chassis.tabular import Kind, Limits, Titles
from tests.chassis.tabular import bodies
from tests.chassis.tabular.bodies import PARQUET, cells, found, kinds, parquet, refusal

TITLES = Titles(("text", "number", "whole", "ratio", "flag", "day", "moment", "choice", "nothing"))
FRAME = pl.DataFrame(
    {
        "text": ["26491", "Số liệu", None],
        "number": [Decimal("85.750000"), Decimal("12345678901234567890123456.123456"), None],
        "whole": [2**62, -1, None],
        "ratio": [0.7, 1e-7, float("nan")],
        "flag": [True, False, None],
        "day": [date(2026, 6, 14), date(1, 1, 1), None],
        "moment": [datetime(2026, 6, 14), datetime(2026, 6, 14, 1), None],  # noqa: DTZ001  # as other programs keep days
        "choice": ["a", "b", None],
        "nothing": [None, None, None],
    },
    schema_overrides={"choice": pl.Categorical(), "number": pl.Decimal(38, 6)},
)


@pytest.mark.parametrize("compression", ["uncompressed", "zstd", "snappy", "gzip", "lz4", "brotli"])
def test_types_say_what_cells_are(compression: str) -> None:
    table = bodies.read(parquet(FRAME, compression=compression), PARQUET, TITLES)
    assert table.findings.total == 0
    assert cells(table) == [
        (1, "26491", "85.750000", str(2**62), "0.7", "true", "2026-06-14", "2026-06-14", "a", None),
        (2, "Số liệu", "12345678901234567890123456.123456", "-1", "1e-7", "false", "0001-01-01",
         "2026-06-14 01:00:00.000000", "b", None),
        (3, None, None, None, "NaN", None, None, None, None, None),
    ]  # fmt: skip
    assert [Kind(kind) for kind in table.kinds.row(0)] == [
        Kind.TEXT, Kind.NUMBER, Kind.NUMBER, Kind.NUMBER, Kind.FLAG, Kind.DAY, Kind.DAY, Kind.TEXT, Kind.TEXT,
    ]  # fmt: skip
    assert (table.is_strict, table.received) == (True, 3)


def test_small_floats_keep_their_own_digits() -> None:
    frame = pl.DataFrame({"number": [0.7, 85.75]}, schema={"number": pl.Float32})
    assert cells(bodies.read(parquet(frame), PARQUET, TITLES), "number") == [(1, "0.7"), (2, "85.75")]


def test_rows_come_in_lots_and_keep_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.tabular.parquet.ROWS_AT_ONCE", 7)
    frame = pl.DataFrame({"text": [str(at) for at in range(20)]})
    table = bodies.read(parquet(frame, row_group_size=6), PARQUET, TITLES)
    assert cells(table, "text") == [(at + 1, str(at)) for at in range(20)]


def test_no_rows() -> None:
    table = bodies.read(parquet(FRAME.clear()), PARQUET, TITLES)
    assert (table.received, table.cells.columns) == (0, ["row", *TITLES.columns])


def test_unknown_columns_and_types_without_cells_are_refused() -> None:
    strange = pl.DataFrame({"txet": ["a"], "text": ["b"]})
    error = refusal(parquet(strange), PARQUET, titles=TITLES)
    assert [(f.rule.code, f.column) for f in error.faults] == [("field_unknown", "txet")]
    nested = pl.DataFrame({"text": [["a"]], "number": [{"x": 1}], "day": [b"x"], "flag": [datetime(2026, 1, 1).time()]})  # noqa: DTZ001
    error = refusal(parquet(nested), PARQUET, titles=TITLES)
    assert [(f.rule.code, f.column) for f in error.faults] == [
        ("column_kind_unknown", "text"),
        ("column_kind_unknown", "number"),
        ("column_kind_unknown", "day"),
        ("column_kind_unknown", "flag"),
    ]
    assert error.faults[0].values == {"column": "text", "kind": "List(String)"}


def test_aliases_name_columns_here_too() -> None:
    frame = pl.DataFrame({"Mã xã": ["26491"], "STT": [1]})
    table = bodies.read(parquet(frame), PARQUET)
    assert cells(table, "admin_unit") == [(1, "26491")]


def test_more_rows_or_bytes_than_allowed_are_refused_before_they_are_read() -> None:
    frame = pl.DataFrame({"text": ["x" * 1000 + str(at) for at in range(3000)]})
    body = parquet(frame, compression="zstd")
    assert len(body) < 100_000
    assert refusal(body, PARQUET, titles=TITLES, limits=Limits(rows=2999)).rule.code == "rows_too_many"
    assert (
        refusal(body, PARQUET, titles=TITLES, limits=Limits(unpacked_bytes=1_000_000)).rule.code == "unpacked_too_large"
    )


def test_one_long_text_named_by_every_row_is_refused() -> None:
    frame = pl.DataFrame({"text": ["x" * 100_000] * 500})
    body = parquet(frame)
    assert len(body) < 200_000
    assert (
        refusal(body, PARQUET, titles=TITLES, limits=Limits(unpacked_bytes=10_000_000)).rule.code
        == "unpacked_too_large"
    )


def test_what_is_no_parquet_is_unreadable() -> None:
    body = parquet(FRAME)
    size = int.from_bytes(body[-8:-4], "little")
    broken = body[: -8 - size] + bytes(size) + body[-8:]
    lying = body[:-8] + (2**31).to_bytes(4, "little") + b"PAR1"
    for bad in (b"", b"PAR1", b"PAR1" + bytes(4) + b"PAR1", body[:-1], body[1:], broken, lying):
        error = refusal(bad, PARQUET, titles=TITLES)
        assert (error.status, error.rule.code) == (400, "file_unreadable")


def test_found_is_empty() -> None:
    assert found(bodies.read(parquet(FRAME), PARQUET, TITLES)) == []
    assert kinds(bodies.read(parquet(FRAME), PARQUET, TITLES), "text") == [Kind.TEXT] * 3
