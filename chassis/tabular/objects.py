"""Rows that are JSON objects, read set-wise: rows of one shape by one expression, odd rows one by one.

Machines write every row alike, so the shape of a sound row (its keys in order, text or number) becomes a pattern of
JSON's own grammar that takes all rows like it apart at once: numbers keep their every digit, no key passes unread,
and no object per row is made. What no pattern fits is read singly, so every fault has its row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import msgspec
import polars as pl

from chassis.errors import FIELD_UNKNOWN, Fault
from chassis.tabular.findings import Findings
from chassis.tabular.rules import CELL_NESTED, FIELD_TWICE, ROW_NOT_UTF8, ROW_UNREADABLE, TEXT_NOT_UNICODE
from chassis.tabular.table import ROW, Kind, Table, Titles, in_row_order, table_of, unknown_field

TEXT = "text"
MOST_ADVISED = 50
NO_TITLES = Titles(())
MOST_SHAPES = 24
HEAD_ROWS = 40  # so many odd rows in a row end the search for a further shape
SAMPLE_ROWS = 100  # rows of a piece that are looked at for what the cells hold that are empty in the first
KEYS_AT_ONCE = 15  # the pattern engine keeps its fast path for 16 groups; wider rows are gone through again
CELL_STATES, MOST_STATES = 30, 2200  # of a pattern, roughly; beyond, the engine is slower than reading singly
WORTHWHILE_ROWS = 200  # a shape of fewer rows is not sought again: reading them singly is as fast

_SPACE = r"[ \t\r\n]*"
_STRING = r'"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)"'
_NUMBER = r"(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
_CELLS = {Kind.TEXT: _STRING, Kind.NUMBER: _NUMBER, Kind.FLAG: "(true|false)"}
_UNTAKEN = {kind: re.sub(r"\((?!\?)", "(?:", cell) for kind, cell in _CELLS.items()}
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s{}:,"]+')
_COMMON_SIGNS = frozenset(("{", ":", ": ", ",", ", ", "}", "}\r"))
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.:-]+", re.ASCII)


class _Number(str):
    """A number in its own digits."""

    __slots__ = ()


class _OddError(ValueError):
    """Something JSON does not have."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """The keys of a row in their order, what each holds, and patterns of the signs before, between and after them."""

    keys: tuple[tuple[str, Kind], ...]
    signs: tuple[str, ...]

    @property
    def is_bearable(self) -> bool:
        """Whether the pattern engine takes such rows apart faster than they are read singly."""
        return sum(len(key) + CELL_STATES for key, _ in self.keys) <= MOST_STATES

    def apart(self, texts: pl.Series) -> list[pl.Series]:
        """The cells of rows of this shape, by the places of the keys; the last one tells which rows fit wholly."""
        found: list[pl.Series] = []
        for start in range(0, len(self.keys), KEYS_AT_ONCE):
            groups = texts.str.extract_groups(self._pattern(start)).struct.unnest().get_columns()
            found = [*found[: len(found) and -1], *groups]
        return found

    def _pattern(self, start: int) -> str:
        """A pattern of the whole row, sound JSON only, that gives some of its cells and its last sign."""
        wanted = range(start, start + KEYS_AT_ONCE)
        parts = []
        for place, (key, kind) in enumerate(self.keys):
            cell = _CELLS[kind] if place in wanted else _UNTAKEN[kind]
            before, colon = self.signs[2 * place : 2 * place + 2]
            parts.append(f'{before}"{re.escape(key)}"{colon}(?:{cell}|null)')
        return f"^{''.join(parts)}({self.signs[-1]})$"


def _signs_of(text: str) -> tuple[str, ...]:
    """Patterns of the signs around the keys and cells of a row; where its spacing is of its own kind, any will do."""
    signs = _TOKEN.split(text)
    if _COMMON_SIGNS.issuperset(signs):
        return tuple(map(re.escape, signs))
    return tuple(f"{_SPACE}{re.escape(sign.strip())}{_SPACE}" for sign in signs)


@dataclass(slots=True)
class _Single:
    """Rows read one by one."""

    titles: Titles
    rows: list[int] = field(default_factory=list)
    cells: list[dict[str, str]] = field(default_factory=list)
    kinds: list[dict[str, int]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unknown: dict[str, dict[str, str]] = field(default_factory=dict)

    def read(self, row: int, text: str) -> None:
        try:
            pairs = _pairs(text)
        except (ValueError, RecursionError) as error:
            self.faults.append(_unreadable(row, error))
            return
        if pairs is None:
            reason = {"reason": "not an object", "reason_vi": "không phải một đối tượng JSON"}
            self.faults.append(Fault(ROW_UNREADABLE, reason, row=row, value=text[:200]))
            return
        self._keep(row, pairs)

    def _keep(self, row: int, pairs: Sequence[tuple[str, Any]]) -> None:
        cells: dict[str, str] = {}
        kinds: dict[str, int] = {}
        seen: set[str] = set()
        for key, value in pairs:
            fault = self._fault(row, key, value, seen)
            seen.add(key)
            if fault:
                self.faults.append(fault)
            elif value is not None:
                cells[key], kinds[key] = _cell(value)
        self.rows.append(row)
        self.cells.append(cells)
        self.kinds.append(kinds)

    def _fault(self, row: int, key: str, value: Any, seen: set[str]) -> Fault | None:
        if not _is_unicode(key) or key not in self.titles.columns:
            return self._unknown(row, key.encode(errors="replace").decode())
        if key in seen:
            return Fault(FIELD_TWICE, {"field": key}, row=row, column=key)
        if isinstance(value, list | dict):
            return Fault(CELL_NESTED, {"column": key}, row=row, column=key)
        if isinstance(value, str) and not _is_unicode(value):
            shown = value.encode(errors="replace").decode()
            return Fault(TEXT_NOT_UNICODE, {"column": key}, row=row, column=key, value=shown)
        return None

    def _unknown(self, row: int, name: str) -> Fault:
        if name not in self.unknown:
            # Seeking a suggestion is slow: once for a name, and for the first of very many names.
            known = self.titles if len(self.unknown) < MOST_ADVISED else NO_TITLES
            self.unknown[name] = unknown_field(name, known)
        return Fault(FIELD_UNKNOWN, self.unknown[name], row=row, column=name[:200])

    def table(self, received: int) -> Table:
        names = self.titles.columns
        cells = pl.DataFrame(
            [
                pl.Series(ROW, self.rows, pl.UInt32),
                *(pl.Series(name, [row.get(name) for row in self.cells], pl.String) for name in names),
            ]
        )
        kinds = {name: pl.Series(name, [row.get(name, 0) for row in self.kinds], pl.UInt8) for name in names}
        findings = Findings.of(self.faults)
        return table_of(cells, self.titles, findings, received=received, is_strict=True, kinds=kinds)


class ObjectReader:
    """Reads rows piece by piece; what it learns of the rows of one piece serves for the next."""

    def __init__(self, titles: Titles) -> None:
        self._titles = titles
        self._kinds: dict[tuple[str, ...], dict[str, Kind]] = {}

    def read(self, texts: pl.DataFrame) -> Table:
        """Rows from their JSON texts; `texts` has the columns row and text (null where the text is not UTF-8)."""
        broken, pending = texts.clear(), texts
        if texts[TEXT].null_count():
            broken, pending = texts.filter(pl.col(TEXT).is_null()), texts.filter(pl.col(TEXT).is_not_null())
        tables: list[Table] = []
        odd: list[pl.DataFrame] = []
        for _ in range(MOST_SHAPES):
            shape, skipped = self._next_shape(pending[TEXT])
            odd.append(pending.head(skipped))
            pending = pending.slice(skipped)
            if shape is None:
                break
            fitting, pending = _read_shape(pending, shape, self._titles)
            tables.append(fitting)
            if pending.height < WORTHWHILE_ROWS or fitting.received < WORTHWHILE_ROWS:
                break
        singly = pl.concat([*odd, pending])
        if not tables or singly.height or broken.height:
            tables.append(_read_single(singly, broken, self._titles))
        return tables[0] if len(tables) == 1 else in_row_order(Table.together(tables))

    def _next_shape(self, texts: pl.Series) -> tuple[_Shape | None, int]:
        """The shape of the first sound row, and how many odd ones stand before it."""
        for skipped, text in enumerate(texts.head(HEAD_ROWS)):
            pairs = _sound_pairs(text, self._titles)
            if pairs:
                shape = _Shape(self._kinds_of(pairs, texts), _signs_of(text))
                return (shape, skipped) if shape.is_bearable else (None, 0)
        return None, 0

    def _kinds_of(self, pairs: Sequence[tuple[str, Any]], texts: pl.Series) -> tuple[tuple[str, Kind], ...]:
        """What each key of a row holds; where this one holds nothing, what others hold or else, at a guess, text.

        Rows where it is something else make a shape of their own.
        """
        names = tuple(key for key, _ in pairs)
        kinds = self._kinds.setdefault(names, {})
        kinds |= _kinds(pairs)
        if len(kinds) < len(names):
            for text in texts.gather_every(texts.len() // SAMPLE_ROWS + 1):
                others = _sound_pairs(text, self._titles) or ()
                if tuple(key for key, _ in others) == names:
                    kinds |= {key: kind for key, kind in _kinds(others).items() if key not in kinds}
        return tuple((key, kinds.setdefault(key, Kind.TEXT)) for key in names)


def _sound_pairs(text: str, titles: Titles) -> list[tuple[str, Any]] | None:
    """The pairs of a row that has no fault but in what its cells say; None for any other."""
    try:
        pairs = _pairs(text) or []
    except (ValueError, RecursionError):
        return None
    names = [key for key, _ in pairs]
    if not names or len(set(names)) < len(names) or not set(names) <= set(titles.columns):
        return None
    if not all(_PLAIN_KEY.fullmatch(name) for name in names) or any(isinstance(v, list | dict) for _, v in pairs):
        return None
    return pairs


def _kinds(pairs: Sequence[tuple[str, Any]]) -> dict[str, Kind]:
    return {key: Kind(_cell(value)[1]) for key, value in pairs if value is not None}


def _read_shape(pending: pl.DataFrame, shape: _Shape, titles: Titles) -> tuple[Table, pl.DataFrame]:
    *apart, last = shape.apart(pending[TEXT])
    fits = last.is_not_null()
    rows, rest = pending[ROW], pending.clear()
    if not fits.all():
        rows, rest, apart = rows.filter(fits), pending.filter(~fits), [column.filter(fits) for column in apart]
    faults: list[Fault] = []
    columns = [rows]
    has_escapes = pending[TEXT].str.contains("\\", literal=True).any()
    for (key, kind), cells in zip(shape.keys, apart, strict=True):
        column = cells.alias(key)
        columns.append(_unescaped(column, rows, faults) if has_escapes and kind is Kind.TEXT else column)
    kinds: dict[str, pl.Series | Kind] = dict(shape.keys)
    return table_of(pl.DataFrame(columns), titles, Findings.of(faults), is_strict=True, kinds=kinds), rest


def _unescaped(column: pl.Series, rows: pl.Series, faults: list[Fault]) -> pl.Series:
    """The texts a column's escapes stand for; half characters become faults."""
    escaped = column.str.contains("\\", literal=True).fill_null(value=False)
    if not escaped.any():
        return column
    places = escaped.arg_true()
    texts = column.gather(places).to_list()
    try:
        meant: list[str | None] = msgspec.json.decode('["' + '","'.join(texts) + '"]', type=list[str | None])
    except msgspec.DecodeError:
        meant = [_decoded(text) for text in texts]
        for row, one in zip(rows.gather(places), meant, strict=True):
            if one is None:
                faults.append(Fault(TEXT_NOT_UNICODE, {"column": column.name}, row=row, column=column.name))
    return column.scatter(places, pl.Series(meant, dtype=pl.String))


