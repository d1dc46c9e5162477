"""Large bodies go through in lots and over the disk: what comes of them is the same as of one lot in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from typing import Any

import polars as pl
import pytest
from joserfc.jwk import OKPKey

from chassis.database import Session
from chassis.tabular import Body, findings, json_text
from chassis.tabular import read as read_body
from services.indicators.domain.actuals.judging import judge_rows
from services.indicators.domain.actuals.resolving import resolve
from services.indicators.domain.actuals.titles import TITLES
from services.indicators.service import gathering
from services.indicators.service.actuals import PostRefused, PostResult, post_actuals
from services.indicators.service.gathering import KEPT, Gathered, Lots
from services.indicators.service.terms import Mode, OnStale, PostTerms
from tests.chassis.tabular.bodies import NDJSON, ndjson
from tests.house import House, open_house
from tests.indicators.forms import MEASURED, crowd, many
from tests.indicators.frames import TODAY, codes, judged, read_csv
from tests.indicators.given import ACTUALS, items, row

LOT = 150
FIELDS = ("value", "numerator", "denominator", "version", "note", "measured_on", "data_status", "source")
KEYS = ("admin_unit", "indicator", "sub_population", "regime", "period")


@pytest.fixture
async def other(admin_url: str, signing_key: OKPKey, stocked_template: str) -> AsyncIterator[House]:
    """A second house with the same stock."""
    async with open_house(admin_url, signing_key, template=stocked_template) as house:
        yield house


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies are read in pieces shorter than a lot."""
    monkeypatch.setattr(json_text, "ROWS_AT_ONCE", 70)


async def nobody(_db: Session) -> None:
    return None


def body_of(rows: Sequence[dict[str, Any]]) -> Body:
    return Body(ndjson(*rows), NDJSON, TITLES)


async def posted(house: House, rows: Sequence[dict[str, Any]], lot_rows: int, **terms: Any) -> PostResult:
    """A partial post, unless said otherwise, in lots of so many rows."""
    asked = PostTerms(nobody, takes_samples=True, lot_rows=lot_rows, **{"mode": Mode.PARTIAL, **terms})
    async with house.database("indicators").write() as db:
        return await post_actuals(db, house.caller(), body_of(rows), asked)


def told(result: PostResult) -> dict[str, Any]:
    """What a post says of its rows."""
    return {
        "counts": result.counts,
        "errors": [(fault.row, fault.column, fault.rule.code, fault.value) for fault in result.errors.listed()],
        "warnings": sorted(
            (fault.row or 0, fault.column or "", fault.rule.code, str(fault.value))
            for fault in result.warnings.listed()
        ),
    }


async def state(house: House) -> dict[str, Any]:
    """Every figure, every version, every change announced, without what differs from post to post."""
    figures = await items(house, ACTUALS, limit=1000)
    history = await items(house, f"{ACTUALS}/history", limit=1000)
    await house.sequence()
    changes = await items(house, "/v1/indicators/changes", limit=1000)
    announced: dict[str, list[Any]] = {}
    for event in changes:
        if event["type"] == "vn.chitieu.indicators.actuals.posted.v1":
            announced.setdefault(event["subject"], []).extend(event["data"]["changes"])
    return {
        "figures": [[each[name] for name in (*KEYS, *FIELDS)] for each in figures],
        "history": [[each[name] for name in (*KEYS, *FIELDS, "is_withdrawn")] for each in history],
        "changes": announced,
    }


