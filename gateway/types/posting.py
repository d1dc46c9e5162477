"""Posting actuals: rows in, true counts and every refused row out."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import Parent

from gateway.clients import Row
from gateway.types.enums import DataStatus, PostAction, PostMode
from gateway.types.fields import asked, given, shown, told
from gateway.types.scalars import Date, Decimal


@given
class ActualInput:
    """One figure, or its withdrawal, under its full key."""

    admin_unit: str = told("Code of the unit.")
    indicator: str = told("Code of the indicator.")
    period: str = told("2026, 2026-S1, 2026-N, 2026-Q2, 2026-04 …; ISO, SDMX and DHIS2 spellings are read too.")
    sub_population: str | None = asked("The part of the population it is about.")
    regime: str | None = asked("Reporting regime; the unit's default where absent.")
    value: Decimal | None = asked("In the indicator's scale.")
    numerator: Decimal | None = asked("With the denominator: the value is computed exactly.")
    denominator: Decimal | None = asked("With the numerator.")
    level: int | None = asked("Of levels.")
    rank: int | None = asked("Of ranks.")
    text: str | None = asked("Of texts.")
    done_on: Date | None = asked("Of milestones: the day of completion.")
    measured_on: Date | None = asked("The day the figure describes; the period's end where absent.")
    data_status: DataStatus | None = asked("Where absent: estimated until the period has ended, then preliminary.")
    source: str | None = asked("Where it comes from.")
    evidence_url: str | None = asked("Evidence.")
    note: str | None = asked("Remark.")
    action: PostAction = asked("Set, or withdraw.", PostAction.SET)
    reason: str | None = asked("Needed to withdraw.")
    base_version: int | None = asked("The version the row was made from; another one never wins.")


def _value(row: Parent[Row]) -> str | None:
    value: Any = row.get("value")
    return None if value is None else str(value)


@shown
class UserError:
    """One fault of what was posted, with the same code as over REST."""

    code: str = told("Stable code.")
    message: str = told("The rule in one sentence, in the caller's language.")
    row: int | None = told("Which row, from 1.")
    column: str | None = told("Which column.")
    pointer: str | None = told("Place in the body, where it is not a row.")
    value: str | None = told("The value seen, as text.", _value)


@shown
class PostActualsPayload:
    """received = created + updated + unchanged + stale + duplicates + refused, always; null: nothing was read."""

    received: int | None = told("Rows that came.")
    created: int | None = told("Figures that are new.")
    updated: int | None = told("Figures that changed.")
    unchanged: int | None = told("Figures that said the same already; they are neither written nor announced.")
    stale: int | None = told("Rows older than what is stored.")
    duplicates: int | None = told("Identical rows of one key, collapsed.")
    refused: int | None = told("Rows that were refused.")
    mode: PostMode = told("How it was posted.")
    dry_run: bool = told("Whether nothing was to be written.")
    import_id: strawberry.ID | None = told("Id of the post; null where nothing was written.")
    write_token: str | None = told("Give it as X-Min-Version to read at least this write.")
    is_replayed: bool = told("Whether this is the stored answer to the same key.")
    errors: list[UserError] = told("Every refused row, or what is wrong as a whole; empty: all is well.")
    warnings: list[UserError] = told("What looks odd but was taken.")
    errors_total: int = told("How many faults there are; at most 1,000 are listed.")
