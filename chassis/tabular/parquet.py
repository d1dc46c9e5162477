"""Rows of Parquet files: types say what cells are, so nothing is guessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from chassis.errors import BODY_INVALID, Fault, Refused, TooLarge
from chassis.tabular.findings import Findings
from chassis.tabular.foreign import foreign, unreadable
from chassis.tabular.pieces import whole
from chassis.tabular.rules import COLUMN_KIND_UNKNOWN, ROWS_TOO_MANY, UNPACKED_TOO_LARGE
from chassis.tabular.table import ROW, Kind, Limits, Table, Titles, header_of, table_of
from chassis.tabular.thrift import Reader, ThriftError

FORM = "Parquet"
MAGIC = b"PAR1"
ROWS_AT_ONCE = 20_000


def read_parquet(source: bytes | Path, titles: Titles, *, limits: Limits) -> Iterator[Table]:
    """Rows of a Parquet file, numbered from 1.

    Raises:
        Unreadable: no such file ("file_unreadable").
        Refused: columns unknown or double, or of a type without cells ("column_kind_unknown").
        TooLarge: more rows or bytes than the limits allow, packed small or not.
    """
    data = whole(source)
    rows = _checked_rows(data, limits)
    with foreign(FORM):
        schema = pl.read_parquet_schema(BytesIO(data))
    names = list(schema)
    wanted = {names[place]: column for place, column in header_of(names, titles).places.items()}
    _check_kinds({column: schema[name] for name, column in wanted.items()})
    for start in range(0, rows, ROWS_AT_ONCE):
        with foreign(FORM):
            some = pl.scan_parquet(BytesIO(data)).select(*wanted).slice(start, ROWS_AT_ONCE)
            frame = some.collect().rename(wanted).with_row_index(ROW, start + 1)
            _check_bytes(frame, limits)
            texts = frame.select(ROW, *(_text(name, kind) for name, kind in frame.drop(ROW).schema.items()))
        kinds = {name: _kind(kind) for name, kind in frame.drop(ROW).schema.items()}
        yield table_of(texts, titles, Findings.none(), is_strict=True, kinds=kinds)


def _checked_rows(data: bytes, limits: Limits) -> int:
    """How many rows there are, once it is known that the file unpacks within the limits."""
    if len(data) < 12 or not data.startswith(MAGIC) or not data.endswith(MAGIC):
        raise unreadable(FORM, "the file does not begin and end as Parquet does")
    size = int.from_bytes(data[-8:-4], "little")
    try:
        groups = Reader(data[-8 - size : -8]).struct().get(4, [])
        rows = sum(group.get(3, 0) for group in groups)
        if rows > limits.rows:
            raise TooLarge(ROWS_TOO_MANY, limit_rows=limits.rows)
        unpacked = sum(_unpacked(data, column[3], group.get(3, 0)) for group in groups for column in group.get(1, []))
    except (ValueError, AttributeError, TypeError, LookupError) as error:
        raise unreadable(FORM, "its description of itself is broken") from error
    if unpacked > limits.unpacked_bytes:
        raise TooLarge(UNPACKED_TOO_LARGE, limit_bytes=limits.unpacked_bytes)
    return int(rows)


def _unpacked(data: bytes, column: dict[int, Any], rows: int) -> int:
    """How large the pages of a column say they unpack; readers hold them to it."""
    place = min(start for start in (column[9], column.get(11)) if start)
    end = place + column[7]
    size = values = 0
    while place < end:
        reader = Reader(data, place)
        page = reader.struct()
        header = page.get(5) or page.get(8)
        values += header[1] if header else 0
        if page[2] < 0 or page[3] < 0 or values > rows:
            raise ThriftError("pages do not fit their rows")
        size += page[2]
        place = reader.place + page[3]
    return size


def _check_kinds(schema: Mapping[str, pl.DataType]) -> None:
    faults = [
        Fault(COLUMN_KIND_UNKNOWN, {"column": name, "kind": str(kind)}, column=name)
        for name, kind in schema.items()
        if not (kind.is_numeric() or isinstance(kind, _PLAIN_KINDS))
    ]
    if faults:
        raise Refused(BODY_INVALID, faults=faults)


_PLAIN_KINDS = (pl.String, pl.Categorical, pl.Enum, pl.Boolean, pl.Date, pl.Datetime, pl.Null)


def _check_bytes(frame: pl.DataFrame, limits: Limits) -> None:
    """Refuse what unpacks small and would still grow: one long text named by every row."""
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    sizes = frame.select(pl.col(name).str.len_bytes().cast(pl.UInt64).sum() for name in texts)
    if sum(sizes.row(0) if texts else ()) > limits.unpacked_bytes:
        raise TooLarge(UNPACKED_TOO_LARGE, limit_bytes=limits.unpacked_bytes)


def _text(name: str, kind: pl.DataType) -> pl.Expr:
    cell = pl.col(name)
    if isinstance(kind, pl.Datetime):
        # A moment that is the beginning of a day is how other programs keep days.
        is_day = cell.dt.time() == pl.time(0, 0, 0)
        return pl.when(is_day).then(cell.dt.date().cast(pl.String)).otherwise(cell.cast(pl.String)).alias(name)
    return cell.cast(pl.String)


def _kind(kind: pl.DataType) -> Kind:
    if kind.is_numeric():
        return Kind.NUMBER
    if isinstance(kind, pl.Boolean):
        return Kind.FLAG
    return Kind.DAY if isinstance(kind, pl.Date | pl.Datetime) else Kind.TEXT
