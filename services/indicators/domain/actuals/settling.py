"""Judged rows against each other and against the stored figures of their keys: new, changed, unchanged or stale."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import prod

import polars as pl

from chassis.tabular import Check, Findings, judge
from services.indicators.domain import rules

KEY = ("admin_unit_id", "indicator_id", "period_id", "sub_population_id")
STORED = pl.Schema(
    {
        **dict.fromkeys(KEY, pl.Int32()),
        "version": pl.Int32(),
        "kind": pl.Int8(),
        "value": pl.Decimal(38, 6),
        "numerator": pl.Decimal(38, 6),
        "denominator": pl.Decimal(38, 6),
        "words": pl.String(),
        "done_on": pl.Date(),
        "measured_on": pl.Date(),
        "data_status": pl.Int8(),
        "is_withdrawn": pl.String(),
        "source": pl.String(),
        "evidence_url": pl.String(),
        "note": pl.String(),
    }
)
# What a row says, beside the figure under its key; the day measured alone does not make a figure another one.
_SAID = (
    "kind",
    "number",
    "numerator",
    "denominator",
    "words",
    "done_on",
    "data_status",
    "source",
    "evidence_url",
    "note",
)
_MOST_KEYS = 2**62
_POSTED = (*_SAID, "stated", "measured_stated", "action", "reason", "base_version")


class Outcome(StrEnum):
    """What happens to a row."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    STALE = "stale"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Collapsed:
    """Rows with one row for each key, sorted by key; how many repeated another; those that contradict each other."""

    frame: pl.DataFrame
    repeats: int
    findings: Findings


def collapse(judged: pl.DataFrame) -> Collapsed:
    """Of identical rows of one key the first is kept; rows that contradict each other are refused, all of them."""
    ordered = judged if _is_in_order(judged) else judged.sort(*KEY, "row")
    same_key = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in KEY).fill_null(value=False)
    is_repeat = ordered.select(same_key).to_series()
    if not is_repeat.any():
        return Collapsed(ordered, 0, Findings.none())
    group = ordered.with_columns(key=(~is_repeat).cum_sum())
    content = pl.struct(*_POSTED)
    several = group.filter(pl.len().over("key") > 1)
    seen = several.with_columns(
        is_alike=(content.n_unique().over("key") == 1),
        first=pl.col("row").first().over("key"),
        is_first_again=content.hash() == content.hash().first().over("key"),
    )
    other = pl.col("row").filter(~pl.col("is_first_again")).first().over("key")
    seen = seen.with_columns(other=pl.when("is_first_again").then(other).otherwise("first"))
    values = {"value": pl.col("indicator"), "other": pl.col("other")}
    findings = judge(seen, [Check(rules.ROWS_CONTRADICT, "indicator", ~pl.col("is_alike"), values)])
    alike = seen.filter(pl.col("is_alike") & (pl.col("row") != pl.col("first")))["row"]
    gone = pl.concat([alike, findings.rows]).unique().implode()
    return Collapsed(ordered.filter(~pl.col("row").is_in(gone)), len(alike), findings)


def _is_in_order(rows: pl.DataFrame) -> bool:
    """Whether rows stand in the order of their keys already, as those of a machine often do; sorting copies all."""
    order = [*KEY, "row"]
    grows = pl.lit(value=True)
    for name in reversed(order):
        now, before = pl.col(name), pl.col(name).shift(1)
        grows = (now > before) | ((now == before) & grows)
    return bool(rows.select(grows.fill_null(value=True).all()).item())


