"""The error file: the sender's own rows with their reasons, as the service writes it; else the faults known here."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from uuid import UUID

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
        file.write_text(_listed(outcome), encoding="utf-8")  # noqa: ASYNC240 - one small file


def _import_of(outcome: Outcome) -> UUID | None:
    if outcome.result is not None:
        return outcome.result.through
    return outcome.error.import_id if isinstance(outcome.error, Problem) else None


def _listed(outcome: Outcome) -> str:
    """What the answer listed, as CSV."""
    text = io.StringIO()
    text.write(BOM)
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(TITLES)
    rows.writerows([csv_cell(cell) for cell in cells(fault)] for fault in outcome.faults)
    return text.getvalue()
