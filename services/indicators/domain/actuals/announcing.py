"""Changes as events say them: codes, old and new figure, version; written set-wise as the JSON they travel in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

import msgspec
import polars as pl

from services.indicators.domain.actuals.columns import SAMPLE, STATUS_OF, Kind
from services.indicators.domain.actuals.judging import MILLION, written
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
    """The changes of each unit in parts of at most `room` bytes, samples apart from what is restricted.

    The changes of a unit stand together.
    """
    if changes.is_empty():
        return
    change = _change(changes, _Facts.of(changes))
    told = _samples_apart(changes.select("admin_unit", "province", sample=is_sample(), change=change))
    size = pl.col("change").str.len_bytes().cast(pl.Int64) + 1
    # A part ends when the next change might not fit: no change is larger than the room left beside it.
    step = (room - size.max()).clip(lower_bound=1)
    placed = told.select(
        "admin_unit",
        "province",
        "sample",
        part=(size.cum_sum().over("admin_unit", "sample") - 1) // step,
        begin=size.cum_sum() - size,
    )
    place = pl.struct("admin_unit", "sample", "part")
    firsts = placed.filter((place != place.shift()).fill_null(value=True))
    text = told.select(pl.col("change").str.join(",").cast(pl.Binary)).item()
    ends = [*firsts["begin"][1:], len(text) + 1]
    found = (
        Part(unit, province, sample, text[begin : end - 1])
        for (unit, province, sample, _, begin), end in zip(firsts.iter_rows(), ends, strict=True)
    )
    yield from sorted(found, key=attrgetter("admin_unit"))


def _samples_apart(told: pl.DataFrame) -> pl.DataFrame:
    """The changes of each unit with its samples last."""
    is_sorted = told["sample"].all() or not told["sample"].any()
    return told if is_sorted else told.sort("admin_unit", "sample", maintain_order=True)


# What JSON writes otherwise than it stands; control signs are refused long before.
_ESCAPED = r'["\\\x00-\x1f\x7f]'
_CODES = ("indicator", "sub_population", "regime", "period")
_TEXTS = ("words", "old_words")
_NUMBERS = ("number", "numerator", "denominator", "old_value", "old_numerator", "old_denominator")


@dataclass(frozen=True, slots=True)
class _Facts:
    """What all changes have in common, found in one pass: most kinds of figure need not be written then."""

    escaped: frozenset[str]
    whole: frozenset[str]
    has_withdrawn: bool
    had_withdrawn: bool
    kinds: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, changes: pl.DataFrame) -> _Facts:
        """The facts of some changes."""
        texts = {**{name: pl.col(name).unique() for name in _CODES}, **{name: pl.col(name) for name in _TEXTS}}
        found = changes.select(
            *(text.str.contains(_ESCAPED).any().alias(name) for name, text in texts.items()),
            *((pl.col(name).to_physical() % MILLION == 0).all().alias(name) for name in _NUMBERS),
            has_withdrawn=pl.col("is_withdrawn").any(),
            had_withdrawn=was_withdrawn().any(),
            new_kinds=pl.col("kind").drop_nulls().unique().implode(),
            old_kinds=pl.col("old_kind").drop_nulls().unique().implode(),
        ).row(0, named=True)
        return cls(
            frozenset(name for name in texts if found[name]),
            frozenset(name for name in _NUMBERS if found[name]),
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
        *_ratio(changes, prefix, facts),
        pl.lit('"data_status":"'), status,
        pl.lit('","measured_on":"'), pl.col(f"{prefix}measured_on").cast(pl.String), pl.lit('"}'),
    ]  # fmt: skip


def _said(changes: pl.DataFrame, prefix: str, number: str, facts: _Facts) -> list[pl.Expr]:
    kind = pl.col(f"{prefix}kind")
    ways: dict[int, list[pl.Expr]] = {
        Kind.VALUE: [pl.lit('"value":'), _number(number, facts), pl.lit(",")],
        Kind.LEVEL: [pl.lit('"level":'), _number(number, facts), pl.lit(",")],
        Kind.RANK: [pl.lit('"rank":'), _number(number, facts), pl.lit(",")],
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


def _ratio(changes: pl.DataFrame, prefix: str, facts: _Facts) -> list[pl.Expr]:
    if not _says(changes, f"{prefix}numerator"):
        return []
    parts = [
        *(pl.lit('"numerator":'), _number(f"{prefix}numerator", facts)),
        *(pl.lit(',"denominator":'), _number(f"{prefix}denominator", facts), pl.lit(",")),
    ]
    return [pl.concat_str(parts).fill_null("")]


def _number(name: str, facts: _Facts) -> pl.Expr:
    """Exact numbers; whole ones are written sooner as integers."""
    number = pl.col(name)
    return number.cast(pl.Int64).cast(pl.String) if name in facts.whole else written(number)


def _quoted(changes: pl.DataFrame, name: str, facts: _Facts) -> pl.Expr:
    """Texts as JSON."""
    if name not in facts.escaped:
        return pl.concat_str(_QUOTE, pl.col(name), _QUOTE)
    told = {text: msgspec.json.encode(text).decode() for text in changes[name].drop_nulls().unique()}
    return pl.col(name).replace_strict(told, default=None, return_dtype=pl.String)