def settle(rows: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """What happens to each row, given what is stored; `old_…` is the stored figure, `version` the one afterwards.

    A row that says what is stored, or differs in the day measured alone, is unchanged, whatever version it was made
    from: posting again is harmless. An older day or another base version never wins.
    """
    if stored.is_empty():
        nothing = [pl.lit(None, kind).alias(f"old_{name}") for name, kind in STORED.items() if name not in KEY]
        found = rows.with_columns(*nothing)
    else:
        old = stored.rename({name: f"old_{name}" for name in STORED if name not in KEY})
        found = _beside(rows, old)
    found = found.with_columns(outcome=_outcome(), stale_on=_stale_on())
    is_change = pl.col("outcome").is_in([Outcome.CREATED, Outcome.UPDATED])
    # A withdrawal is of the figure that is there, so it keeps its day.
    kept_day = pl.when("is_withdrawn").then(pl.coalesce("old_measured_on", "measured_on"))
    never_older = kept_day.otherwise(pl.max_horizontal("measured_on", "old_measured_on"))
    return found.with_columns(
        version=pl.col("old_version").fill_null(0) + is_change.cast(pl.Int32),
        measured_on=pl.when(pl.col("measured_stated").is_null()).then(never_older).otherwise("measured_on"),
    )


def _beside(rows: pl.DataFrame, old: pl.DataFrame) -> pl.DataFrame:
    """Rows with what is stored under their keys; where all stand in one order already, nothing is sought or moved."""
    if rows.select(KEY).equals(old.select(KEY)):
        return rows.hstack(old.drop(KEY))
    number = _as_number(rows, old)
    if number is None:
        return rows.join(old, on=list(KEY), how="left", maintain_order="left")
    stored = old.select(pl.exclude(KEY), key=number)
    return rows.with_columns(key=number).join(stored, on="key", how="left", maintain_order="left").drop("key")


def _as_number(*frames: pl.DataFrame) -> pl.Expr | None:
    """Keys as one number, which is compared in half the time of four; None where they are too large for that."""
    largest = pl.concat(frame.select(pl.col(KEY).max()) for frame in frames).max().row(0)
    sizes = [1 + number for number in largest]
    if prod(sizes) > _MOST_KEYS:
        return None
    number = pl.lit(0, pl.Int64)
    for name, size in zip(KEY, sizes, strict=True):
        number = number * size + pl.col(name)
    return number


def was_withdrawn() -> pl.Expr:
    """Whether the stored figure was taken back already."""
    return pl.col("old_is_withdrawn") == "t"


def _outcome() -> pl.Expr:
    is_there = pl.col("old_version").is_not_null()
    no_figure = pl.col("is_withdrawn") & (~is_there | was_withdrawn())
    pairs = [(name, "old_value" if name == "number" else f"old_{name}") for name in _SAID]
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(old)) for name, old in pairs)
    says_the_same = is_there & ~pl.col("is_withdrawn") & ~was_withdrawn() & same
    return (
        pl.when(no_figure & is_there)
        .then(pl.lit(Outcome.UNCHANGED.value))
        .when(no_figure)
        .then(pl.lit(Outcome.REFUSED.value))
        .when(says_the_same)
        .then(pl.lit(Outcome.UNCHANGED.value))
        .when(_stale_on().is_not_null())
        .then(pl.lit(Outcome.STALE.value))
        .when(is_there)
        .then(pl.lit(Outcome.UPDATED.value))
        .otherwise(pl.lit(Outcome.CREATED.value))
    )


def _stale_on() -> pl.Expr:
    """What makes a row stale, were it not unchanged: its base version, or the day it was measured."""
    other_base = pl.col("base_version") != pl.col("old_version").fill_null(0)
    is_older = (pl.col("measured_stated") < pl.col("old_measured_on")) & ~was_withdrawn()
    return (
        pl.when(other_base).then(pl.lit("base_version")).when(is_older).then(pl.lit("measured_on")).otherwise(None)
    )  # fmt: skip


def refuse_withdrawals(settled: pl.DataFrame) -> Findings:
    """Withdrawals of what was never there."""
    is_refused = pl.col("outcome") == Outcome.REFUSED.value
    return judge(settled, [Check(rules.NOTHING_TO_WITHDRAW, "action", is_refused)])


def tell_stale(settled: pl.DataFrame) -> Findings:
    """Rows that are older than what is stored, or were made from another version of it."""
    is_stale = pl.col("outcome") == Outcome.STALE.value
    base = {"value": pl.col("base_version"), "stored": pl.col("old_version").fill_null(0)}
    day = {"value": pl.col("measured_stated"), "stored": pl.col("old_measured_on")}
    on = pl.col("stale_on")
    return judge(
        settled,
        [
            Check(rules.BASE_VERSION_STALE, "base_version", is_stale & (on == "base_version"), base),
            Check(rules.ROW_STALE, "measured_on", is_stale & (on == "measured_on"), day),
        ],
    )


def changed(settled: pl.DataFrame) -> pl.DataFrame:
    """The rows that write something, in the order of their keys."""
    writes = settled["outcome"].is_in([Outcome.CREATED.value, Outcome.UPDATED.value])
    return settled if writes.all() else settled.filter(writes)


def counts(settled: pl.DataFrame) -> dict[str, int]:
    """How many rows came to each outcome."""
    found = dict(settled["outcome"].value_counts().iter_rows())
    return {name.value: found.get(name.value, 0) for name in Outcome if name is not Outcome.REFUSED}
