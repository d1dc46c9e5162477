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
    changes: str


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
    # A part ends when the next change would not fit: no change is larger than the room left beside it.
    longest = int(told.select(size.max()).item())
    step = max(room - longest, 1)
    placed = told.with_columns(part=(size.cum_sum().over("admin_unit", "sample") - 1) // step)
    texts = placed.group_by("admin_unit", "province", "sample", "part", maintain_order=True).agg(
        pl.col("change").str.join(",")
    )
    for unit, province, sample, _, text in texts.sort("admin_unit", "sample", "part").iter_rows():
        yield Part(unit, province, sample, text)


def _change(changes: pl.DataFrame) -> pl.Expr:
    """One change as JSON; what is nothing is left out, but for old and new."""
    sub = _field("sub_population", _quoted(changes, "sub_population"))
    return pl.concat_str(
        pl.lit('{"indicator":'), _quoted(changes, "indicator"), sub,
        pl.lit(',"regime":'), _quoted(changes, "regime"),
        pl.lit(',"period":'), _quoted(changes, "period"),
        pl.lit(',"action":"'), pl.col("action"),
        pl.lit('","old":'), _old(changes),
        pl.lit(',"new":'), _new(changes),
        pl.lit(',"version":'), pl.col("version"), pl.lit("}"),
    )  # fmt: skip


def _old(changes: pl.DataFrame) -> pl.Expr:
    if changes["old_version"].null_count() == changes.height:
        return pl.lit("null")
    is_none = pl.col("old_version").is_null() | was_withdrawn()
    return pl.when(is_none).then(pl.lit("null")).otherwise(_figure(changes, "old_", "old_value"))


def _new(changes: pl.DataFrame) -> pl.Expr:
    figure = _figure(changes, "", "number")
    if not changes["is_withdrawn"].any():
        return figure
    return pl.when("is_withdrawn").then(pl.lit("null")).otherwise(figure)


def _figure(changes: pl.DataFrame, prefix: str, number: str) -> pl.Expr:
    """A figure as the wire says it: only the columns of its kind."""
    kind = pl.col(f"{prefix}kind")
    status = pl.col(f"{prefix}data_status").replace_strict(
        {code: f'"{status}"' for code, status in STATUS_OF.items()}, default=None, return_dtype=pl.String
    )
    digits = written(pl.col(number))
    said = (
        pl.when(kind == Kind.LEVEL).then(pl.concat_str(pl.lit('"level":'), digits, pl.lit(",")))
        .when(kind == Kind.RANK).then(pl.concat_str(pl.lit('"rank":'), digits, pl.lit(",")))
        .when(kind == Kind.VALUE).then(pl.concat_str(pl.lit('"value":'), digits, pl.lit(",")))
        .when(kind == Kind.TEXT).then(pl.concat_str(pl.lit('"text":'), _quoted(changes, f"{prefix}words"), pl.lit(",")))
        .otherwise(pl.concat_str(pl.lit('"done_on":'), _day(f"{prefix}done_on"), pl.lit(",")))
    )  # fmt: skip
    return pl.concat_str(
        pl.lit("{"), said,
        *_ratio(changes, prefix),
        pl.lit('"data_status":'), status,
        pl.lit(',"measured_on":'), _day(f"{prefix}measured_on"), pl.lit("}"),
    )  # fmt: skip


def _ratio(changes: pl.DataFrame, prefix: str) -> list[pl.Expr]:
    if changes[f"{prefix}numerator"].null_count() == changes.height:
        return []
    return [
        pl.concat_str(pl.lit(f'"{name}":'), written(pl.col(f"{prefix}{name}")), pl.lit(",")).fill_null("")
        for name in ("numerator", "denominator")
    ]


def _field(name: str, value: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit(f',"{name}":'), value).fill_null("")


def _day(name: str) -> pl.Expr:
    return pl.concat_str(_QUOTE, pl.col(name).cast(pl.String), _QUOTE)


def _quoted(changes: pl.DataFrame, name: str) -> pl.Expr:
    """Texts as JSON; codes repeat, so each is written once."""
    texts = changes[name].drop_nulls().unique().to_list()
    if not texts:
        return pl.lit(None, pl.String)
    return pl.col(name).replace_strict({text: msgspec.json.encode(text).decode() for text in texts}, default=None)
