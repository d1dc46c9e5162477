"""Changes as events say them: codes, old and new figure, version; written set-wise as the JSON they travel in."""

from __future__ import annotations

from collections.abc import Iterator
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
    told = changes.select("admin_unit", "province", sample=is_sample(), change=_change(changes))
    size = pl.col("change").str.len_bytes() + 1
    # A part ends when the next change might not fit: no change is larger than the room left beside it.
    step = max(room - int(told.select(size.max()).item()), 1)
    placed = told.with_columns(part=(size.cum_sum().over("admin_unit", "sample") - 1) // step)
    texts = placed.group_by("admin_unit", "province", "sample", "part", maintain_order=True).agg(
        pl.col("change").str.join(",").cast(pl.Binary)
    )
    for unit, province, sample, _, text in texts.sort("admin_unit", "sample", "part").iter_rows():
        yield Part(unit, province, sample, text)


def _change(changes: pl.DataFrame) -> pl.Expr:
    """One change as JSON; what is nothing is left out, but for old and new."""
    sub = pl.concat_str(pl.lit(',"sub_population":'), _quoted(changes, "sub_population")).fill_null("")
    return pl.concat_str(
        pl.lit('{"indicator":'), _quoted(changes, "indicator"), *([sub] if _says(changes, "sub_population") else []),
        pl.lit(',"regime":'), _quoted(changes, "regime"),
        pl.lit(',"period":'), _quoted(changes, "period"),
        pl.lit(',"action":"'), pl.col("action"),
        pl.lit('","old":'), *_old(changes),
        pl.lit(',"new":'), *_new(changes),
        pl.lit(',"version":'), pl.col("version"), pl.lit("}"),
    )  # fmt: skip


def _says(changes: pl.DataFrame, name: str) -> bool:
    return changes[name].null_count() < changes.height


def _old(changes: pl.DataFrame) -> list[pl.Expr]:
    if not _says(changes, "old_version"):
        return [pl.lit("null")]
    figure = _figure(changes, "old_", "old_value")
    if not changes["old_version"].null_count() and not changes.select(was_withdrawn().any()).item():
        return figure
    is_none = pl.col("old_version").is_null() | was_withdrawn()
    return [pl.when(is_none).then(pl.lit("null")).otherwise(pl.concat_str(figure))]


def _new(changes: pl.DataFrame) -> list[pl.Expr]:
    figure = _figure(changes, "", "number")
    if not changes["is_withdrawn"].any():
        return figure
    return [pl.when("is_withdrawn").then(pl.lit("null")).otherwise(pl.concat_str(figure))]


def _figure(changes: pl.DataFrame, prefix: str, number: str) -> list[pl.Expr]:
    """A figure as the wire says it: only the columns of its kind."""
    status = pl.col(f"{prefix}data_status").replace_strict(
        {code: status.value for code, status in STATUS_OF.items()}, default=None, return_dtype=pl.String
    )
    return [
        pl.lit("{"),
        *_said(changes, prefix, number),
        *_ratio(changes, prefix),
        pl.lit('"data_status":"'), status,
        pl.lit('","measured_on":"'), pl.col(f"{prefix}measured_on").cast(pl.String), pl.lit('"}'),
    ]  # fmt: skip


def _said(changes: pl.DataFrame, prefix: str, number: str) -> list[pl.Expr]:
    kind = pl.col(f"{prefix}kind")
    ways: dict[int, list[pl.Expr]] = {
        Kind.VALUE: [pl.lit('"value":'), written(pl.col(number)), pl.lit(",")],
        Kind.LEVEL: [pl.lit('"level":'), written(pl.col(number)), pl.lit(",")],
        Kind.RANK: [pl.lit('"rank":'), written(pl.col(number)), pl.lit(",")],
        Kind.TEXT: [pl.lit('"text":'), _quoted(changes, f"{prefix}words"), pl.lit(",")],
        Kind.DONE_ON: [pl.lit('"done_on":"'), pl.col(f"{prefix}done_on").cast(pl.String), pl.lit('",')],
    }
    kinds = changes[f"{prefix}kind"].drop_nulls().unique().to_list()
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


# What JSON writes otherwise than it stands; control signs are refused long before.
_ESCAPED = r'["\\\x00-\x1f\x7f]'


def _quoted(changes: pl.DataFrame, name: str) -> pl.Expr:
    """Texts as JSON."""
    texts = changes[name]
    distinct = texts.unique() if texts.head(1000).n_unique() < 500 else texts
    if not distinct.str.contains(_ESCAPED).any():
        return pl.concat_str(_QUOTE, pl.col(name), _QUOTE)
    told = {text: msgspec.json.encode(text).decode() for text in texts.drop_nulls().unique()}
    return pl.col(name).replace_strict(told, default=None, return_dtype=pl.String)