def assorted(units: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of every fate, unit by unit and then once more across all: sound, bad, twice, contradicting."""
    rows = many(units)
    rows[3] = {**rows[3], "value": 101}
    rows[400] = {**rows[400], "period": "x"}
    rows[5] = {**rows[5], "value": None, "numerator": 2, "denominator": 3}
    rows[405] = {**rows[405], "value": None, "numerator": 1, "denominator": 3, "note": "tỷ lệ"}
    again = [rows[0], {**rows[1], "value": 2}, rows[250], rows[250], {**rows[251], "note": "khác"}]
    return [*rows, *again]


async def test_a_body_in_lots_comes_to_the_same(stocked: House, other: House) -> None:
    units = await crowd(stocked, 6)
    assert await crowd(other, 6) == units
    first = assorted(units)
    then = [
        {**each, "value": 40, "measured_on": "2026-11-01"} if at % 3 else {**each, "base_version": 7, "value": 9}
        for at, each in enumerate(many(units[1:5]))
    ]
    gone = [{**each, "value": None, "action": "withdraw", "reason": "nhầm"} for each in many(units[4:])]
    for rows, terms in ((first, {}), (then, {"on_stale": OnStale.SKIP}), (gone, {}), (first, {})):
        whole = await posted(stocked, rows, 200_000, **terms)
        parted = await posted(other, rows, LOT, **terms)
        assert told(parted) == told(whole)
        assert await state(other) == await state(stocked)


async def test_rows_of_one_key_meet_across_lots(stocked: House) -> None:
    units = await crowd(stocked, 6)
    result = await posted(stocked, assorted(units), LOT)
    assert result.counts == {
        "received": 605,
        "created": 596,
        "updated": 0,
        "unchanged": 0,
        "stale": 0,
        "duplicates": 3,
        "refused": 6,
    }
    assert told(result)["errors"] == [
        (2, "indicator", "rows_contradict", MEASURED[0]),
        (4, "value", "value_above_100", "101"),
        (252, "indicator", "rows_contradict", MEASURED[2]),
        (401, "period", "period_malformed", "x"),
        (602, "indicator", "rows_contradict", MEASURED[0]),
        (605, "indicator", "rows_contradict", MEASURED[2]),
    ]


async def test_one_bad_row_in_the_last_lot_refuses_all(stocked: House) -> None:
    units = await crowd(stocked, 4)
    before = await stocked.rows("indicators")
    rows = many(units)
    for last in ({**rows[-1], "value": -1}, {**rows[-1], "admin_unit": "99998"}, {**rows[0], "value": 2}):
        with pytest.raises(PostRefused) as refused:
            await posted(stocked, [*rows, last], LOT, mode=Mode.ATOMIC)
        assert refused.value.values["received"] == 401
        assert await stocked.rows("indicators") == before


async def test_an_atomic_post_in_lots_is_one_posting(stocked: House) -> None:
    units = await crowd(stocked, 4)
    result = await posted(stocked, many(units), LOT, mode=Mode.ATOMIC)
    assert (result.counts["created"], (await stocked.rows("indicators"))["posting"]) == (400, 1)
    moments = {each["recorded_at"] for each in await items(stocked, ACTUALS, limit=1000)}
    assert len(moments) == 1


def watched(body: Body, read: list[str]) -> Iterator[Any]:
    """The tables of a body, and a note of each and of the end of reading."""
    try:
        for table in read_body(body):
            read.append("table")
            yield table
    finally:
        read.append("closed")


@pytest.mark.parametrize("mode", [Mode.ATOMIC, Mode.PARTIAL])
async def test_too_many_faults_end_the_reading_and_refuse_all(
    stocked: House, monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    noted: list[str] = []
    monkeypatch.setattr(gathering, "read", partial(watched, read=noted))
    units = await crowd(stocked, 6)
    rows = [{**each, "period": "x"} if at < 160 and at % 2 else each for at, each in enumerate(many(units))]
    before = await stocked.rows("indicators")
    for limit, received, faults, tables in ((69, 140, 70, 3), (79, 280, 80, 5)):
        noted.clear()
        with pytest.raises(PostRefused) as refused:
            await posted(stocked, rows, LOT, mode=mode, most_faults=limit)
        error = refused.value
        assert (error.rule.code, error.faults_total, len(error.findings.rows)) == ("faults_too_many", faults, faults)
        assert (error.values["received"], error.values["limit"]) == (received, limit)
        assert noted == ["table"] * tables + ["closed"], "reading went on"
    assert await stocked.rows("indicators") == before
    result = await posted(stocked, rows, LOT, most_faults=80)
    assert (result.counts["created"], result.counts["refused"]) == (520, 80)


async def test_faults_found_beside_what_is_stored_count_as_well(stocked: House) -> None:
    units = await crowd(stocked, 4)
    rows = many(units)
    twice = [{**each, "value": 2} for each in rows[100:105]]
    await posted(stocked, rows[:10], LOT)
    stale = [{**each, "base_version": 7, "value": 9} for each in rows[:10]]
    for some, faults in (([*rows, *twice], 10), ([*stale, *rows[10:]], 10)):
        with pytest.raises(PostRefused) as refused:
            await posted(stocked, some, LOT, most_faults=faults - 1)
        error = refused.value
        assert (error.rule.code, error.faults_total, error.values["received"]) == ("faults_too_many", 10, len(some))
        assert len(await items(stocked, ACTUALS, limit=1000)) == 10, "nothing more was written"


async def test_the_first_warnings_by_row_are_kept_of_all_lots_and_buckets(
    stocked: House, other: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = await crowd(stocked, 6)
    await crowd(other, 6)
    before = [row(admin_unit=unit, period="2026-Q2", value=50) for unit in units]
    # Told of when the row is read, and again when it is settled: unit by unit, which is not the order of the rows.
    rows = [row(admin_unit=unit, value=0.5) for unit in reversed(units)]
    both = [(number, code) for number in range(1, 7) for code in ("looks_like_ratio", "value_jumps")]
    for house, lot, most in ((stocked, 200_000, 1000), (other, 2, 5)):
        monkeypatch.setattr(findings, "LISTED_FAULTS", most)
        monkeypatch.setattr(json_text, "ROWS_AT_ONCE", 1)
        await posted(house, before, LOT)
        result = await posted(house, rows, lot)
        assert [(fault.row, fault.rule.code) for fault in result.warnings.listed()] == both[:most]
        assert (result.warnings.total, result.warnings.first.total) == (12, min(12, most))


async def test_progress_grows_to_all_rows(stocked: House) -> None:
    units = await crowd(stocked, 4)
    heard: list[tuple[int, int, int]] = []

    async def hear(progress: Any) -> None:
        heard.append((progress.rows_read, progress.rows_checked, progress.rows_written))

    await posted(stocked, many(units), LOT, progress=hear)
    checked, stored = [(140, 140, 0), (280, 280, 0), (400, 400, 0)], [(400, 400, 100), (400, 400, 300), (400, 400, 400)]
    assert heard == checked + stored


async def test_the_folder_of_the_rows_goes_with_them(
    stocked: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    units = await crowd(stocked, 4)
    await posted(stocked, many(units), LOT)
    with pytest.raises(PostRefused):
        await posted(stocked, [*many(units), {"admin_unit": "x"}], LOT, mode=Mode.ATOMIC)
    assert list(tmp_path.iterdir()) == []


# --- the parts, without a database


def test_lots_hold_whole_pieces_up_to_their_size() -> None:
    rows = many(["26491"]) * 3
    lots = Lots(body_of(rows), LOT)
    sizes = []
    while (table := lots.next()) is not None:
        sizes.append(table.cells["row"].to_list())
    assert [len(some) for some in sizes] == [140, 140, 20]
    assert [number for some in sizes for number in some] == list(range(1, 301))
    assert lots.next() is None


def test_an_empty_body_is_one_empty_lot() -> None:
    lots = Lots(body_of([]), LOT)
    first = lots.next()
    assert first is not None
    assert (first.received, lots.next()) == (0, None)


def test_rows_in_stored_form_have_the_same_types_whatever_they_give() -> None:
    percents = read_csv("admin_unit;indicator;period;value\n26491;INDEX;2026-Q3;70%\n").frame
    frames = [
        judged({}),
        judged({"value": None, "numerator": 2, "denominator": 3}),
        judged({"indicator": "LEVEL", "value": None, "level": 1}, {"indicator": "RANK", "value": None, "rank": 2}),
        judged({"indicator": "WORDS", "value": None, "text": "x"}),
        judged({"indicator": "DONE", "value": None, "done_on": "2026-09-01", "measured_on": "2026-09-02"}),
        judged({"value": None, "action": "withdraw", "reason": "x"}),
        judged({"sub_population": "học sinh", "source": "a", "note": "b", "evidence_url": "https://x"}),
        judged({"base_version": 1, "data_status": "official", "regime": "calendar"}),
        judge_rows(resolve(percents, codes()), TODAY).frame,
        judged(),
    ]
    schemas = {str(frame.select(KEPT).schema) for frame in frames}
    assert len(schemas) == 1


def test_gathered_rows_come_back_by_whole_units() -> None:
    lots = [
        judged({}, {"admin_unit": "26434"}, {"admin_unit": "14161"}),
        judged({"indicator": "COUNT", "value": 1}, {"admin_unit": "26434", "indicator": "COUNT", "value": 1}),
        judged({"admin_unit": "14161", "indicator": "COUNT", "value": 1}).clear(),
        judged({"value": None, "numerator": 2, "denominator": 3, "regime": "calendar"}),
    ]
    numbered = [lot.with_columns(row=pl.col("row") + 10 * at) for at, lot in enumerate(lots)]
    with Gathered(bucket_rows=3) as gathered:
        for lot in numbered:
            gathered.add(lot)
        assert gathered.units().rows() == [("26491", 1, 3), ("26434", 2, 2), ("14161", 3, 1)]
        found = [bucket().sort("row").select("admin_unit", "row").rows() for bucket in gathered.buckets()]
    assert found == [
        [("26491", 1), ("26491", 11), ("26491", 31)],
        [("26434", 2), ("14161", 3), ("26434", 12)],
    ]


def test_one_lot_stays_in_memory() -> None:
    with Gathered() as gathered:
        gathered.add(judged({}))
        (bucket,) = list(gathered.buckets())
        assert bucket()["row"].to_list() == [1]
    with Gathered() as nothing:
        assert nothing.units().height == 0
        assert list(nothing.buckets()) == []
