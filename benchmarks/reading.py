"""Seconds to read 100,000 rows of each form into typed columns: `python -m benchmarks.reading`."""

from __future__ import annotations

import gzip
import io
import json
import sys
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from random import Random

import polars as pl
import xlsxwriter
import xlwt
import zstandard

from chassis.tabular import (
    Body,
    Choice,
    Day,
    Limits,
    Number,
    NumberStyle,
    Text,
    Titles,
    Values,
    read,
    read_cells,
    unpack,
)

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
NAMES = ("admin_unit", "indicator", "period", "value", "measured_on", "data_status", "source", "note")
TITLES = Titles(NAMES)
STATUS = {name: name for name in ("estimated", "preliminary", "official")}
COLUMNS = (
    Text("admin_unit", required=True, longest=5),
    Text("indicator", required=True),
    Text("period", required=True),
    Number("value", marks=frozenset({"percent"})),
    Day("measured_on"),
    Choice("data_status", STATUS),
    Text("source"),
    Text("note"),
)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
UNPACKED = 1 << 30


def rows() -> list[dict[str, object]]:
    """Rows like those of a province: short codes, figures of two decimals, a note in Vietnamese."""
    random = Random(7)
    return [
        {
            "admin_unit": f"{25_000 + i % 3000:05d}",
            "indicator": f"DX_{i % 50:02d}",
            "period": f"2026-{1 + i % 12:02d}",
            "value": random.randrange(10_000) / 100,
            "measured_on": "2026-06-14",
            "data_status": "preliminary",
            "source": "IOC Đồng Nai",
            "note": f"Số liệu theo báo cáo số {i}",
        }
        for i in range(ROWS)
    ]


def bodies(sent: list[dict[str, object]]) -> dict[str, tuple[bytes, str, str | None]]:
    """The same rows in every form: body, content type, content encoding."""
    ndjson = "\n".join(json.dumps(row, ensure_ascii=False) for row in sent).encode()
    frame = pl.DataFrame(sent)
    typed = frame.with_columns(pl.col("value").cast(pl.Decimal(20, 2)), pl.col("measured_on").str.to_date())
    parquet = io.BytesIO()
    typed.write_parquet(parquet)
    vietnamese = frame.with_columns(pl.col("value").cast(pl.String).str.replace(".", ",", literal=True))
    return {
        "NDJSON": (ndjson, "application/x-ndjson", None),
        "NDJSON, escaped": ("\n".join(map(json.dumps, sent)).encode(), "application/x-ndjson", None),
        "NDJSON, gzip": (gzip.compress(ndjson, 6), "application/x-ndjson", "gzip"),
        "NDJSON, zstd": (zstandard.compress(ndjson), "application/x-ndjson", "zstd"),
        "JSON": (json.dumps(sent, ensure_ascii=False).encode(), "application/json", None),
        "CSV": (frame.write_csv().encode(), "text/csv", None),
        "CSV, ; and comma": (vietnamese.write_csv(separator=";").encode(), "text/csv", None),
        "Parquet": (parquet.getvalue(), "application/vnd.apache.parquet", None),
        "XLSX": (xlsx(sent, "0.00"), XLSX, None),
        "XLSX, percents": (xlsx(sent, "0.00%"), XLSX, None),
        "XLS, 65,000 rows": (xls(sent[:65_000]), "application/vnd.ms-excel", None),
    }


def xlsx(sent: list[dict[str, object]], number_format: str) -> bytes:
    """A workbook of the rows, as a spreadsheet program would save it."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        figure = workbook.add_format({"num_format": number_format})
        sheet.write_row(0, 0, NAMES)
        for at, row in enumerate(sent, start=1):
            for place, name in enumerate(NAMES):
                sheet.write(at, place, row[name], figure if name == "value" else None)
    return buffer.getvalue()


def xls(sent: list[dict[str, object]]) -> bytes:
    """The same in the old format."""
    workbook = xlwt.Workbook(encoding="utf-8")
    sheet = workbook.add_sheet("Trang 1")
    for at, row in enumerate([dict(zip(NAMES, NAMES, strict=True)), *sent]):
        for place, name in enumerate(NAMES):
            sheet.write(at, place, row[name])
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def timed(work: Callable[[], Values]) -> tuple[float, float, Values]:
    """The best of three runs in seconds by the wall clock and by the processor's."""
    best = (float("inf"), float("inf"))
    for _ in range(3):
        wall, own = time.perf_counter(), time.process_time()
        values = work()
        best = min(best, (time.perf_counter() - wall, time.process_time() - own))
    return *best, values


def read_all(packed: bytes, content_type: str, encoding: str | None) -> Values:
    """What a bulk post does before it asks what the rows mean."""
    source = unpack(packed, encoding, UNPACKED)
    body = Body(source, content_type, TITLES, Limits(UNPACKED, max(ROWS, 1)))
    style = NumberStyle.VI if b"," in source[:300] and b";" in source[:300] else None
    parts = [read_cells(table, COLUMNS, style) for table in read(body)]
    assert not any(part.findings.total for part in parts), parts[0].findings.listed(3)
    return Values(pl.concat([part.frame for part in parts]), parts[0].findings)


def main() -> None:
    """Print a line per form."""
    sent = rows()
    first = sent[0]
    print(f"{'form':18} {'MB':>6} {'seconds':>8} {'processor':>10}")
    for name, (packed, content_type, encoding) in bodies(sent).items():
        wall, own, values = timed(lambda p=packed, c=content_type, e=encoding: read_all(p, c, e))  # type: ignore[misc]
        row = values.frame.row(0, named=True)
        assert row["value"] == Decimal(str(first["value"])) or "percents" in name, row
        assert row["measured_on"] == date(2026, 6, 14)
        assert row["note"] == first["note"]
        print(f"{name:18} {len(packed) / 1e6:6.1f} {wall:8.3f} {own:10.3f}")


if __name__ == "__main__":
    main()
