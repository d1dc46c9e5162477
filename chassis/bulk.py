"""Rows in and out of the database by COPY: one statement for all of them, whatever their number.

The driver speaks COPY only below SQLAlchemy. A session begins its transaction with its first statement, so
whoever copies has executed one before (the locks); otherwise each copy would be a transaction of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any

import asyncpg
import polars as pl
from pgpq import ArrowToPostgresBinaryEncoder
from sqlalchemy.exc import DBAPIError

from chassis.database import ReadSession, Session

_PIECE_ROWS = 5_000
_PIECE_BYTES = 2**21


async def copy_rows(db: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add rows given one by one; for hundreds of rows of any kind."""
    async with _copying(db, f"COPY {table} FROM STDIN") as driver:
        await driver.copy_records_to_table(table, records=rows, columns=list(columns))


async def copy_in(db: Session, table: str, frame: pl.DataFrame) -> None:
    """Add the rows of a frame to the columns of the same names and types; for any number of rows.

    They are written out piece by piece while the database takes in those before. A moment is one in UTC that does not
    say so.
    """
    async with _copying(db, f"COPY {table} FROM STDIN") as driver:
        await driver.copy_to_table(table, source=_written(frame), columns=frame.columns, format="binary")


async def _written(frame: pl.DataFrame) -> AsyncIterator[bytes]:
    pieces = _binary(frame)
    coming = asyncio.create_task(asyncio.to_thread(next, pieces, None))
    try:
        while (piece := await coming) is not None:
            coming = asyncio.create_task(asyncio.to_thread(next, pieces, None))
            yield piece
    finally:
        coming.cancel()  # of a copy that broke off


def _binary(frame: pl.DataFrame) -> Iterator[bytes]:
    """A frame as the database's own binary form has it."""
    encoder = ArrowToPostgresBinaryEncoder(frame.clear().to_arrow().schema)
    yield encoder.write_header()
    for piece in frame.iter_slices(_PIECE_ROWS):
        for batch in piece.to_arrow().to_batches():
            yield encoder.write_batch(batch)
    yield encoder.finish()


async def copy_out(db: ReadSession, query: str, schema: pl.Schema) -> pl.DataFrame:
    """The rows of a query as a frame; `schema` names its columns in their order.

    They are read in threads while the database still writes out others.
    """
    reading: list[asyncio.Task[pl.DataFrame]] = []
    pieces: list[bytes] = []

    def read() -> None:
        reading.append(asyncio.create_task(asyncio.to_thread(_read_csv, b"".join(pieces), schema)))
        pieces.clear()

    async def keep(piece: bytes) -> None:  # a piece is made of whole rows: the database sends each as one message
        pieces.append(piece)
        if sum(map(len, pieces)) >= _PIECE_BYTES:
            read()

    try:
        async with _copying(db, f"COPY ({query}) TO STDOUT") as driver:
            await driver.copy_from_query(query, output=keep, format="csv")
        if pieces:
            read()
        frames = await asyncio.gather(*reading)
    finally:
        await asyncio.gather(*reading, return_exceptions=True)
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)


def _read_csv(text: bytes, schema: pl.Schema) -> pl.DataFrame:
    return pl.read_csv(text, has_header=False, schema=schema)


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
