"""Plans: their key, their life, and what may change once they are issued."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from chassis.errors import Fault, Rule
from services.plans.domain.rules import (
    FIELD_NEEDS_AMENDMENT,
    PLAN_ALREADY_ISSUED,
    PLAN_BLANK_UNSTATED,
    PLAN_ISSUED_IN_FUTURE,
    PLAN_KEY_MISMATCH,
    PLAN_NOT_IN_FORCE,
    PLAN_PHASE_INVALID,
)

Document = Mapping[str, Any]

_KEY = re.compile(r"(\d{2}|\d{5})-(\d{4})-([a-z0-9]+(?:-[a-z0-9]+)*)", re.ASCII)
LONGEST_KEY = 120


class PlanStatus(StrEnum):
    """The life of a plan: each step after draft is a stated act."""

    DRAFT = "draft"
    ISSUED = "issued"
    AMENDED = "amended"
    CLOSED = "closed"


PUBLIC_STATUSES = (PlanStatus.ISSUED, PlanStatus.AMENDED, PlanStatus.CLOSED)
IN_FORCE = (PlanStatus.ISSUED, PlanStatus.AMENDED)


class PlanAct(StrEnum):
    """What an office states about its plan."""

    ISSUE = "issue"
    AMEND = "amend"
    CLOSE = "close"


class BlankField(StrEnum):
    """Fields that a document may leave blank and that are filled in later without a new revision."""

    DOCUMENT_NUMBER = "document_number"
    ISSUED_ON = "issued_on"
    SIGNER_NAME = "signer_name"
    SIGNER_ROLE = "signer_role"
    SIGNER_ON_BEHALF = "signer_on_behalf"


STATED_AT_ISSUE = (BlankField.DOCUMENT_NUMBER, BlankField.ISSUED_ON)

# What changes in the world and not in the document: no amendment is needed to say it.
OPERATIONAL_FIELDS = {"external_systems": frozenset({"connection", "last_success_at"})}


@dataclass(frozen=True, slots=True)
class PlanKey:
    """What a plan's key says: unit, (first) year, kind."""

    plan_key: str
    admin_unit: str
    year: int
    kind: str


def parse_plan_key(plan_key: str) -> PlanKey | None:
    """The parts of `<unit code>-<year>-<kind>`; None if the text is no such key.

    The kind is written with dashes in the key and with underscores as a code.
    """
    match = _KEY.fullmatch(plan_key) if len(plan_key) <= LONGEST_KEY else None
    if match is None:
        return None
    return PlanKey(plan_key, match[1], int(match[2]), match[3].replace("-", "_"))


def key_faults(key: PlanKey, document: Document) -> Iterator[Fault]:
    """Fields of a document that contradict the key it is put under."""
    for field in ("plan_key", "admin_unit", "year", "kind"):
        value = document.get(field)
        if value is not None and value != getattr(key, field):
            values = {"field": field, "value": value, "plan_key": key.plan_key}
            yield Fault(PLAN_KEY_MISMATCH, values, pointer=f"/{field}", value=value)
    phase = document.get("phase")
    if phase and not (phase.startswith(f"{key.year}-") and int(phase[5:]) > key.year):
        yield Fault(PLAN_PHASE_INVALID, {"phase": phase, "year": key.year}, pointer="/phase", value=phase)


def planned_days(key: PlanKey, phase: str | None) -> tuple[date, date]:
    """First and last day of the plan's year, or of its phase ("2026-2030"), by the calendar."""
    last_year = int(phase[5:]) if phase else key.year
    return date(key.year, 1, 1), date(last_year, 12, 31)


def refusal_of(act: PlanAct, status: PlanStatus) -> Rule | None:
    """Why an act cannot be stated of a plan in this status; None if it can."""
    if act is PlanAct.ISSUE:
        return None if status is PlanStatus.DRAFT else PLAN_ALREADY_ISSUED
    return None if status in IN_FORCE else PLAN_NOT_IN_FORCE


def issue_faults(header: Document, today: date) -> Iterator[Fault]:
    """What keeps a document from being issued: an unexplained blank, or a day that has not come.

    Three of the five plans have blank numbers or dates: that is no reason to refuse, once it is said.
    """
    blanks = header["blank_in_source"]
    for field in STATED_AT_ISSUE:
        if header[field] is None and field not in blanks:
            yield Fault(PLAN_BLANK_UNSTATED, {"field": field}, pointer=f"/{field}")
    issued_on = header["issued_on"]
    if issued_on is not None and issued_on > today:
        values = {"issued_on": issued_on, "today": today}
        yield Fault(PLAN_ISSUED_IN_FUTURE, values, pointer="/issued_on", value=issued_on)


@dataclass(frozen=True, slots=True)
class Content:
    """What a document says: the fields of its header, and its lists of items (each with a `key`)."""

    header: Document
    lists: Mapping[str, Sequence[Document]]


def amendment_faults(stored: Content, given: Content, *, prune: bool) -> list[Fault]:
    """Changes of an issued document that only an amendment may make.

    Free are: a blank of the source that is filled in, and what changes in the world rather than in the
    document (whether an external system is connected). Absent items count as removed only with `prune`.
    """
    fixed = _fixed_changes(stored.header, given.header)
    faults = [Fault(FIELD_NEEDS_AMENDMENT, {"field": field}, pointer=f"/{field}") for field in fixed]
    for name, items in given.lists.items():
        faults += _item_changes(name, stored.lists[name], items, prune=prune)
    return faults


def _fixed_changes(stored: Document, given: Document) -> list[str]:
    filled = {field for field in stored["blank_in_source"] if stored[field] is None and given[field] is not None}
    free = set(filled)
    if set(stored["blank_in_source"]) ^ set(given["blank_in_source"]) <= filled:
        free.add("blank_in_source")
    return [field for field, value in given.items() if value != stored[field] and field not in free]


def _item_changes(name: str, stored: Sequence[Document], given: Sequence[Document], *, prune: bool) -> Iterator[Fault]:
    operational = OPERATIONAL_FIELDS.get(name, frozenset())
    before = {item["key"]: _fixed_part(item, operational) for item in stored}
    for at, item in enumerate(given):
        if before.pop(item["key"], None) != _fixed_part(item, operational):
            pointer = f"/{name}/{at}"
            yield Fault(FIELD_NEEDS_AMENDMENT, {"field": pointer}, pointer=pointer, value=item["key"])
    for key in before if prune else ():
        yield Fault(FIELD_NEEDS_AMENDMENT, {"field": f"{name} {key}"}, pointer=f"/{name}", value=key)


def _fixed_part(item: Document, operational: frozenset[str]) -> dict[str, Any]:
    return {field: value for field, value in item.items() if field not in operational}
