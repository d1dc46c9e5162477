"""Rows in and out of the database by COPY: one statement for all of them, whatever their number.

The driver speaks COPY only below SQLAlchemy. A session begins its transaction with its first statement, so
whoever copies has executed one before (the locks); otherwise each copy would be a transaction of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from io import BytesIO
from typing import Any

import asyncpg
import polars as pl
from sqlalchemy.exc import DBAPIError

from chassis.database import ReadSession, Session

_PIECE_ROWS = 20_000


async def copy_rows(db: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add rows given one by one; for hundreds of rows of any kind."""
    driver = await _driver(db, f"COPY {table} FROM STDIN")
    with _translated(driver):
        await driver.copy_records_to_table(table, records=rows, columns=list(columns))


async def copy_in(db: Session, table: str, frame: pl.DataFrame) -> None:
    """Add the rows of a frame to the columns of the same names; for any number of rows."""
    driver = await _driver(db, f"COPY {table} FROM STDIN")
    with _translated(driver):
        await driver.copy_to_table(table, source=_written(frame), columns=frame.columns, format="csv")


async def copy_out(db: ReadSession, query: str, schema: pl.Schema) -> pl.DataFrame:
    """The rows of a query as a frame; `schema` names its columns in their order."""
    driver = await _driver(db, f"COPY ({query}) TO STDOUT")
    found = BytesIO()
    with _translated(driver):
        await driver.copy_from_query(query, output=found, format="csv")
    if not found.tell():
        return pl.DataFrame(schema=schema)
    found.seek(0)
    return pl.read_csv(found, has_header=False, schema=schema)


async def _written(frame: pl.DataFrame) -> AsyncIterator[bytes]:
    """A frame as CSV, piece by piece: the database reads one piece while the next is written."""
    for piece in frame.iter_slices(_PIECE_ROWS):
        yield await asyncio.to_thread(_csv, piece)


def _csv(piece: pl.DataFrame) -> bytes:
    return piece.write_csv(include_header=False).encode()


async def _driver(db: ReadSession, statement: str) -> Any:
    """The driver's connection under a session, its transaction begun."""
    connection = await db.connection()
    db.info.get("note_copy", _unnoted)(statement)
    raw = await connection.get_raw_connection()
    return raw.driver_connection


def _unnoted(_statement: str) -> None:
    return None


@contextlib.contextmanager
def _translated(driver: Any) -> Iterator[None]:
    """Errors of the driver as everybody else's: SQLAlchemy's, so that one place turns them into problems."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise DBAPIError("COPY", None, error, connection_invalidated=driver.is_closed()) from error
