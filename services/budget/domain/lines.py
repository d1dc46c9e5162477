"""Lines, groups and cells of one plan: what a sound body is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from chassis.errors import Fault
from chassis.execution_time import EXAMPLES, ExecutionTimeKind, implied_days
from chassis.money import MAX_VND
from chassis.text import fold, suggest
from services.budget.domain.rules import (
    BUDGET_EXECUTION_TIME_INVALID,
    BUDGET_KEY_REPEATED,
    BUDGET_LINE_UNKNOWN,
    BUDGET_OFFICE_UNKNOWN,
    BUDGET_TOTAL_TOO_LARGE,
    RESERVE_IN_PILLAR,
)


class ExpenditureKind(StrEnum):
    """What the money is by the state budget's words."""

    RECURRENT = "recurrent"
    INVESTMENT = "investment"
    RESERVE = "reserve"


class Pillar(StrEnum):
    """The ten pillars of the reference data."""

    LEADERSHIP_INSTITUTIONS = "leadership_institutions"
    DIGITAL_INFRASTRUCTURE = "digital_infrastructure"
    HUMAN_RESOURCES = "human_resources"
    DIGITAL_DATA = "digital_data"
    DIGITAL_GOVERNMENT = "digital_government"
    DIGITAL_ECONOMY = "digital_economy"
    DIGITAL_SOCIETY = "digital_society"
    CYBERSECURITY = "cybersecurity"
    AWARENESS = "awareness"
    SCIENCE_INNOVATION = "science_innovation"


class Stage(StrEnum):
    """Where money stands; what a plan states is an estimate, later stages are entries of the ledger."""

    ESTIMATED = "estimated"


Items = Sequence[Mapping[str, Any]]


def line_faults(lines: Items) -> Iterator[Fault]:
    """What is wrong with the lines by themselves: keys, reserve outside pillars, times."""
    yield from key_faults("lines", [line["key"] for line in lines])
    for index, line in enumerate(lines):
        if line["expenditure_kind"] == ExpenditureKind.RESERVE and line["pillar"] is not None:
            yield Fault(
                RESERVE_IN_PILLAR,
                {"key": line["key"], "pillar": line["pillar"]},
                pointer=f"/lines/{index}/pillar",
                value=line["pillar"],
            )
        yield from _time_faults(line["execution_time_kind"], line["execution_time"], f"/lines/{index}")


def _time_faults(kind: str | None, value: str | None, pointer: str) -> Iterator[Fault]:
    """A time that does not have the form its kind promises; words alone need neither kind nor value."""
    try:
        implied_days(kind, value)
    except ValueError:
        values = {
            "execution_time": value or "—",
            "kind": kind or "—",
            "example": EXAMPLES[ExecutionTimeKind(kind or "year")],
        }
        yield Fault(BUDGET_EXECUTION_TIME_INVALID, values, pointer=f"{pointer}/execution_time", value=value)


def group_faults(groups: Items, line_keys: Collection[str]) -> Iterator[Fault]:
    """What is wrong with groups and cells: keys twice, or cells that name lines which are not there.

    Sums that do not agree are no fault: the plan says what it says, and `checks` shows both numbers.
    """
    yield from key_faults("groups", [group["key"] for group in groups])
    seen: Counter[str] = Counter()
    for at, group in enumerate(groups):
        for index, cell in enumerate(group["cells"]):
            place = f"/groups/{at}/cells/{index}"
            seen[cell["key"]] += 1
            if seen[cell["key"]] == 2:
                yield Fault(
                    BUDGET_KEY_REPEATED,
                    {"key": cell["key"], "field": "cells"},
                    pointer=f"{place}/key",
                    value=cell["key"],
                )
            for number, key in enumerate(cell["lines"]):
                if key not in line_keys:
                    yield Fault(
                        BUDGET_LINE_UNKNOWN,
                        {"key": key, **advice(suggest(key, line_keys))},
                        pointer=f"{place}/lines/{number}",
                        value=key,
                    )


def total_faults(given: Mapping[str, Items], kept: Mapping[str, Mapping[str, int]]) -> Iterator[Fault]:
    """Lists whose amounts, with those of the rows that are kept, add up to more than every reader keeps exactly."""
    cells = [cell for group in given["groups"] for cell in group["cells"]]
    for name, items in (("lines", given["lines"]), ("groups", given["groups"]), ("cells", cells)):
        amounts = {**kept.get(name, {}), **{item["key"]: item["amount_vnd"] for item in items}}
        total = sum(amounts.values())
        if total > MAX_VND:
            pointer = "/lines" if name == "lines" else "/groups"
            yield Fault(BUDGET_TOTAL_TOO_LARGE, {"total": total, "most": MAX_VND}, pointer=pointer, value=total)


def key_faults(field: str, keys: Sequence[str]) -> Iterator[Fault]:
    """Keys that stand twice in one list; the second place is named."""
    seen: set[str] = set()
    for index, key in enumerate(keys):
        if key in seen:
            yield Fault(BUDGET_KEY_REPEATED, {"key": key, "field": field}, pointer=f"/{field}/{index}/key", value=key)
        seen.add(key)


_OFFICE_FIELDS = ("lead_offices", "coordinating_offices", "beneficiaries")


def named_offices(lines: Items) -> set[str]:
    """Every office that any line names."""
    return {office for line in lines for field in _OFFICE_FIELDS for office in line[field]}


def office_faults(lines: Items, admin_unit: str, known: Mapping[str, str]) -> Iterator[Fault]:
    """Offices named by a line that neither the unit nor its province has; a name is told its slug.

    `known` leads from every folded name, and from the slug itself, to the slug.
    """
    slugs = set(known.values())
    for index, line in enumerate(lines):
        for field in _OFFICE_FIELDS:
            for number, office in enumerate(line[field]):
                if office not in slugs:
                    meant = known.get(fold(office)) or suggest(office, slugs)
                    yield Fault(
                        BUDGET_OFFICE_UNKNOWN,
                        {"office": office, "admin_unit": admin_unit, **advice(meant)},
                        pointer=f"/lines/{index}/{field}/{number}",
                        value=office,
                    )


def advice(meant: str | None) -> dict[str, str]:
    """The two half-sentences "did you mean …", or two empty ones."""
    if meant is None:
        return {"suggestion_vi": "", "suggestion_en": ""}
    return {"suggestion_vi": f" Có phải là {meant}?", "suggestion_en": f" Did you mean {meant}?"}
