"""Rows in and out of the database by COPY: one statement for all of them, whatever their number.

The driver speaks COPY only below SQLAlchemy. A session begins its transaction with its first statement, so
whoever copies has executed one before (the locks); otherwise each copy would be a transaction of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from io import BytesIO
from typing import Any, TypeVar

import asyncpg
import polars as pl
from sqlalchemy.exc import DBAPIError

from chassis.database import ReadSession, Session

_PIECE_ROWS = 10_000
Outcome = TypeVar("Outcome")


async def copy_rows(db: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add rows given one by one; for hundreds of rows of any kind."""
    async with _copying(db, f"COPY {table} FROM STDIN") as driver:
        await driver.copy_records_to_table(table, records=rows, columns=list(columns))


async def copy_in(db: Session, table: str, frame: pl.DataFrame) -> None:
    """Add the rows of a frame to the columns of the same names; for any number of rows."""
    await copy_in_while(db, table, frame, lambda: None)


async def copy_in_while(db: Session, table: str, frame: pl.DataFrame, meanwhile: Callable[[], Outcome]) -> Outcome:
    """The same with other work beside it.

    `meanwhile` runs in a thread as soon as the rows are written out, while the database still takes them in; answers
    what it answers.
    """
    loop, pieces = asyncio.get_running_loop(), asyncio.Queue[bytes | None]()

    def work() -> Outcome:
        try:
            for piece in frame.iter_slices(_PIECE_ROWS):
                loop.call_soon_threadsafe(pieces.put_nowait, _csv(piece))
        finally:
            loop.call_soon_threadsafe(pieces.put_nowait, None)
        return meanwhile()

    async with _copying(db, f"COPY {table} FROM STDIN") as driver:
        working = asyncio.create_task(asyncio.to_thread(work))
        try:
            await driver.copy_to_table(table, source=_all_of(pieces), columns=frame.columns, format="csv")
        finally:
            outcome = await working
    return outcome


def _csv(frame: pl.DataFrame) -> bytes:
    written = BytesIO()  # asked for a text, polars makes one of its bytes, and we bytes of it again
    frame.write_csv(written, include_header=False)
    return written.getvalue()


async def _all_of(pieces: asyncio.Queue[bytes | None]) -> AsyncIterator[bytes]:
    while (piece := await pieces.get()) is not None:
        yield piece


async def copy_out(db: ReadSession, query: str, schema: pl.Schema) -> pl.DataFrame:
    """The rows of a query as a frame; `schema` names its columns in their order."""
    pieces: list[bytes] = []

    async def keep(piece: bytes) -> None:
        pieces.append(piece)

    async with _copying(db, f"COPY ({query}) TO STDOUT") as driver:
        await driver.copy_from_query(query, output=keep, format="csv")
    if not pieces:
        return pl.DataFrame(schema=schema)
    return await asyncio.to_thread(_read_csv, pieces, schema)


def _read_csv(pieces: list[bytes], schema: pl.Schema) -> pl.DataFrame:
    return pl.read_csv(b"".join(pieces), has_header=False, schema=schema)


@contextlib.asynccontextmanager
async def _copying(db: ReadSession, statement: str) -> AsyncIterator[Any]:
    """The driver's connection under a session, its transaction begun; its errors are SQLAlchemy's afterwards, so that
    one place turns them into problems.
    """
    connection = await db.connection()
    db.info.get("note_copy", _unnoted)(statement)
    driver = (await connection.get_raw_connection()).driver_connection
    try:
        yield driver
    except Exception as error:
        is_refusal = isinstance(error, asyncpg.PostgresError) and not isinstance(error, asyncpg.PostgresConnectionError)
        is_lost = not is_refusal or driver is None or driver.is_closed()
        if is_lost:
            # Cut off in the middle of a copy the driver waits for its end: nothing can be asked of it, not even to
            # roll back.
            await connection.invalidate(error)
        if is_refusal or isinstance(error, _DRIVERS) or driver is None or driver.is_closed():
            raise DBAPIError("COPY", None, error, connection_invalidated=is_lost) from error
        raise


_DRIVERS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


def _unnoted(_statement: str) -> None:
    return None
