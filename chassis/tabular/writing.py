"""Rows as files: NDJSON and CSV streamed at constant memory, decimals exact, spreadsheets kept safe."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from csv import writer
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from io import StringIO
from uuid import UUID

import msgspec

BOM = "\ufeff"  # without it Excel reads UTF-8 as an old code page
CHUNK_CHARACTERS = 64 * 1024

_JSON = msgspec.json.Encoder(decimal_format="number")
_PLAIN_NUMBER = re.compile(r"-\d+(?:[.,]\d+)?", re.ASCII)
# A spreadsheet runs a cell that begins so, in ASCII or full width, also after blanks.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r]")


def ndjson_line(row: Mapping[str, object]) -> bytes:
    """One row as one line of JSON: decimals as exact numbers, moments in UTC with Z."""
    return _JSON.encode(row) + b"\n"


def csv_cell(value: object) -> str:
    """One value as the text of a CSV cell.

    Nested values are JSON text, nothing is an empty cell, and a text that a spreadsheet would run as a
    formula gets an apostrophe in front; a plain negative number stays a number.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return _guarded(str(value.value) if isinstance(value, Enum) else value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date | UUID | Enum):
        return str(msgspec.to_builtins(value))
    return str(value) if isinstance(value, int) else _JSON.encode(value).decode()


async def ndjson(rows: AsyncIterator[Mapping[str, object]]) -> AsyncIterator[bytes]:
    """Rows as NDJSON, in chunks."""
    chunk = bytearray()
    async for row in rows:
        chunk += ndjson_line(row)
        if len(chunk) >= CHUNK_CHARACTERS:
            yield bytes(chunk)
            chunk.clear()
    if chunk:
        yield bytes(chunk)


async def csv(rows: AsyncIterator[Mapping[str, object]], columns: Sequence[str]) -> AsyncIterator[bytes]:
    """Rows as CSV with BOM and a header line, in chunks; a column that a row lacks is empty.

    A column "target.key" is the field key of the row's object target.
    """
    paths = [column.split(".") for column in columns]
    buffer = StringIO(newline="")
    lines = writer(buffer, lineterminator="\r\n")  # RFC 4180
    buffer.write(BOM)
    lines.writerow([csv_cell(column) for column in columns])
    async for row in rows:
        lines.writerow([csv_cell(_field(row, path)) for path in paths])
        if buffer.tell() >= CHUNK_CHARACTERS:
            yield _taken(buffer)
    if buffer.tell():
        yield _taken(buffer)


def _field(row: Mapping[str, object], path: Sequence[str]) -> object:
    found: object = row
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _taken(buffer: StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _guarded(text: str) -> str:
    if _FORMULA.match(text) and not _PLAIN_NUMBER.fullmatch(text):
        return "'" + text
    return text
