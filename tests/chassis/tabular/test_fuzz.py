"""No body breaks the house: whatever arrives is read, or refused by a rule.

16 bodies per form; `CHITIEU_FUZZ_EXAMPLES=1000` makes it 1,000.
"""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.errors import HouseError
from chassis.tabular import Body, Day, Limits, Number, NumberStyle, Table, Text, Whole, read_cells, read_whole
from tests.chassis.tabular.bodies import CSV, JSON, NDJSON, PARQUET, TITLES, XLS, XLSX, Sheet, parquet, xls
from tests.drawn import EXAMPLES, texts

many = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
LIMITS = Limits(unpacked_bytes=64 * 1024 * 1024, rows=10_000)
COLUMNS = (
    Text("admin_unit", required=True, longest=20),
    Text("indicator"),
    Number("value", marks=frozenset({"percent"})),
    Day("measured_on"),
    Text("note"),
)
HEADER = ("Mã đơn vị", "Chỉ tiêu", "Giá trị", "Ngày số liệu", "Ghi chú")
ROWS = [
    {"admin_unit": "26491", "indicator": "DX_01", "value": 0.70, "measured_on": "2026-06-14", "note": 'ệ "x" \\ }, {'},
    {"admin_unit": "26434", "value": -1e3, "note": None},
    {"indicator": "x", "value": None, "admin_unit": "1"},
] * 4
SHEET_ROWS = [
    ("26491", "DX_01", 0.7, "14/06/2026", "Số liệu"),
    ("26434", "DX_02", 85, None, "x" * 50),
    (26491, None, True, "2026-06-14", "1.670"),
] * 4
FRAME = pl.DataFrame(
    {
        "admin_unit": ["26491", "26434"] * 30,
        "indicator": ["a", None] * 30,
        "value": [Decimal("1.5"), None] * 30,
        "measured_on": [date(2026, 6, 14), None] * 30,
        "note": [f"Số liệu {at}" for at in range(60)],
    }
)
CSV_BODY = (
    'BÁO CÁO;;\n;;\nMã đơn vị;Giá trị;Ghi chú\n26491;85,75%;"a;b"\n26434;1.670 triệu;"hai\ndòng"\n26435;\'-5;x\n'
).encode()


def workbook() -> bytes:
    sheet = Sheet().rows(HEADER, *SHEET_ROWS).write(1, 2, 0.7, "0%")
    sheet.sheet.merge_range("A4:A6", "26491")
    return sheet.body()


BASES = {
    "json": (JSON, json.dumps(ROWS).encode()),
    "wrapped json": (JSON, json.dumps({"actuals": ROWS}, ensure_ascii=False, indent=1).encode()),
    "ndjson": (NDJSON, "\n".join(json.dumps(row, ensure_ascii=at % 2 == 0) for at, row in enumerate(ROWS)).encode()),
    "csv": (CSV, CSV_BODY * 2),
    "csv utf-16": (CSV, CSV_BODY.decode().encode("utf-16")),
    "xlsx": (XLSX, workbook()),
    "xls": (XLS, xls(HEADER, *SHEET_ROWS, formats={(1, 2): "0%"})),
    "parquet": (PARQUET, parquet(FRAME, compression="zstd", row_group_size=25)),
    "plain parquet": (PARQUET, parquet(FRAME, compression="uncompressed")),
}
TOKENS = [
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u0000", b"\\ud800", b"null", b"1e999", b"-", b"0.1", b"\n",
    b"\r\n", b"\xff", b"\xef\xbb\xbf", b"\x00", b";", b'"",', b"},{", b'"value":', b"\x1f\x8b\x08\x00", b" " * 50,
    b"\xc2\xa0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80",
]  # fmt: skip
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["put", "over", "cut", "repeat", "flip", "end"]),
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(TOKENS) | st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=8,
)


def edited(body: bytes, edits: list[tuple[str, float, bytes]]) -> bytes:
    """A body after some accidents."""
    made = bytearray(body)
    for kind, share, piece in edits:
        at = int(share * len(made))
        if kind == "put":
            made[at:at] = piece
        elif kind == "over":
            made[at : at + len(piece)] = piece
        elif kind == "cut":
            del made[at : at + 3 * len(piece)]
        elif kind == "repeat":
            made[at:at] = made[: 10 * len(piece)]
        elif kind == "flip" and made:
            made[at] ^= piece[0] or 1
        elif kind == "end":
            del made[at:]
    return bytes(made)


