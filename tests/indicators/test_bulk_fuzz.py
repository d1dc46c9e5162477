"""Whatever is posted, the service answers, counts truly, and writes only what its answer says.

An eighth of the bodies that reading alone is tried with; `CHITIEU_FUZZ_EXAMPLES=8000` makes it 1,000.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.indicators.domain.actuals.titles import TITLES
from tests.chassis.tabular.bodies import CSV, JSON, NDJSON, PARQUET, XLS, XLSX, Sheet, parquet, xls
from tests.chassis.tabular.test_fuzz import EDITS, JSON_VALUES, TOKENS, edited
from tests.drawn import EXAMPLES, texts
from tests.house import House
from tests.indicators.forms import FORMS, OUTCOMES, PACKINGS, ROWS, send

many = settings(max_examples=max(EXAMPLES // 8, 1), suppress_health_check=list(HealthCheck))
TERMS = st.fixed_dictionaries(
    {"mode": st.sampled_from(["partial", "partial", "atomic"]), "on_stale": st.sampled_from(["refuse", "skip"])},
    optional={
        "number_style": st.sampled_from(["vi", "en", "plain"]),
        "dry_run": st.just("true"),
        "on_blank": st.just("skip"),
    },
)
COUNTED = ("actual", "actual_revision", "posting", "outbox", "audit")


async def counted(house: House) -> dict[str, int]:
    """How many rows the tables have that a post writes."""
    counts = ", ".join(f"(SELECT count(*) FROM {name})" for name in COUNTED)
    async with house.database("indicators").engine.connect() as connection:
        found = await connection.exec_driver_sql(f"SELECT {counts}")
        return dict(zip(COUNTED, found.one(), strict=True))


async def holds(house: House, body: bytes, content_type: str, terms: Mapping[str, str], encoding: str = "") -> Any:
    """Post a body; the answer is one of ours, its counts add up, and the tables changed as it says."""
    before = await counted(house)
    headers = {"Content-Encoding": encoding} if encoding else {}
    response = await send(house, body, content_type, headers=headers, **terms)
    after = await counted(house)
    told = response.json()
    assert response.status_code in (200, 207, 400, 413, 415, 422), told
    assert "‹" not in response.text
    written = {name: after[name] - before[name] for name in COUNTED}
    if response.status_code >= 400:
        assert not any(written.values()), (told, written)
        assert told["code"] != "actuals_refused" or told["errors_total"] >= len(told["errors"]) > 0
        return told
    assert told["received"] == sum(told[name] for name in OUTCOMES[1:]), told
    assert (response.status_code == 207) is (told["refused"] > 0)
    assert told["errors_total"] >= told["refused"]
    assert ({each["row"] for each in told["errors"]} and told["errors_total"]) or not told["refused"]
    changed = 0 if told["dry_run"] else told["created"] + told["updated"]
    assert written["actual"] == (0 if told["dry_run"] else told["created"])
    assert written["actual_revision"] == (0 if told["dry_run"] else told["updated"])
    assert written["posting"] == (told["import_id"] is not None) == (changed > 0)
    assert (written["outbox"] > 0) is (written["audit"] > 0) is (changed > 0)
    return told


@pytest.mark.parametrize("form", FORMS)
@many
@given(edits=EDITS, terms=TERMS)
async def test_damaged_bodies(
    stocked: House, form: str, edits: list[tuple[str, float, bytes]], terms: dict[str, str]
) -> None:
    content_type, made = FORMS[form]
    await holds(stocked, edited(made(ROWS), edits), content_type, terms)


@pytest.mark.parametrize("encoding", PACKINGS)
@many
@given(edits=EDITS, terms=TERMS)
async def test_damaged_packings(
    stocked: House, encoding: str, edits: list[tuple[str, float, bytes]], terms: dict[str, str]
) -> None:
    body = PACKINGS[encoding](FORMS["ndjson"][1](ROWS))
    await holds(stocked, edited(body, edits), NDJSON, terms, encoding)


@pytest.mark.parametrize("content_type", [JSON, NDJSON, CSV, XLSX, XLS, PARQUET])
@many
@given(body=st.binary(max_size=400) | st.lists(st.sampled_from(TOKENS), max_size=60).map(b"".join), terms=TERMS)
async def test_bodies_of_nothing_in_particular(
    stocked: House, content_type: str, body: bytes, terms: dict[str, str]
) -> None:
    magic = {XLSX: b"PK\x03\x04", XLS: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", PARQUET: b"PAR1"}.get(content_type, b"")
    await holds(stocked, magic + body + (magic if content_type == PARQUET else b""), content_type, terms)


# Cells as people and programs get them wrong, among sound ones.
SOUND: dict[str, Sequence[Any]] = {
    "admin_unit": ("26491", "26434", "75", "99999", "26492", "Đại Phước", 26491),
    "commune": (None, None, "26491", "26434"),
    "indicator": (*{row["indicator"] for row in ROWS}, "VNEID", "Tỷ lệ"),
    "plan_row": (None, None, "III.19", "IX"),
    "sub_population": (None, None, None, "giáo viên"),
    "regime": (None, None, "state", "calendar", "lunar"),
    "period": ("2026-Q3", "2026Q2", "202607", "2026", 2026, 202608, "2026-S1", "2025-Q1", "2027", "Quý III"),
    "value": (None, 0, 1, 85.5, 0.7, 100.5, -1, 1670, "85,75%", "1.670", "1.670 triệu", "70%", 1e-7, 1e22),
    "numerator": (None, None, None, 0, 2, -3, 99999999999999, 0.000001),
    "denominator": (None, None, None, 0, 3, 0.000001, 99999999999999),
    "level": (None, None, 1, 9, "2"),
    "rank": (None, None, 0, 8, 999999999),
    "text": (None, None, "Đúng, đủ", "a\nb", '"', "\\.", "ThÞ trÊn T©n Lîi"),
    "done_on": (None, None, "2026-09-01", "01/09/2026", "2026-02-30", "2199-12-31"),
    "measured_on": (None, None, "2026-09-01", "2026-09-14", "2027-01-01", "1900-01-01"),
    "data_status": (None, None, "official", "sơ bộ", "cuối"),
    "source": (None, None, "sample", "CSDL"),
    "evidence_url": (None, None, "https://example.vn/1", "ftp://x"),
    "note": (None, None, "ghi chú", "x" * 300, "=1+1", "a\tb\r\nc"),
    "action": (None, None, None, "set", "withdraw", "rút"),
    "reason": (None, "nhầm"),
    "base_version": (None, None, None, 0, 1, 2, 999999999),
}
JUNK = texts(8) | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
CELLS = {name: st.one_of(*[st.sampled_from(some)] * 4, JUNK) for name, some in SOUND.items()}


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Some rows of mostly sensible cells, with the same columns in all of them."""
    names = ["admin_unit", "indicator", "period", *draw(st.sets(st.sampled_from(sorted(SOUND))))]
    columns = list(dict.fromkeys([*names, draw(st.sampled_from(["value", "numerator", "text", "level"]))]))
    cells = {name: CELLS[name] for name in columns}
    return draw(st.lists(st.fixed_dictionaries(cells), min_size=1, max_size=8))


