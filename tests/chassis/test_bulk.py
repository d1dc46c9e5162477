"""Rows by COPY: whatever goes in stands there, and comes out again, in however many pieces."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis import bulk
from chassis.database import Session
from tests.chassis.conftest import Desk

COLUMNS = """
  number integer, small smallint, large bigint, figure numeric(38, 6), is_so boolean, day date, words text,
  at timestamptz
"""
SCHEMA = pl.Schema(
    {
        "number": pl.Int32(),
        "small": pl.Int16(),
        "large": pl.Int64(),
        "figure": pl.Decimal(38, 6),
        "is_so": pl.Boolean(),
        "day": pl.Date(),
        "words": pl.String(),
        "at": pl.Datetime("us"),
    }
)
WORDS = ("Xã Đại Phước", "", 'a "quoted", cell', "two\nlines\r\n", "\\N", "tab\t;", "ế" * 3000, "😀")
COUNT = 2 * bulk._PIECE_ROWS + 17


def figures(count: int) -> list[Decimal]:
    """Numbers of all sizes, many with zeros within."""
    random = Random(7)
    edges = [0, 1, -1, 10**4, 10**6 - 1, 10**8, 10**10 + 1, 10**32 - 1, 1 - 10**32, 4 * 10**18]
    sizes = [random.choice((1, -1)) * random.randrange(10 ** random.randrange(1, 32)) for _ in range(count)]
    powers = [10 ** random.randrange(12) for _ in sizes]
    thinned = [size // power * power for size, power in zip(sizes, powers, strict=True)]
    return [Decimal(whole).scaleb(-6) for whole in (edges + sizes[::2] + thinned[1::2])[:count]]


def everything(count: int) -> pl.DataFrame:
    """A row for each number, every eleventh cell empty."""
    random = Random(8)
    made = [
        (
            number,
            random.randrange(-(2**15), 2**15),
            random.randrange(-(2**63), 2**63),
            figure,
            number % 2 == 0,
            date(1900, 1, 1) + timedelta(days=random.randrange(109_000)),
            WORDS[number % len(WORDS)],
            datetime.fromisoformat("1999-12-31T23:59:59.999999") + timedelta(microseconds=random.randrange(10**15)),
        )
        for number, figure in enumerate(figures(count))
    ]
    holed = [(row[0], *(None if (row[0] + at) % 11 == 0 else cell for at, cell in enumerate(row[1:]))) for row in made]
    return pl.DataFrame(holed, SCHEMA, orient="row")


async def table(db: Session) -> None:
    await db.execute(text(f"CREATE TEMP TABLE bulk_test ({COLUMNS}) ON COMMIT DROP"))


async def test_what_is_copied_in_stands_there_exactly(desk: Desk) -> None:
    frame = everything(COUNT)
    assert frame.height == COUNT
    async with desk.database.write(keep=False) as db:
        await table(db)
        await bulk.copy_in(db, "bulk_test", frame)
        found = (await db.execute(text("SELECT * FROM bulk_test ORDER BY number"))).all()
    in_utc = [(*row[:-1], row[-1] and row[-1].replace(tzinfo=UTC)) for row in frame.iter_rows()]
    assert [tuple(row) for row in found] == in_utc


async def test_no_rows_are_copied_in_as_none(desk: Desk) -> None:
    async with desk.database.write(keep=False) as db:
        await table(db)
        await bulk.copy_in(db, "bulk_test", everything(COUNT).clear())
        assert await db.scalar(text("SELECT count(*) FROM bulk_test")) == 0


@pytest.mark.parametrize("piece", [1, 2**21])
async def test_what_is_copied_out_is_what_stands_there(desk: Desk, monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(bulk, "_PIECE_BYTES", piece)
    # An empty text is told from none by its quotes, which the reader of the service does not look at.
    frame = everything(COUNT).drop("is_so", "at").filter(pl.col("words") != "")
    async with desk.database.write(keep=False) as db:
        await table(db)
        await bulk.copy_in(db, "bulk_test", frame)
        query = f"SELECT {', '.join(frame.columns)} FROM bulk_test ORDER BY number"
        assert_frame_equal(await bulk.copy_out(db, query, frame.schema), frame)
        nothing = await bulk.copy_out(db, f"{query} LIMIT 0", frame.schema)
    assert_frame_equal(nothing, frame.clear())


async def test_rows_that_the_database_refuses_are_its_fault_and_the_connection_goes_on(desk: Desk) -> None:
    async with desk.database.write(keep=False) as db:
        await table(db)
        await db.execute(text("ALTER TABLE bulk_test ADD CHECK (number < 3)"))
        with pytest.raises(DBAPIError) as raised:
            async with db.begin_nested():
                await bulk.copy_in(db, "bulk_test", everything(COUNT))
        assert not raised.value.connection_invalidated
        assert await db.scalar(text("SELECT count(*) FROM bulk_test")) == 0


async def test_rows_that_we_cannot_read_are_our_fault_and_the_connection_goes_on(desk: Desk) -> None:
    async with desk.database.write(keep=False) as db:
        with pytest.raises(pl.exceptions.ComputeError):
            await bulk.copy_out(db, "SELECT 'x'::text", pl.Schema({"number": pl.Int32()}))
        assert await db.scalar(text("SELECT 1")) == 1
