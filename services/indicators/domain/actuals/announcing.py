"""Changes as events say them: codes, old and new figure, version; written set-wise as the JSON they travel in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import polars as pl

from services.indicators.domain.actuals.columns import SAMPLE, STATUS_OF, Kind
from services.indicators.domain.actuals.judging import written
from services.indicators.domain.actuals.settling import was_withdrawn

_QUOTE = pl.lit('"')


@dataclass(frozen=True, slots=True)
class Part:
    """Changes of one unit that go into one event: the JSON texts of their objects, comma between them."""

    admin_unit: str
    province: str
    is_sample: bool
    changes: bytes


def is_sample() -> pl.Expr:
    """Whether a change is of a sample alone: one that a real figure replaces says something about the real one."""
    old = pl.col("old_version").is_null() | was_withdrawn() | (pl.col("old_source") == SAMPLE)
    return (old & (pl.col("is_withdrawn") | (pl.col("source") == SAMPLE))).fill_null(value=False)


def parts(changes: pl.DataFrame, room: int) -> Iterator[Part]:
    """The changes of each unit in parts of at most `room` bytes, samples apart from what is restricted."""
    if changes.is_empty():
        return
    change = _change(changes, _Facts.of(changes))
    told = changes.select("admin_unit", "province", sample=is_sample(), change=change)
    size = pl.col("change").str.len_bytes().cast(pl.Int64) + 1
    # A part ends when the next change might not fit: no change is larger than the room left beside it.
    step = (room - size.max()).clip(lower_bound=1)
    placed = told.with_columns(part=(size.cum_sum().over("admin_unit", "sample") - 1) // step)
    texts = placed.group_by("admin_unit", "province", "sample", "part", maintain_order=True).agg(
        pl.col("change").str.join(",").cast(pl.Binary)
    )
    for unit, province, sample, _, text in texts.sort("admin_unit", "sample", "part").iter_rows():
        yield Part(unit, province, sample, text)


# What JSON writes otherwise than it stands; control signs are refused long before.
_ESCAPED = r'["\\\x00-\x1f\x7f]'
_CODES = ("indicator", "sub_population", "regime", "period")
_TEXTS = ("words", "old_words")


@dataclass(frozen=True, slots=True)
class _Facts:
    """What all changes have in common, found in one pass: most kinds of figure need not be written then."""

    escaped: frozenset[str]
    has_withdrawn: bool
    had_withdrawn: bool
    kinds: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, changes: pl.DataFrame) -> _Facts:
        """The facts of some changes."""
        texts = {**{name: pl.col(name).unique() for name in _CODES}, **{name: pl.col(name) for name in _TEXTS}}
        found = changes.select(
            *(text.str.contains(_ESCAPED).any().alias(name) for name, text in texts.items()),
            has_withdrawn=pl.col("is_withdrawn").any(),
            had_withdrawn=was_withdrawn().any(),
            new_kinds=pl.col("kind").drop_nulls().unique().implode(),
            old_kinds=pl.col("old_kind").drop_nulls().unique().implode(),
        ).row(0, named=True)
        return cls(
            frozenset(name for name in texts if found[name]),
            found["has_withdrawn"],
            found["had_withdrawn"],
            {"": found["new_kinds"], "old_": found["old_kinds"]},
        )


def _change(changes: pl.DataFrame, facts: _Facts) -> pl.Expr:
    """One change as JSON; what is nothing is left out, but for old and new."""
    code = {name: _quoted(changes, name, facts) for name in _CODES}
    sub = pl.concat_str(pl.lit(',"sub_population":'), code["sub_population"]).fill_null("")
    return pl.concat_str(
        pl.lit('{"indicator":'), code["indicator"], *([sub] if _says(changes, "sub_population") else []),
        pl.lit(',"regime":'), code["regime"],
        pl.lit(',"period":'), code["period"],
        pl.lit(',"action":"'), pl.col("action"),
        pl.lit('","old":'), *_old(changes, facts),
        pl.lit(',"new":'), *_new(changes, facts),
        pl.lit(',"version":'), pl.col("version"), pl.lit("}"),
    )  # fmt: skip


def _says(changes: pl.DataFrame, name: str) -> bool:
    return changes[name].null_count() < changes.height


def _old(changes: pl.DataFrame, facts: _Facts) -> list[pl.Expr]:
    if not _says(changes, "old_version"):
        return [pl.lit("null")]
    figure = _figure(changes, "old_", "old_value", facts)
    if not changes["old_version"].null_count() and not facts.had_withdrawn:
        return figure
    is_none = pl.col("old_version").is_null() | was_withdrawn()
    return [pl.when(is_none).then(pl.lit("null")).otherwise(pl.concat_str(figure))]


def _new(changes: pl.DataFrame, facts: _Facts) -> list[pl.Expr]:
    figure = _figure(changes, "", "number", facts)
    if not facts.has_withdrawn:
        return figure
    return [pl.when("is_withdrawn").then(pl.lit("null")).otherwise(pl.concat_str(figure))]


def _figure(changes: pl.DataFrame, prefix: str, number: str, facts: _Facts) -> list[pl.Expr]:
    """A figure as the wire says it: only the columns of its kind."""
    status = pl.col(f"{prefix}data_status").replace_strict(
        {code: status.value for code, status in STATUS_OF.items()}, default=None, return_dtype=pl.String
    )
    return [
        pl.lit("{"),
        *_said(changes, prefix, number, facts),
        *_ratio(changes, prefix),
        pl.lit('"data_status":"'), status,
        pl.lit('","measured_on":"'), pl.col(f"{prefix}measured_on").cast(pl.String), pl.lit('"}'),
    ]  # fmt: skip


def _said(changes: pl.DataFrame, prefix: str, number: str, facts: _Facts) -> list[pl.Expr]:
    kind = pl.col(f"{prefix}kind")
    ways: dict[int, list[pl.Expr]] = {
        Kind.VALUE: [pl.lit('"value":'), written(pl.col(number)), pl.lit(",")],
        Kind.LEVEL: [pl.lit('"level":'), written(pl.col(number)), pl.lit(",")],
        Kind.RANK: [pl.lit('"rank":'), written(pl.col(number)), pl.lit(",")],
        Kind.TEXT: [pl.lit('"text":'), _quoted(changes, f"{prefix}words", facts), pl.lit(",")],
        Kind.DONE_ON: [pl.lit('"done_on":"'), pl.col(f"{prefix}done_on").cast(pl.String), pl.lit('",')],
    }
    kinds = facts.kinds[prefix]
    if len(kinds) == 1:
        return ways[kinds[0]]
    chosen = pl.lit(None, pl.String)
    for one in kinds:
        chosen = pl.when(kind == one).then(pl.concat_str(ways[one])).otherwise(chosen)
    return [chosen]


def _ratio(changes: pl.DataFrame, prefix: str) -> list[pl.Expr]:
    if not _says(changes, f"{prefix}numerator"):
        return []
    parts = [
        *(pl.lit('"numerator":'), written(pl.col(f"{prefix}numerator"))),
        *(pl.lit(',"denominator":'), written(pl.col(f"{prefix}denominator")), pl.lit(",")),
    ]
    return [pl.concat_str(parts).fill_null("")]


def _quoted(changes: pl.DataFrame, name: str, facts: _Facts) -> pl.Expr:
    """Texts as JSON."""
    if name not in facts.escaped:
        return pl.concat_str(_QUOTE, pl.col(name), _QUOTE)
    told = {text: msgspec.json.encode(text).decode() for text in changes[name].drop_nulls().unique()}
    return pl.col(name).replace_strict(told, default=None, return_dtype=pl.String)