def in_excel(cell: Any) -> Any:
    """A cell a spreadsheet can hold."""
    if isinstance(cell, int) and abs(cell) > 2**53:
        return float(cell)
    return cell.encode(errors="replace").decode() if isinstance(cell, str) else cell


def in_old_excel(cell: Any) -> Any:
    """A cell an old spreadsheet can hold."""
    kept = in_excel(cell)
    return "".join(sign for sign in kept if ord(sign) >= 32 or sign in "\n\t") if isinstance(kept, str) else kept


def as_texts(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str | None]]:
    """Rows with every cell a text."""
    return [
        {name: None if cell is None else str(cell).encode(errors="replace").decode() for name, cell in row.items()}
        for row in rows
    ]


def as_workbook(rows: Sequence[Mapping[str, Any]]) -> bytes:
    sheet = Sheet().rows(list(rows[0]))
    for at, row in enumerate(rows, 1):
        for place, cell in enumerate(row.values()):
            kept = in_old_excel(cell)
            is_percent = isinstance(kept, float) and place % 2
            if isinstance(kept, str):
                sheet.sheet.write_string(at, place, kept)
            elif kept is not None:
                sheet.write(at, place, kept, "0.00%" if is_percent else None)
    return sheet.body()


def as_separated(rows: Sequence[Mapping[str, Any]]) -> bytes:
    text = io.BytesIO()
    pl.DataFrame(as_texts(rows), dict.fromkeys(rows[0], pl.String)).write_csv(text, separator=";")
    return text.getvalue()


def as_parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as typed columns where their cells are of one type, else as texts."""
    frame = pl.DataFrame(as_texts(rows), dict.fromkeys(rows[0], pl.String))
    typed = [
        pl.Series(name, [row[name] for row in rows])
        for name in rows[0]
        if {type(row[name]) for row in rows} <= {float, type(None)}
    ]
    return parquet(frame.with_columns(typed) if typed else frame)


WRITERS = {
    "json": (JSON, lambda rows: json.dumps(rows).encode()),
    "ndjson": (NDJSON, lambda rows: "\n".join(json.dumps(row) for row in rows).encode()),
    "csv": (CSV, as_separated),
    "xlsx": (XLSX, as_workbook),
    "xls": (XLS, lambda rows: xls(list(rows[0]), *[[in_old_excel(cell) for cell in row.values()] for row in rows])),
    "parquet": (PARQUET, as_parquet),
}


@pytest.mark.parametrize("form", WRITERS)
@many
@given(rows=tables(), terms=TERMS)
async def test_any_cells(stocked: House, form: str, rows: list[dict[str, Any]], terms: dict[str, str]) -> None:
    content_type, written = WRITERS[form]
    told = await holds(stocked, written(rows), content_type, terms)
    if "received" in told and form in ("json", "ndjson", "parquet"):
        assert told["received"] + told["left_blank"] == len(rows)


@pytest.mark.parametrize("content_type", [JSON, NDJSON])
@many
@given(
    rows=st.lists(
        JSON_VALUES | st.dictionaries(st.sampled_from(TITLES.columns) | texts(8), JSON_VALUES, max_size=6),
        max_size=8,
    ),
    terms=TERMS,
)
async def test_any_json(stocked: House, content_type: str, rows: list[object], terms: dict[str, str]) -> None:
    body = json.dumps(rows) if content_type == JSON else "\n".join(map(json.dumps, rows))
    await holds(stocked, body.encode(), content_type, terms)
