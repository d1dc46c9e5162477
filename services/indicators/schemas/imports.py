"""Imports as they cross the border."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import polars as pl
from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from chassis.answers import Problem
from chassis.bodies import Body
from chassis.tabular import ROW, Kind, NumberStyle
from chassis.tabular.words import read_words
from services.indicators.domain.actuals.columns import MAX_TEXT
from services.indicators.domain.imports import REVERT_REASON_BLANK, Encoding, State
from services.indicators.schemas.actuals import Posted, PostedFault


class ImportBody(Body):
    """What is going to be sent, and how it is to be posted."""

    content_type: str = Field(
        max_length=200, description="Of the rows, once unpacked.", examples=["text/csv; charset=utf-8"]
    )
    content_encoding: Encoding | None = Field(None, description="How the bytes are packed; absent: not at all.")
    name: str | None = Field(None, max_length=255, description="Of the file, for people.", examples=["quy-3.csv.gz"])
    size_bytes: int | None = Field(None, ge=1, le=2**62, description="Of the bytes as sent; absent: not known yet.")
    sha256: str | None = Field(
        None, pattern="^[0-9a-fA-F]{64}$", description="Of the bytes as sent, in hex; other bytes are refused."
    )
    mode: Literal["atomic", "partial"] = Field("atomic", description="All rows or none, or the good ones.")
    on_stale: Literal["refuse", "skip"] = Field("refuse", description="A row older than what is stored.")
    on_blank: Literal["refuse", "skip"] = Field(
        "refuse", description="A row that names a figure and says nothing of it."
    )
    dry_run: bool = Field(False, description="Run everything, answer the same, and keep no figure.")
    number_style: NumberStyle | None = Field(None, description="How numbers in texts are written.")
    sheet: str | None = Field(None, max_length=100, description="The sheet of a workbook to read.")


def _reason(given: str) -> str:
    """A reason as every text of a figure is taken: trimmed, with neither control signs nor an old font's."""
    cell = pl.DataFrame({ROW: [1], "reason": [given], "kind": [int(Kind.TEXT)]})
    words, findings = read_words(cell, "reason", longest=MAX_TEXT, is_strict=True)
    for fault in findings.listed(1):
        raise PydanticCustomError(fault.rule.code, fault.rule.en, {**fault.values})
    tidy: str | None = words.item()
    if tidy is None:
        raise PydanticCustomError(REVERT_REASON_BLANK.code, REVERT_REASON_BLANK.en)
    return tidy


class RevertBody(Body):
    """Why an import is taken back."""

    reason: Annotated[str, AfterValidator(_reason)] = Field(
        min_length=1, max_length=MAX_TEXT, examples=["Gửi nhầm tệp của quý trước"]
    )


class ImportProgress(BaseModel):
    """How far the run has come, in rows."""

    rows_read: int
    rows_checked: int
    rows_written: int


class ImportResult(Posted):
    """What became of the rows; faults are null of a post made at once (its reply had them), and to outsiders."""

    left_blank: int | None  # type: ignore[assignment]  # the same
    errors: list[PostedFault] | None  # type: ignore[assignment]  # the one thing that is not kept for ever
    errors_total: int | None  # type: ignore[assignment]  # the same
    warnings: list[PostedFault] | None  # type: ignore[assignment]  # the same
    warnings_total: int | None  # type: ignore[assignment]  # the same


class Import(BaseModel):
    """A large post: how far it has come, and what became of it."""

    import_id: UUID
    state: State
    mode: str
    on_stale: str | None = Field(description="Null of a post made at once: not kept.")
    on_blank: str | None = Field(description="The same.")
    dry_run: bool
    name: str | None
    content_type: str | None = Field(description="Null: a post made at once, or the revert of an import.")
    size_bytes: int | None
    received_bytes: int | None = Field(description="Null of a post made at once.")
    sha256: str | None = Field(description="Of the bytes as sent, in hex.")
    progress: ImportProgress
    result: ImportResult | None = Field(description="What the post answered; null until it is done.")
    problem: Problem | None = Field(description="Why it is refused or failed; nothing was written then.")
    reverts: UUID | None = Field(description="The import that this one takes back.")
    reverted_by: UUID | None = Field(description="The import that took this one back.")
    client_id: str | None = Field(description="Null, as name and sha256, to callers who did not send it.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None = Field(description="When it is forgotten; its figures stay. Null: never.")


class ListedImport(BaseModel):
    """An import in a list: without faults, which its own page has."""

    import_id: UUID
    state: State
    mode: str
    on_stale: str
    on_blank: str
    dry_run: bool
    name: str | None
    content_type: str | None
    size_bytes: int | None
    received_bytes: int
    sha256: str | None
    progress: ImportProgress
    counts: dict[str, int] | None = Field(description="received = created + updated + unchanged + stale + …")
    reverts: UUID | None
    client_id: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime


class RefusedRow(BaseModel):
    """A refused row as it was sent, with every fault of it."""

    row: int | None = Field(description="As the sender sees it: line, or number in the spreadsheet.")
    cells: dict[str, str | None] | None = Field(description="What stood in the row; null: it could not be read.")
    errors: list[PostedFault]
    message: str = Field(description="All faults in one line.")


class ImportProgressEvent(BaseModel):
    """What an event of the progress stream says; the last one, `done`, comes when the import is over."""

    import_id: UUID
    state: State
    received_bytes: int
    progress: ImportProgress
    counts: dict[str, Any] | None