def read_or_refused(body: bytes, content_type: str) -> tuple[Table | None, HouseError | None]:
    """What came of a body; anything but a refusal of the house goes through."""
    try:
        return read_whole(Body(body, content_type, TITLES, LIMITS)), None
    except HouseError as error:
        return None, error


def holds(body: bytes, content_type: str, style: NumberStyle | None = None) -> None:
    """A body is read or refused; what is read has every row once, and every fault has words."""
    table, error = read_or_refused(body, content_type)
    if table is None:
        assert error is not None
        assert 400 <= error.status < 500
        assert "‹" not in error.rule.sentence("vi", error.values) + error.rule.sentence("en", error.values)
        faults = list(error.faults)
    else:
        values = read_cells(table, COLUMNS, style)
        faults = table.findings.listed() + values.findings.listed()
        rows = table.cells["row"]
        assert table.cells.height == table.kinds.height == values.frame.height
        assert rows.is_sorted()
        assert rows.n_unique() == len(rows)
        unread = set(table.findings.rows) - set(rows)
        assert len(rows) + len(unread) >= table.received >= len(rows)
        json.dumps([fault.value for fault in faults], default=str)
    for fault in faults:
        assert "‹" not in fault.rule.sentence("vi", fault.values) + fault.rule.sentence("en", fault.values)


@pytest.mark.parametrize("form", BASES)
@many
@given(edits=EDITS, style=st.sampled_from([None, *NumberStyle]))
def test_damaged_bodies(form: str, edits: list[tuple[str, float, bytes]], style: NumberStyle | None) -> None:
    content_type, base = BASES[form]
    holds(edited(base, edits), content_type, style)


@pytest.mark.parametrize("content_type", [JSON, NDJSON, CSV, XLSX, XLS, PARQUET])
@many
@given(body=st.binary(max_size=400) | st.lists(st.sampled_from(TOKENS), max_size=60).map(b"".join))
def test_bodies_of_nothing_in_particular(content_type: str, body: bytes) -> None:
    magic = {XLSX: b"PK\x03\x04", XLS: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", PARQUET: b"PAR1"}.get(content_type, b"")
    holds(magic + body + (magic if content_type == PARQUET else b""), content_type)


@many
@given(
    part=st.sampled_from(["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml"]),
    edits=EDITS,
)
def test_damaged_parts_of_a_workbook(part: str, edits: list[tuple[str, float, bytes]]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(BASES["xlsx"][1])) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, edited(old.read(name), edits) if name == part else old.read(name))
    holds(buffer.getvalue(), XLSX)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts(10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(5), inner, max_size=3),
    max_leaves=6,
)


@many
@given(
    rows=st.lists(
        JSON_VALUES | st.dictionaries(st.sampled_from(TITLES.columns) | texts(8), JSON_VALUES, max_size=6),
        max_size=8,
    ),
    is_lines=st.booleans(),
)
def test_any_json(rows: list[object], is_lines: bool) -> None:
    body = "\n".join(map(json.dumps, rows)) if is_lines else json.dumps(rows)
    holds(body.encode(), NDJSON if is_lines else JSON)


CELLS = st.none() | texts(12) | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@many
@given(cells=st.lists(CELLS, max_size=20), style=st.sampled_from([None, *NumberStyle]))
def test_any_cells_in_any_column(cells: list[object], style: NumberStyle | None) -> None:
    texts = [None if cell is None else str(cell).encode(errors="replace").decode() for cell in cells]
    frame = pl.DataFrame(dict.fromkeys(TITLES.columns, texts), schema=dict.fromkeys(TITLES.columns, pl.String))
    body = io.BytesIO()
    frame.write_csv(body, separator=";")
    holds(body.getvalue(), CSV, style)
    table = read_whole(Body(body.getvalue(), CSV, TITLES, LIMITS))
    whole = read_cells(table, [Whole("value"), Whole("note", digits=18)], style)
    assert whole.frame.height == table.cells.height
