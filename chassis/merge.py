"""Many rows against a table of kept ones under integer keys: looked up, superseded and written set-wise.

What is superseded moves to a second table in the same transaction. The caller holds the heads of the aggregates the
rows belong to, so nobody else writes these keys meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import polars as pl
from sqlalchemy import text

from chassis import bulk
from chassis.database import Session

Outcome = TypeVar("Outcome")

# Reading the ranges that keys span is quicker than asking for each key, unless they hold many more than are asked for.
RANGE_FACTOR = 4
_FEW = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """Kept rows, at least those of the keys asked for; `spanned`: how many their ranges hold, if those were read."""

    frame: pl.DataFrame
    spanned: int | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A table of rows in force and the one of their revisions.

    `key` are integer columns, the aggregate's first; the first `ranged` of them span the ranges that are read at once.
    `columns` are all columns of the table; the revisions have `superseded_at` beside them.
    """

    table: str
    revisions: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
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
        renamed = {**{name: name for name in wanted}, **(named or {})}
        columns = ", ".join(f"{self.table}.{column} AS {name}" for name, column in renamed.items())
        if self._is_grid(rows):
            query = f"SELECT {columns} FROM {self.table} WHERE {where} AND {self._ranges(rows)}"
            frame = await bulk.copy_out(db, query, wanted)
            return Found(frame, frame.height if where == "true" else None)
        await self._stage(db, rows.unique(self.key))
        query = f"SELECT {columns} FROM {self._staged} JOIN {self.table} USING ({', '.join(self.key)}) WHERE {where}"
        return Found(await bulk.copy_out(db, query, wanted), None)

    async def supersede(self, db: Session, rows: pl.DataFrame, at: datetime, *, spanned: int | None = None) -> None:
        """Move what is kept under the keys of rows to the revisions; `spanned` as found for these keys and more."""
        if spanned == rows.height:  # everything in the ranges goes
            which = f"DELETE FROM {self.table} a WHERE {self._ranges(rows)}"
        else:
            await self._stage(db, rows)
            same = " AND ".join(f"a.{name} = k.{name}" for name in self.key)
            which = f"DELETE FROM {self.table} a USING {self._staged} k WHERE {same}"
        names = ", ".join(self.columns)
        await db.execute(text(_ROOM))
        await db.execute(
            text(
                f"WITH gone AS ({which} RETURNING a.*) INSERT INTO {self.revisions} ({names}, superseded_at)"
                f" SELECT {names}, :at FROM gone"
            ),
            {"at": at},
        )

    async def write(self, db: Session, rows: pl.DataFrame, meanwhile: Callable[[], Outcome]) -> Outcome:
        """Write rows under keys that hold none, best in the order of the keys; answers what is made `meanwhile`."""
        return await bulk.copy_in_while(db, self.table, rows.select(self.columns), meanwhile)

    @property
    def _staged(self) -> str:
        return f"{self.table}_key"

    async def _stage(self, db: Session, rows: pl.DataFrame) -> None:
        """Put keys beside the table, for this transaction only; whatever was staged before goes."""
        columns = ", ".join(f"{name} integer" for name in self.key)
        await db.execute(text(f"CREATE TEMP TABLE IF NOT EXISTS {self._staged} ({columns}) ON COMMIT DELETE ROWS"))
        await db.execute(text(f"TRUNCATE {self._staged}"))
        await db.execute(text(_ONE_BY_ONE))
        await bulk.copy_in(db, self._staged, rows.select(self.key))

    def _is_grid(self, rows: pl.DataFrame) -> bool:
        """Whether the keys fill most of the ranges they span, as those of a report do."""
        spanned = 1
        for count in rows.select(pl.col(name).n_unique() for name in self.key[: self.ranged]).row(0):
            spanned *= count
        return spanned <= RANGE_FACTOR * max(rows.height, _FEW)

    def _ranges(self, rows: pl.DataFrame) -> str:
        lists = {name: rows[name].unique().sort().to_list() for name in self.key[: self.ranged]}
        return " AND ".join(f"{name} = ANY ('{{{','.join(map(str, ids))}}}')" for name, ids in lists.items())


# Few keys of a large table are found one by one; without statistics of the keys all of it might be read.
_ONE_BY_ONE = "SELECT set_config(name, 'off', true) FROM unnest(ARRAY['enable_hashjoin', 'enable_mergejoin']) name"
# What is deleted waits in memory until it is kept; a file would be written and read again for nothing.
_ROOM = "SELECT set_config('work_mem', '64MB', true)"
