"""Many rows against a table of kept ones under integer keys: looked up, superseded and written set-wise.

What is superseded moves to a second table in the same transaction. The caller holds the heads of the aggregates the
rows belong to, so nobody else writes these keys meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import prod

import polars as pl
from sqlalchemy import text

from chassis import bulk
from chassis.database import Session

Ranges = Mapping[str, Sequence[int]]
"""The integers that each of the first columns of a key may be."""

# Reading the ranges that keys span is quicker than asking for each key, unless they hold many more than are asked for.
RANGE_FACTOR = 4
_FEW = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """Kept rows, at least those of the keys asked for; `ranges`: everything they hold is there."""

    frame: pl.DataFrame
    ranges: Ranges | None = None

    def holds_only(self, ranges: Ranges, count: int) -> bool:
        """Whether no more than so many rows are kept within ranges, which lie within those that were read."""
        if self.ranges is None:
            return False
        within = [pl.col(name).is_in(ids) for name, ids in ranges.items()]
        return bool(self.frame.select(pl.all_horizontal(within).sum()).item() == count)


@dataclass(frozen=True, slots=True)
class Kept:
    """A table of rows in force and the one of their revisions.

    `key` are integer columns, the aggregate's first; the first `ranged` of them span the ranges that are read at once.
    `columns` are all columns of the table with their types; the revisions have `superseded_at` beside them.
    """

    table: str
    revisions: str
    key: tuple[str, ...]
    columns: pl.Schema
    ranged: int

    async def load(
        self,
        db: Session,
        rows: pl.DataFrame,
        wanted: pl.Schema,
        *,
        named: Mapping[str, str] | None = None,
        where: str = "true",
    ) -> Found:
        """The rows kept now for the keys of some rows, each key once; perhaps some beside them.

        `wanted` are the columns to read; `named` says which column a name stands for that is not a column's own.
        """
        ranges = self.ranges_of(rows)
        if are_filled(ranges, rows.height):
            frame = await self._read(db, f"{self.table} a WHERE {where} AND {_within(ranges)}", wanted, named)
            return Found(frame, ranges if where == "true" else None)
        await self._stage(db, rows.unique(self.key))
        staged = f"{self._staged} JOIN {self.table} a USING ({', '.join(self.key)}) WHERE {where}"
        return Found(await self._read(db, staged, wanted, named))

    async def load_within(self, db: Session, ranges: Ranges, wanted: pl.Schema) -> Found:
        """All rows kept now within ranges, in the order in which they lie: of a report posted again, in its order."""
        await db.execute(text("SET LOCAL enable_indexscan = off"))
        frame = await self._read(db, f"{self.table} a WHERE {_within(ranges)}", wanted)
        await db.execute(text("SET LOCAL enable_indexscan TO DEFAULT"))  # plans made without it would be kept
        return Found(frame, ranges)

    async def _read(
        self, db: Session, source: str, wanted: pl.Schema, named: Mapping[str, str] | None = None
    ) -> pl.DataFrame:
        """Columns of kept rows; days travel as numbers, which both sides write and read sooner."""
        columns = {name: f"a.{(named or {}).get(name, name)}" for name in wanted}
        days = [name for name, kind in wanted.items() if kind == pl.Date()]
        columns |= {name: f"{columns[name]} - DATE '1970-01-01'" for name in days}
        told = ", ".join(f"{column} AS {name}" for name, column in columns.items())
        sent = pl.Schema({**wanted, **dict.fromkeys(days, pl.Int32())})
        return (await bulk.copy_out(db, f"SELECT {told} FROM {source}", sent)).cast(dict.fromkeys(days, pl.Date()))

    async def supersede(self, db: Session, rows: pl.DataFrame, at: datetime, found: Found | None = None) -> None:
        """Move what is kept under the keys of rows to the revisions; `found` is what was loaded for them and more."""
        ranges = self.ranges_of(rows)
        if found is not None and found.holds_only(ranges, rows.height):  # everything in the ranges goes
            source, which = "", _within(ranges)
        else:
            await self._stage(db, rows)
            source, which = f"{self._staged} k", " AND ".join(f"a.{name} = k.{name}" for name in self.key)
        names = ", ".join(f"a.{name}" for name in self.columns)
        # One statement that deletes and returns would hold all rows between the two, at half as much time again.
        await db.execute(
            text(
                f"INSERT INTO {self.revisions} ({', '.join(self.columns)}, superseded_at)"
                f" SELECT {names}, :at FROM {self.table} a{source and ', ' + source} WHERE {which}"
            ),
            {"at": at},
        )
        await db.execute(text(f"DELETE FROM {self.table} a{source and ' USING ' + source} WHERE {which}"))

    async def write(self, db: Session, rows: pl.DataFrame) -> None:
        """Write rows under keys that hold none, best in the order of the keys."""
        await bulk.copy_in(db, self.table, rows.select(*self.columns).cast(self.columns))

    @property
    def _staged(self) -> str:
        return f"{self.table}_key"

    async def _stage(self, db: Session, rows: pl.DataFrame) -> None:
        """Put keys beside the table, for this transaction only; whatever was staged before goes."""
        columns = ", ".join(f"{name} integer" for name in self.key)
        await db.execute(text(f"CREATE TEMP TABLE IF NOT EXISTS {self._staged} ({columns}) ON COMMIT DELETE ROWS"))
        await db.execute(text(f"TRUNCATE {self._staged}"))
        await db.execute(text(_ONE_BY_ONE))
        await bulk.copy_in(db, self._staged, rows.select(pl.col(self.key).cast(pl.Int32)))

    def ranges_of(self, rows: pl.DataFrame) -> Ranges:
        """The ranges that the keys of rows span."""
        return {name: rows[name].unique().sort().to_list() for name in self.key[: self.ranged]}


def are_filled(ranges: Ranges, count: int) -> bool:
    """Whether so many keys fill most of the ranges they span, as those of a report do."""
    return prod(map(len, ranges.values())) <= RANGE_FACTOR * max(count, _FEW)


def _within(ranges: Ranges) -> str:
    return " AND ".join(f"{name} = ANY ('{{{','.join(map(str, ids))}}}')" for name, ids in ranges.items())


# Few keys of a large table are found one by one; without statistics of the keys all of it might be read.
_ONE_BY_ONE = "SELECT set_config(name, 'off', true) FROM unnest(ARRAY['enable_hashjoin', 'enable_mergejoin']) name"
