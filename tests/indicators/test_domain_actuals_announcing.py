"""Changes as events say them: the JSON is what an encoder would write, in parts that fit, samples apart."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.decimals import plain
from services.indicators.domain.actuals.announcing import is_sample, parts
from services.indicators.domain.actuals.columns import STATUS_OF, Kind
from tests.drawn import signs
from tests.indicators.frames import WITHDRAWN, of, settled

ROOM = 47 * 1024
COLUMN_OF = {Kind.VALUE: "value", Kind.LEVEL: "level", Kind.RANK: "rank", Kind.TEXT: "text", Kind.DONE_ON: "done_on"}


def announced(cells: dict[str, Any], *figures: dict[str, Any]) -> dict[str, Any]:
    """The one change of a row, as it travels."""
    (part,) = parts(settled(cells, *figures), ROOM)
    (change,) = msgspec.json.decode(b"[" + part.changes + b"]")
    return dict(change)


KEY = {"indicator": "RATE", "regime": "state", "period": "2026-Q3"}
FIGURE = {"value": 85.5, "data_status": "preliminary", "measured_on": "2026-09-14"}


def test_a_new_figure_is_announced_whole() -> None:
    assert announced({}) == {**KEY, "action": "set", "old": None, "new": FIGURE, "version": 1}


def test_a_change_says_old_and_new() -> None:
    told = announced({"value": 86, "note": "x", "evidence_url": "https://x", "reason": "y", "source": "z"}, {})
    assert told == {**KEY, "action": "set", "old": FIGURE, "new": {**FIGURE, "value": 86}, "version": 4}


def test_a_withdrawal_leaves_nothing() -> None:
    assert announced(WITHDRAWN, {}) == {**KEY, "action": "withdraw", "old": FIGURE, "new": None, "version": 4}


def test_what_was_withdrawn_is_nothing_old() -> None:
    told = announced({}, {"is_withdrawn": "t", "value": None})
    assert (told["old"], told["new"], told["version"]) == (None, FIGURE, 4)


def test_a_sub_population_is_named_where_there_is_one() -> None:
    told = announced({"sub_population": "học sinh"})
    assert (told["sub_population"], "sub_population" in announced({})) == ("học sinh", False)


SHOWN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"value": 0}, {"value": 0}),
    ({"value": 100}, {"value": 100}),
    ({"value": 0.000001}, {"value": 0.000001}),
    ({"value": None, "numerator": 1, "denominator": 4}, {"value": 25, "numerator": 1, "denominator": 4}),
    (of("LEVEL", level=1), {"level": 1}),
    (of("RANK", rank=10), {"rank": 10}),
    (of("WORDS", text='đúng, "đủ" \\'), {"text": 'đúng, "đủ" \\'}),
    (of("DONE", done_on="2026-09-01"), {"done_on": "2026-09-01"}),
]


@pytest.mark.parametrize(("cells", "shown"), SHOWN)
def test_a_figure_speaks_in_the_column_of_its_kind(cells: dict[str, Any], shown: dict[str, Any]) -> None:
    assert announced(cells)["new"] == {**shown, "data_status": "preliminary", "measured_on": "2026-09-14"}


SIGNS = st.text(st.sampled_from("\"\\/\n\t\x7f\u2028 ađậễừ{}[],:😀\u00a0'") | signs(), max_size=20)
DECIMALS = st.decimals(min_value=-(10**14), max_value=10**14, places=6)
DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))


@st.composite
def figures(draw: st.DrawFn) -> dict[str, Any]:
    """A figure of any kind in stored form."""
    kind = draw(st.sampled_from(list(Kind)))
    is_number = kind in (Kind.VALUE, Kind.LEVEL, Kind.RANK)
    has_ratio = kind is Kind.VALUE and draw(st.booleans())
    return {
        "kind": kind,
        "number": draw(DECIMALS) if is_number else None,
        "numerator": draw(DECIMALS) if has_ratio else None,
        "denominator": draw(DECIMALS) if has_ratio else None,
        "words": draw(SIGNS) if kind is Kind.TEXT else None,
        "done_on": draw(DAYS) if kind is Kind.DONE_ON else None,
        "data_status": draw(st.sampled_from(list(STATUS_OF))),
        "measured_on": draw(DAYS),
    }


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """A change as settled rows say it."""
    kind_of_old = draw(st.sampled_from(["none", "figure", "withdrawn"]))
    old = {"version": draw(st.integers(1, 10**6)), **draw(figures())} if kind_of_old != "none" else {}
    is_withdrawn = draw(st.booleans())
    return {
        "admin_unit": draw(st.sampled_from(["26491", "26434"])),
        "province": "75",
        "indicator": draw(SIGNS),
        "sub_population": draw(st.none() | SIGNS),
        "regime": draw(st.sampled_from(["state", "calendar"])),
        "period": "2026-Q3",
        "action": "withdraw" if is_withdrawn else "set",
        "is_withdrawn": is_withdrawn,
        "source": draw(st.sampled_from([None, "sample", "khác"])),
        "version": draw(st.integers(1, 10**6)),
        **draw(figures()),
        "old_version": old.get("version"),
        "old_is_withdrawn": None if not old else "t" if kind_of_old == "withdrawn" else "f",
        "old_source": draw(st.sampled_from([None, "sample", "khác"])) if old else None,
        **{f"old_{'value' if name == 'number' else name}": old.get(name) for name in FIGURE_SCHEMA},
    }


FIGURE_SCHEMA: dict[str, Any] = {
    "kind": pl.Int8(),
    "number": pl.Decimal(38, 6),
    "numerator": pl.Decimal(38, 6),
    "denominator": pl.Decimal(38, 6),
    "words": pl.String(),
    "done_on": pl.Date(),
    "data_status": pl.Int8(),
    "measured_on": pl.Date(),
}
SCHEMA: dict[str, Any] = {
    **dict.fromkeys(("admin_unit", "province", "indicator", "sub_population", "regime", "period"), pl.String()),
    "action": pl.String(),
    "is_withdrawn": pl.Boolean(),
    "source": pl.String(),
    "version": pl.Int32(),
    **FIGURE_SCHEMA,
    "old_version": pl.Int32(),
    "old_is_withdrawn": pl.String(),
    "old_source": pl.String(),
    **{f"old_{'value' if name == 'number' else name}": kind for name, kind in FIGURE_SCHEMA.items()},
}


def figure_of(change: dict[str, Any], prefix: str) -> dict[str, Any]:
    """A figure as an encoder would be given it."""
    kind = Kind(change[f"{prefix}kind"])
    number = change["old_value" if prefix else "number"]
    said = {Kind.TEXT: change[f"{prefix}words"], Kind.DONE_ON: change[f"{prefix}done_on"]}.get(kind, number)
    parts_of_ratio = {name: change[f"{prefix}{name}"] for name in ("numerator", "denominator")}
    return {
        COLUMN_OF[kind]: plain(said) if isinstance(said, Decimal) else said,
        **{name: plain(part) for name, part in parts_of_ratio.items() if part is not None},
        "data_status": STATUS_OF[change[f"{prefix}data_status"]].value,
        "measured_on": change[f"{prefix}measured_on"],
    }


def expected(change: dict[str, Any]) -> dict[str, Any]:
    """A change as an encoder would be given it."""
    sub = {"sub_population": change["sub_population"]} if change["sub_population"] is not None else {}
    return {
        "indicator": change["indicator"],
        **sub,
        "regime": change["regime"],
        "period": change["period"],
        "action": change["action"],
        "old": figure_of(change, "old_") if change["old_is_withdrawn"] == "f" else None,
        "new": None if change["is_withdrawn"] else figure_of(change, ""),
        "version": change["version"],
    }


ENCODER = msgspec.json.Encoder(decimal_format="number")


def sampled(change: dict[str, Any]) -> bool:
    """Whether a change says nothing of a real figure."""
    is_old_sample = change["old_is_withdrawn"] in (None, "t") or change["old_source"] == "sample"
    return is_old_sample and (change["is_withdrawn"] or change["source"] == "sample")


@settings(max_examples=60)
@given(told=st.lists(changes(), max_size=12), room=st.integers(1, 4000))
def test_changes_read_as_an_encoder_would_write_them(told: list[dict[str, Any]], room: int) -> None:
    frame = pl.DataFrame(told, SCHEMA)
    written = list(parts(frame, room))
    found: dict[tuple[str, bool], list[str]] = {}
    for part in written:
        found.setdefault((part.admin_unit, part.is_sample), []).append(part.changes.decode())
        assert part.province == "75"
    wanted: dict[tuple[str, bool], list[str]] = {}
    for change in told:
        text = ENCODER.encode(expected(change)).decode()
        wanted.setdefault((change["admin_unit"], sampled(change)), []).append(text)
    assert {key: ",".join(texts) for key, texts in found.items()} == {
        key: ",".join(texts) for key, texts in wanted.items()
    }
    largest = max((len(text.encode()) for texts in wanted.values() for text in texts), default=0)
    assert all(len(part.changes) <= max(room, largest) for part in written)


def test_parts_come_by_unit_and_are_filled() -> None:
    one = settled({})
    rows = pl.concat([one.with_columns(version=pl.lit(version, pl.Int32)) for version in range(1, 101)])
    size = len(next(parts(one, ROOM)).changes)
    told = list(parts(pl.concat([rows, rows.with_columns(admin_unit=pl.lit("26434"))]), 20 * size))
    assert [part.admin_unit for part in told] == ["26434"] * 6 + ["26491"] * 6
    assert all(len(part.changes) <= 20 * size for part in told)
    assert [change["version"] for part in told[:6] for change in msgspec.json.decode(b"[" + part.changes + b"]")] == [
        *range(1, 101)
    ]


def test_samples_are_announced_apart() -> None:
    frame = pl.concat([settled({"source": "sample"}), settled({}), settled({"source": "sample"}, {})])
    assert frame.select(is_sample()).to_series().to_list() == [True, False, False]
    told = list(parts(frame, ROOM))
    assert [(part.is_sample, len(msgspec.json.decode(b"[" + part.changes + b"]"))) for part in told] == [
        (False, 2),
        (True, 1),
    ]


@pytest.mark.parametrize(
    ("cells", "figure", "is_one"),
    [
        ({"source": "sample"}, None, True),
        ({"source": "sample"}, {"source": "sample"}, True),
        ({"source": "khác"}, {"source": "sample"}, False),
        ({"source": "sample"}, {"source": "khác"}, False),
        ({"source": "sample"}, {}, False),
        ({"source": "sample"}, {"is_withdrawn": "t", "value": None}, True),
        (WITHDRAWN, {"source": "sample"}, True),
        (WITHDRAWN, {}, False),
        ({}, None, False),
    ],
)
def test_a_change_is_a_samples_when_it_says_nothing_of_a_real_figure(
    cells: dict[str, Any], figure: dict[str, Any] | None, *, is_one: bool
) -> None:
    found = settled({"value": 86, **cells}, *([figure] if figure is not None else []))
    assert found.select(is_sample()).item() is is_one


def test_nothing_changed_is_nothing_announced() -> None:
    assert list(parts(settled({}).clear(), ROOM)) == []
