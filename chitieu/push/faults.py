"""The error file: the sender's own rows with their reasons, as the service writes it; else the faults known here."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from uuid import UUID

import msgspec
from xlsxwriter import Workbook

from chassis.tabular import BOM, csv_cell
from chitieu.client import AsyncClient, Problem
from chitieu.push.outcomes import Outcome
from chitieu.push.telling import cells

TITLES = ("Dòng", "Cột", "Mã lỗi", "Giá trị", "Lý do")


async def write_faults(client: AsyncClient, outcome: Outcome, file: Path) -> None:
    """Write the refused rows of a push to a file: CSV, XLSX or JSON by its name."""
    import_id = _import_of(outcome)
    if import_id is not None:
        try:
            await client.save_errors(import_id, file)
        except Problem:
            import_id = None
    if import_id is None:
        _write_listed(outcome, file)
    outcome.errors_file = file


def _import_of(outcome: Outcome) -> UUID | None:
    if outcome.result is not None:
        return outcome.result.through
    return outcome.error.import_id if isinstance(outcome.error, Problem) else None


def _write_listed(outcome: Outcome, file: Path) -> None:
    """Write what the answer listed, and say where that is not all."""
    match file.suffix.lower():
        case ".xlsx":
            _write_workbook(outcome, file)
        case ".json":
            file.write_text(json.dumps(msgspec.to_builtins(outcome.faults), ensure_ascii=False), encoding="utf-8")
        case _:
            file.write_text(_as_csv(outcome), encoding="utf-8", newline="")
    if outcome.faults_total > len(outcome.faults):
        outcome.notes.append(f"{file} có {len(outcome.faults)} lỗi đầu trong {outcome.faults_total} lỗi.")


def _as_csv(outcome: Outcome) -> str:
    text = io.StringIO(newline="")
    text.write(BOM)
    rows = csv.writer(text)
    rows.writerow(TITLES)
    rows.writerows([csv_cell(cell) for cell in cells(fault)] for fault in outcome.faults)
    return text.getvalue()


def _write_workbook(outcome: Outcome, file: Path) -> None:
    with Workbook(file, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet()
        for place, row in enumerate([TITLES, *(cells(fault) for fault in outcome.faults)]):
            for column, cell in enumerate(row):
                sheet.write_string(place, column, cell)
