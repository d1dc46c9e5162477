"""What is said between the service and the process that reads foreign files for it, and how it is read there."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import msgspec
import polars as pl

from chassis.errors import RULES, Fault, HouseError, Refused, TooLarge, Unreadable
from chassis.tabular.findings import Findings
from chassis.tabular.parquet import read_parquet
from chassis.tabular.sheets import read_workbook
from chassis.tabular.table import ROW, Kind, Limits, Table, Titles, table_of

HERE = b""  # asked, and answered, by who wants to know whether the other one is there
_SIZE = struct.Struct(">Q")
_REFUSALS: dict[str, type[HouseError]] = {kind.__name__: kind for kind in (Unreadable, Refused, TooLarge)}


class Job(msgspec.Struct, frozen=True):
    """A file to read: its path, or else its bytes follow."""

    is_parquet: bool
    titles: Titles
    limits: Limits
    sheet: str | None
    path: str | None

    def tables(self, body: bytes) -> Iterator[Table]:
        """Read it, here."""
        source = Path(self.path) if self.path else body
        if self.is_parquet:
            return read_parquet(source, self.titles, limits=self.limits)
        return read_workbook(source, self.titles, limits=self.limits, sheet=self.sheet)


class TableSaid(msgspec.Struct, tag="table", frozen=True):
    """Some rows: the columns that hold anything, and what kind they are of throughout, or cell by cell."""

    received: int
    is_strict: bool
    cells: bytes
    kinds: dict[str, Kind]
    mixed_kinds: bytes
    findings: bytes

    @classmethod
    def of(cls, table: Table) -> TableSaid:
        """What there is to say of a table."""
        cells = table.cells.select(name for name in table.cells.columns if name == ROW or _holds(table.cells[name]))
        kinds = table.kinds.select(name for name in table.kinds.columns if name in cells.columns)
        one = {name: Kind(kinds[name][0]) for name in kinds.columns if kinds[name].n_unique() == 1}
        packed = (_packed(frame) for frame in (kinds.drop(*one), table.findings.frame))
        return cls(table.received, table.is_strict, _packed(cells), one, *packed)

    def table(self, titles: Titles) -> Table:
        """The table."""
        cells, mixed, findings = (pl.read_ipc(BytesIO(part)) for part in (self.cells, self.mixed_kinds, self.findings))
        kinds: dict[str, pl.Series | Kind] = {**self.kinds, **mixed.to_dict()}
        return table_of(
            cells, titles, Findings(findings), received=self.received, is_strict=self.is_strict, kinds=kinds
        )


class FaultSaid(msgspec.Struct, frozen=True):
    """A fault that a refusal names."""

    code: str
    values: dict[str, Any]
    row: int | None
    column: str | None
    value: Any


class RefusalSaid(msgspec.Struct, tag="refusal", frozen=True):
    """The file is refused."""

    kind: str
    code: str
    values: dict[str, Any]
    headers: dict[str, str]
    faults: list[FaultSaid]


class EndSaid(msgspec.Struct, tag="end", frozen=True):
    """All rows have been said."""


Said = TableSaid | RefusalSaid | EndSaid
_said = msgspec.msgpack.Decoder(Said)
_job = msgspec.msgpack.Decoder(Job)


def write_frame(stream: IO[bytes], content: bytes) -> None:
    """One message after its length."""
    stream.write(_SIZE.pack(len(content)))
    stream.write(content)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next message; None when there will be none."""
    size = stream.read(_SIZE.size)
    if len(size) < _SIZE.size:
        return None
    (length,) = _SIZE.unpack(size)
    content = stream.read(length)
    return content if len(content) == length else None


def say_job(stream: IO[bytes], job: Job, body: bytes) -> None:
    """Ask for a file to be read."""
    write_frame(stream, msgspec.msgpack.encode(job))
    write_frame(stream, body)


def hear_job(asked: IO[bytes], answers: IO[bytes]) -> tuple[Job, bytes] | None:
    """The next file to read; None when nobody asks any more."""
    while (job := read_frame(asked)) == HERE:
        write_frame(answers, HERE)
    body = read_frame(asked)
    return None if job is None or body is None else (_job.decode(job), body)


def answer(job: Job, body: bytes) -> Iterator[bytes]:
    """Everything there is to say about a file."""
    try:
        for table in job.tables(body):
            yield msgspec.msgpack.encode(TableSaid.of(table))
    except HouseError as error:
        faults = [FaultSaid(f.rule.code, dict(f.values), f.row, f.column, f.value) for f in error.faults]
        said = RefusalSaid(type(error).__name__, error.rule.code, dict(error.values), error.headers, faults)
        yield msgspec.msgpack.encode(said)
    else:
        yield msgspec.msgpack.encode(EndSaid())


def hear(content: bytes, titles: Titles) -> Table | HouseError | None:
    """What a message says: some rows, a refusal, or that there is no more."""
    said = _said.decode(content)
    if isinstance(said, RefusalSaid):
        faults = [Fault(RULES[f.code], f.values, row=f.row, column=f.column, value=f.value) for f in said.faults]
        return _REFUSALS[said.kind](RULES[said.code], faults=faults, headers=said.headers, **said.values)
    return said.table(titles) if isinstance(said, TableSaid) else None


def _holds(column: pl.Series) -> bool:
    return column.null_count() < len(column)


def _packed(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.write_ipc(buffer, compression="lz4")  # a tenth of the bytes to hand over, in less time than it saves
    return buffer.getvalue()
