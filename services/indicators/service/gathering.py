"""Rows gathered before they are written: in memory as long as they are few, else on disk and by unit."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType

import polars as pl

from chassis.merge import Found
from chassis.outbox import Heads
from chassis.tabular import Body, Table, read

LOT_ROWS = 200_000
MOST_OF_UNIT = 200_000  # rows of one unit are settled together, in memory: as many as one post may have

# What a judged row needs further on; the rest has served.
KEPT = (
    "row", "admin_unit", "admin_unit_id", "province", "indicator", "indicator_id", "value_type", "highest", "regime",
    "period", "period_id", "previous_id", "sub_population", "sub_population_id", "kind", "number", "stated",
    "numerator", "denominator", "words", "done_on", "measured_on", "measured_stated", "data_status", "is_withdrawn",
    "source", "evidence_url", "note", "action", "reason", "base_version",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ahead:
    """The locked heads of the units that rows name, and what is stored for them, if that was read with the locks."""

    heads: Heads
    stored: Found | None


class Lots:
    """The rows of a body in lots of bearable size; a body of up to one lot is one lot."""

    def __init__(self, body: Body, rows: int = LOT_ROWS) -> None:
        self._tables = read(body)
        self._rows = rows
        self._held: Table | None = None
        self.are_all_read = False

    def next(self) -> Table | None:
        """The next lot, None after the last."""
        some = [self._held] if self._held is not None else []
        self._held = None
        count = sum(table.received for table in some)
        for table in self._tables:
            if some and count + table.received > self._rows:
                self._held = table
                break
            some.append(table)
            count += table.received
        else:
            self.are_all_read = True
        return Table.together(some) if some else None

    def close(self) -> None:
        """Read no further, so that the file is free: whoever reads it for us has few turns to give."""
        self._tables.close()  # type: ignore[attr-defined]  # a generator


class Gathered:
    """Judged rows: one lot stays in memory, several go to disk and come back by ranges of units."""

    def __init__(self, bucket_rows: int = LOT_ROWS) -> None:
        self._bucket_rows = bucket_rows
        self._lots: list[pl.DataFrame] = []
        self._files: list[Path] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._units: list[pl.DataFrame] = []
        self.ahead: Ahead | None = None

    def __enter__(self) -> Gathered:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def add(self, judged: pl.DataFrame) -> None:
        """Take a lot of judged rows."""
        self._units.append(judged.group_by("admin_unit", "admin_unit_id").len())
        self._lots.append(judged.select(KEPT))
        if len(self._lots) + len(self._files) > 1:
            self._spill()

    def clear(self) -> None:
        """Forget what was gathered."""
        for path in self._files:
            path.unlink()
        self._lots, self._files, self._units = [], [], []

    def _spill(self) -> None:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="chitieu-rows-")
        for lot in self._lots:
            path = Path(self._folder.name) / f"{len(self._files)}.parquet"
            lot.sort("admin_unit_id").write_parquet(path, compression="lz4", row_group_size=10_000)
            self._files.append(path)
        self._lots = []

    def units(self) -> pl.DataFrame:
        """The units that have rows: code, integer, number of rows (`len`)."""
        if not self._units:
            return pl.DataFrame(schema={"admin_unit": pl.String, "admin_unit_id": pl.Int32, "len": pl.UInt32})
        several = pl.concat(self._units)
        return several.group_by("admin_unit", "admin_unit_id").agg(pl.col("len").sum()).sort("admin_unit_id")

    def buckets(self) -> Iterator[Callable[[], pl.DataFrame]]:
        """All rows of some units at a time, each to be fetched when its turn has come."""
        if self._lots:
            yield self._lots.pop
            return
        units = self.units().with_columns(bucket=(pl.col("len").cum_sum() - 1) // self._bucket_rows)
        spans = units.group_by("bucket", maintain_order=True).agg(
            first=pl.col("admin_unit_id").min(), last=pl.col("admin_unit_id").max()
        )
        for _, first, last in spans.iter_rows():
            yield partial(self._fetch, first, last)

    def _fetch(self, first: int, last: int) -> pl.DataFrame:
        rows = pl.scan_parquet(self._files).filter(pl.col("admin_unit_id").is_between(first, last))
        return rows.collect()
