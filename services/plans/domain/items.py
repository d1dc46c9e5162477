"""What a plan holds: keys that are unique in their list, links that lead somewhere, offices that exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from chassis.errors import Fault
from chassis.execution_time import EXAMPLES, implied_days
from chassis.text import suggest
from services.plans.domain.offices import KnownOffices, advice
from services.plans.domain.rules import (
    EXECUTION_TIME_INCOMPLETE,
    EXECUTION_TIME_INVALID,
    ITEM_KEY_REPEATED,
    ITEM_LINK_UNKNOWN,
    LEAD_BASIS_MISMATCH,
    SYSTEM_SUCCESS_WITHOUT_CONNECTION,
)

Item = Mapping[str, Any]
Items = Sequence[Item]


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


class LeadBasis(StrEnum):
    """Where the lead offices of a task are named: in the task itself, elsewhere in the document, or nowhere."""

    EXPLICIT = "explicit"
    ORGANISATION = "organisation"
    ANNEX = "annex"
    NONE = "none"


class LeadRole(StrEnum):
    """What the document asks of the lead offices where it is less than to lead."""

    COORDINATING = "coordinating"
    REQUESTED = "requested"


class BasisRelation(StrEnum):
    """How a document is cited: as a basis, as what the plan carries out, as a proposal, or in passing."""

    BASIS = "basis"
    IMPLEMENTS = "implements"
    PROPOSAL = "proposal"
    MENTIONED = "mentioned"


class IssuerLevel(StrEnum):
    """Who issued a cited document."""

    CENTRAL = "central"
    PROVINCE = "province"
    COMMUNE = "commune"


class ReportingCycle(StrEnum):
    """How often a duty falls due; `periodic_unspecified`: "định kỳ" without a period."""

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    SEMIANNUAL = "semiannual"
    ANNUAL = "annual"
    ADHOC = "adhoc"
    ONCE = "once"
    PERIODIC_UNSPECIFIED = "periodic_unspecified"


class RuleComparator(StrEnum):
    """How a budget rule compares what is spent with its base."""

    GTE = "gte"
    GT = "gt"
    EQ = "eq"
    LTE = "lte"
    LT = "lt"


class SystemBoundary(StrEnum):
    """Whose system it is: somebody else's, one still to be connected to, the commune's own, or a channel."""

    EXTERNAL = "external"
    TO_CONNECT = "to_connect"
    OWN = "own"
    CHANNEL = "channel"


class SystemConnection(StrEnum):
    """Whether data flow to the system today."""

    NONE = "none"
    PLANNED = "planned"
    LIVE = "live"


class AnnexPresence(StrEnum):
    """Whether an annex the plan names is in the file we have."""

    PRESENT = "present"
    PARTIAL = "partial"
    ABSENT = "absent"


OFFICE_FIELDS = {
    "tasks": ("lead_offices", "coordinating_offices", "supporting_offices"),
    "reporting_duties": ("from_offices", "to_offices", "via_offices"),
    "budget_rules": ("offices",),
    "recipients": ("offices",),
}

# A task names other parts of its plan by their keys; budget lines live in the budget service.
LINK_FIELDS = {"reporting_duty": "reporting_duties", "budget_rule": "budget_rules"}


def item_faults(lists: Mapping[str, Items], offices: KnownOffices) -> Iterator[Fault]:
    """Everything that is wrong with the items of a document, each fault with its place."""
    for name, items in lists.items():
        yield from _repeated_keys(name, items)
        for at, item in enumerate(items):
            for field in OFFICE_FIELDS.get(name, ()):
                yield from offices.faults(item[field], f"/{name}/{at}/{field}")
    keys = {name: [item["key"] for item in items] for name, items in lists.items()}
    for at, task in enumerate(lists["tasks"]):
        yield from _task_faults(at, task, keys)
    for at, system in enumerate(lists["external_systems"]):
        if system["last_success_at"] and system["connection"] != SystemConnection.LIVE:
            pointer = f"/external_systems/{at}/last_success_at"
            yield Fault(SYSTEM_SUCCESS_WITHOUT_CONNECTION, {"key": system["key"]}, pointer=pointer)


def _repeated_keys(name: str, items: Items) -> Iterator[Fault]:
    seen: set[str] = set()
    for at, item in enumerate(items):
        if item["key"] in seen:
            values = {"key": item["key"], "field": name}
            yield Fault(ITEM_KEY_REPEATED, values, pointer=f"/{name}/{at}/key", value=item["key"])
        seen.add(item["key"])


def _task_faults(at: int, task: Item, keys: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    place = f"/tasks/{at}"
    basis = task["lead_basis"]
    if basis is not None and (basis == LeadBasis.NONE) == bool(task["lead_offices"]):
        yield Fault(LEAD_BASIS_MISMATCH, {"lead_basis": basis}, pointer=f"{place}/lead_basis", value=basis)
    for field, target in LINK_FIELDS.items():
        if task[field] is not None:
            yield from _link_faults(f"{place}/{field}", target, task[field], keys[target])
    for number, key in enumerate(task["external_systems"]):
        yield from _link_faults(f"{place}/external_systems/{number}", "external_systems", key, keys["external_systems"])
    yield from _time_faults(place, task)


def _link_faults(pointer: str, field: str, key: str, known: Sequence[str]) -> Iterator[Fault]:
    if key not in known:
        values = {"field": field, "key": key, **advice(suggest(key, known))}
        yield Fault(ITEM_LINK_UNKNOWN, values, pointer=pointer, value=key)


def _time_faults(place: str, task: Item) -> Iterator[Fault]:
    kind, value, words = (task[f"execution_time{end}"] for end in ("_kind", "", "_text"))
    if (kind is None) != (words is None) or (kind is None and value is not None):
        yield Fault(EXECUTION_TIME_INCOMPLETE, {}, pointer=f"{place}/execution_time_kind", value=kind)
    elif kind is not None:
        try:
            implied_days(kind, value)
        except ValueError:
            values = {"execution_time": value, "kind": kind, "example": EXAMPLES[kind]}
            yield Fault(EXECUTION_TIME_INVALID, values, pointer=f"{place}/execution_time", value=value)
