"""Every kind of file is taken; forms come back; refused rows are written to a file that can be mended."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter
import xlwt
import zstandard

from chitieu.client import Client
from tests.chitieu.commands import run_here
from tests.chitieu.forms import fill
from tests.chitieu.push.figures import HEADER, Call, line, row, wifi, write_csv


def write_xls(file: Path, cells: dict[str, Any]) -> None:
    book = xlwt.Workbook()
    page = book.add_sheet("Sheet1")
    for place, (name, cell) in enumerate(cells.items()):
        page.write(0, place, name)
        page.write(1, place, cell)
    book.save(str(file))


def write_xlsx(file: Path, cells: dict[str, Any]) -> None:
    with xlsxwriter.Workbook(file) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, list(cells))
        page.write_row(1, 0, list(cells.values()))


def csv_of(cells: dict[str, Any]) -> bytes:
    return f"{HEADER}\n{line(cells['value'])}\n".encode()


WRITERS: dict[str, Callable[[Path, dict[str, Any]], object]] = {
    "csv": lambda file, cells: file.write_bytes(csv_of(cells)),
    "csv.gz": lambda file, cells: file.write_bytes(gzip.compress(csv_of(cells))),
    "csv.zst": lambda file, cells: file.write_bytes(zstandard.compress(csv_of(cells))),
    "tsv": lambda file, cells: file.write_bytes(csv_of(cells).replace(b";", b"\t")),
    "json": lambda file, cells: file.write_text(json.dumps([cells])),
    "ndjson": lambda file, cells: file.write_text(json.dumps(cells)),
    "parquet": lambda file, cells: pl.DataFrame([cells]).write_parquet(file),
    "xls": write_xls,
    "xlsx": write_xlsx,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_of_file_is_taken(push: Call, client: Client, tmp_path: Path, kind: str) -> None:
    file, value = tmp_path / f"figures.{kind}", 50 + list(WRITERS).index(kind)
    WRITERS[kind](file, row(value))
    done = push(str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert wifi(client) == value


def test_a_form_is_made_filled_in_partly_and_pushed(push: Call, url: str, token: str, tmp_path: Path) -> None:
    file = tmp_path / "form.xlsx"
    arguments = ("--unit", "26491", "--period", "2026-Q2", "-o", str(file), "--url", url, "--token", token)
    made = run_here("template", *arguments)
    assert (made.returncode, made.stdout) == (
        0,
        f"{file}: 40 chỉ tiêu của đơn vị 26491, Quý II/2026; 0 đã có số liệu.\n",
    )
    blank = push(str(file))
    assert blank.returncode == 0
    assert blank.stdout == f"{file}: không có gì mới để ghi; 40 dòng chưa điền, để nguyên.\n"
    fill(file, {"E4": 80})
    done = push(str(file))
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        0,
        f"{file}: đã ghi nhận 1 số liệu (1 thay đổi); 39 dòng chưa điền, để nguyên.",
    )
    assert push(str(file), "--on-blank", "refuse").returncode == 3
    fill(file, {"E5": "nhiều"})
    for errors in (tmp_path / "errors.csv", tmp_path / "errors.xlsx", tmp_path / "errors.json"):
        refused = push(str(file), "--errors", str(errors))
        assert refused.returncode == 3
        assert f"Dòng bị từ chối, kèm lý do: {errors}\n" in refused.stdout
    assert "nhiều" in (tmp_path / "errors.csv").read_text(encoding="utf-8")
    [refused_row] = json.loads((tmp_path / "errors.json").read_text(encoding="utf-8"))
    assert (refused_row["row"], refused_row["errors"][0]["column"]) == (5, "value")
    assert (tmp_path / "errors.xlsx").read_bytes().startswith(b"PK")


def test_a_number_style_is_declared_where_it_is_ambiguous(push: Call, client: Client, tmp_path: Path) -> None:
    file = write_csv(tmp_path, line("1.670"))
    unsure = push(str(file))
    assert unsure.returncode == 3
    assert "number_ambiguous" in unsure.stdout
    assert push(str(file), "--number-style", "vi").returncode == 0
    assert wifi(client) == 1670


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_refused_rows_are_written_to_a_file_that_can_be_mended_and_sent(push: Call, tmp_path: Path, kind: str) -> None:
    errors = tmp_path / f"errors.{kind}"
    file = write_csv(tmp_path, line(77), line(1, unit="26434"), line(78, code="PUBLIC_WIFI_POINT"))
    done = push(str(file), "--partial", "--errors", str(errors))
    assert done.returncode == 2
    assert f"Dòng bị từ chối, kèm lý do: {errors}\n" in done.stdout
    if kind == "csv":
        text = errors.read_text(encoding="utf-8")
        assert "26434" in text
        assert "PUBLIC_WIFI_POINT" in text
        assert "Có phải là PUBLIC_WIFI_POINTS?" in text
        mended = [each for each in text.splitlines() if "26434" not in each]
        errors.write_text("\n".join(mended).replace("PUBLIC_WIFI_POINT,", "PUBLIC_WIFI_POINTS,"), encoding="utf-8")
        again = push(str(errors))
        assert again.returncode == 0, again.stdout + again.stderr
    else:
        assert errors.read_bytes().startswith(b"PK")


def test_of_several_files_each_has_its_own_file_of_refused_rows(push: Call, tmp_path: Path) -> None:
    files = [str(write_csv(tmp_path, line(1, unit=unit), name=f"{unit}.csv")) for unit in ("26434", "25378")]
    done = push(*files, "--errors", str(tmp_path / "errors.csv"))
    assert done.returncode == 3
    for place, unit in ((1, "26434"), (2, "25378")):
        errors = tmp_path / f"errors-{place}.csv"
        assert f"Dòng bị từ chối, kèm lý do: {errors}\n" in done.stdout
        assert f"2,{unit}," in errors.read_text(encoding="utf-8")
    assert not (tmp_path / "errors.csv").exists()