def _decoded(text: str) -> str | None:
    try:
        return msgspec.json.decode(f'"{text}"', type=str)
    except msgspec.DecodeError:
        return None


def _read_single(odd: pl.DataFrame, broken: pl.DataFrame, titles: Titles) -> Table:
    single = _Single(titles)
    for row, text in odd.select(ROW, TEXT).iter_rows():
        single.read(row, text)
    single.faults.extend(Fault(ROW_NOT_UTF8, row=row) for row in broken[ROW])
    return single.table(odd.height + broken.height)


def _pairs(text: str) -> list[tuple[str, Any]] | None:
    """The pairs of an object in their order, repeated keys and all; None for anything but an object."""
    value = _read_json(text)
    return value.pairs if isinstance(value, _Object) else None


class _Object(dict[str, Any]):
    """An object that still knows its pairs."""

    pairs: list[tuple[str, Any]]


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    made = _Object()
    made.pairs = pairs
    return made


def _no_constant(name: str) -> NoReturn:
    raise _OddError(f"JSON has no {name}")


_read_json: Callable[[str], Any] = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_Number, parse_int=_Number, parse_constant=_no_constant
).decode


def _cell(value: Any) -> tuple[str, int]:
    if isinstance(value, bool):
        return str(value).lower(), Kind.FLAG
    return str(value), Kind.NUMBER if isinstance(value, _Number) else Kind.TEXT


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text) if not text.isascii() else True


def _unreadable(row: int, error: Exception) -> Fault:
    if isinstance(error, RecursionError):
        return Fault(ROW_UNREADABLE, {"reason": "nested too deep", "reason_vi": "lồng quá sâu"}, row=row)
    if isinstance(error, json.JSONDecodeError):
        place = {"reason": f"{error.msg} at character {error.pos + 1}", "reason_vi": f"sai từ ký tự {error.pos + 1}"}
        return Fault(ROW_UNREADABLE, place, row=row)
    return Fault(ROW_UNREADABLE, {"reason": str(error), "reason_vi": str(error)}, row=row)


def faults_as_table(faults: Iterable[Fault], titles: Titles) -> Table:
    """Rows that could not be read at all, each with its fault."""
    found = list(faults)
    nothing = pl.DataFrame(schema={ROW: pl.UInt32})
    return table_of(nothing, titles, Findings.of(found), received=len(found), is_strict=True)
