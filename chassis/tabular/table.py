"""Rows as they were sent: every cell a text, its kind beside it, its row numbered as the sender sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import polars as pl

from chassis.errors import BODY_INVALID, FIELD_UNKNOWN, Fault, Refused
from chassis.tabular.findings import Findings
from chassis.tabular.rules import COLUMN_TWICE
from chassis.text import fold, suggest

ROW = "row"


class Kind(IntEnum):
    """What the form says a cell is, beside its text."""

    TEXT = 0
    NUMBER = 1  # exact, in the writing of JSON; from a sheet it may end in %
    FLAG = 2  # true or false
    DAY = 3  # written 2026-06-14


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read before a body is refused as too large."""

    unpacked_bytes: int = 512 * 1024 * 1024
    rows: int = 200_000
    columns: int = 200


@dataclass(frozen=True, slots=True)
class Titles:
    """The columns a body may have, and the published titles (folded) under which files name them.

    A title that stands for None is known and left out (STT, the ordinal number). In `spanning` columns a merged
    cell of a sheet holds for every row it spans; elsewhere it is refused.
    """

    columns: tuple[str, ...]
    aliases: Mapping[str, str | None] = field(default_factory=dict)
    spanning: frozenset[str] = frozenset()

    def known(self) -> dict[str, str | None]:
        """Every folded title with its column; a column's own name always stands for it."""
        return {**self.aliases, **{folded(name): name for name in self.columns}}


def folded(title: str) -> str:
    """A title as it is compared: without accents, case, the marks * and :, and needless space.

    Words in brackets stay: "Kinh phí (triệu đồng)" is not "Kinh phí".
    """
    return fold(title.replace("*", " ").replace(":", " "))


@dataclass(frozen=True, slots=True)
class Header:
    """Which position of a grid is which column; `untitled` positions have no title and must stay empty."""

    places: Mapping[int, str]
    untitled: tuple[int, ...]


def header_of(titles: Sequence[str], known: Titles) -> Header:
    """Read a line of titles.

    Raises:
        Refused: titles nobody knows ("field_unknown", with a suggestion), or two for one column ("column_twice").
    """
    aliases = known.known()
    places: dict[int, str] = {}
    written: dict[str, str] = {}
    faults: list[Fault] = []
    for place, title in enumerate(titles):
        column = aliases.get(folded(title), "") if title.strip() else None
        if column == "":
            faults.append(Fault(FIELD_UNKNOWN, unknown_field(title.strip(), known), column=title.strip()[:200]))
        elif column in written:
            values = {"column": column, "first": written[column], "value": title}
            faults.append(Fault(COLUMN_TWICE, values, column=column, value=title))
        elif column:
            places[place], written[column] = column, title
    if faults:
        raise Refused(BODY_INVALID, faults=faults)
    return Header(places, tuple(place for place, title in enumerate(titles) if not title.strip()))


def unknown_field(name: str, known: Titles) -> dict[str, str]:
    """What fills the sentence about an unknown field or title, with the nearest known column as a suggestion."""
    aliases = known.known()
    near = suggest(folded(name), aliases)
    meant = aliases[near] if near else None
    return {
        "field": name[:200],
        "suggestion_vi": f" Có phải là {meant}?" if meant else "",
        "suggestion_en": f" Did you mean {meant}?" if meant else "",
    }


@dataclass(frozen=True, slots=True)
class Table:
    """Rows read: `cells` (row and every column as text, null when empty), `kinds` (of the same cells), and faults.

    `is_strict` says that the form tells texts from numbers (JSON, Parquet); in files a text may stand for a number.
    `received` also counts rows that could not be read at all, which have a finding and no cells.
    """

    cells: pl.DataFrame
    kinds: pl.DataFrame
    findings: Findings
    received: int
    is_strict: bool

    @classmethod
    def together(cls, tables: Iterable[Table]) -> Table:
        """Several tables of one body as one, every column in one piece, so that nobody need copy it again."""
        several = list(tables)
        if len(several) == 1:
            return several[0]
        return cls(
            _cells_together([table.cells for table in several]),
            _kinds_together([table.kinds for table in several]),
            Findings.together(table.findings for table in several),
            sum(table.received for table in several),
            several[0].is_strict,
        )


def _cells_together(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    whole = pl.concat(frames)
    nothing = _nothing(whole.height)
    empty = {name for name, count in whole.null_count().row(0, named=True).items() if count == whole.height}
    return pl.DataFrame(
        [nothing.alias(name) if name in empty - {ROW} else whole[name].rechunk() for name in whole.columns]
    )


def _kinds_together(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    whole = pl.concat(frames)
    alike = _alike(whole.height)
    least, most = whole.min().row(0), whole.max().row(0)
    return pl.DataFrame(
        [
            whole[name].rechunk() if first is None or first != last else alike[Kind(first)].alias(name)
            for name, first, last in zip(whole.columns, least, most, strict=True)
        ]
    )


def _nothing(count: int) -> pl.Series:
    """Empty cells: one column that all share which were not sent."""
    return pl.Series([None], dtype=pl.String).new_from_index(0, count)


def _alike(count: int) -> dict[Kind, pl.Series]:
    """For every kind a column of it throughout, which all columns of cells of that kind share."""
    return {kind: pl.Series([int(kind)], dtype=pl.UInt8).new_from_index(0, count) for kind in Kind}


def table_of(
    cells: pl.DataFrame,
    titles: Titles,
    findings: Findings,
    *,
    received: int | None = None,
    is_strict: bool,
    kinds: Mapping[str, pl.Series | Kind] | None = None,
) -> Table:
    """A table of every known column in its order: what was not sent is empty, what has no kind is text."""
    count = cells.height
    given = kinds or {}
    nothing, alike = _nothing(count), _alike(count)
    sent = {column.name: column for column in cells}
    others = (sent[name] if name in sent else nothing.alias(name) for name in titles.columns)
    full = pl.DataFrame([sent[ROW].cast(pl.UInt32), *others])
    beside: list[pl.Series] = []
    for name in titles.columns:
        kind = given.get(name, Kind.TEXT)
        column = alike[kind] if isinstance(kind, Kind) else kind.cast(pl.UInt8)
        beside.append(column.alias(name))
    assert all(len(column) == count for column in beside)
    return Table(full, pl.DataFrame(beside), findings, count if received is None else received, is_strict)


def in_row_order(table: Table) -> Table:
    """The same table, its rows as they were sent."""
    order = table.cells[ROW].arg_sort()
    return Table(table.cells[order], table.kinds[order], table.findings, table.received, table.is_strict)
