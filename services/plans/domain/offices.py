"""Offices: who leads, coordinates, reports. A slug is the key; names and aliases only find it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from chassis.errors import Fault
from chassis.text import fold, suggest
from services.plans.domain.rules import OFFICE_ALIAS_AMBIGUOUS, OFFICE_REPEATED, OFFICE_UNKNOWN


class OfficeLevel(StrEnum):
    """Where an office stands: in the commune, above it, beside it."""

    COMMUNE = "commune"
    PROVINCE = "province"
    CENTRAL = "central"
    PARTY = "party"
    SCHOOL = "school"
    COMMUNITY = "community"
    ENTERPRISE = "enterprise"
    MARKET = "market"
    OTHER = "other"


class Named(Protocol):
    """An office or office kind, as far as its names go."""

    @property
    def slug(self) -> str:
        """Its key."""

    @property
    def name_vi(self) -> str:
        """Its name."""

    @property
    def aliases(self) -> Sequence[str]:
        """Other spellings of its name."""


def alias_keys(name_vi: str, aliases: Iterable[str]) -> list[str]:
    """The folded forms under which an office is found ("Phòng VH – XH" and "phong vh – xh" are one)."""
    return sorted({fold(words) for words in (name_vi, *aliases)})


def alias_faults(offices: Sequence[Named], *, field_name: str) -> Iterator[Fault]:
    """Names and aliases that two offices of one list would share."""
    owners: dict[str, str] = {}
    for at, office in enumerate(offices):
        for number, words in enumerate((office.name_vi, *office.aliases)):
            owner = owners.setdefault(fold(words), office.slug)
            if owner != office.slug:
                place = "name_vi" if number == 0 else f"aliases/{number - 1}"
                yield Fault(
                    OFFICE_ALIAS_AMBIGUOUS,
                    {"alias": words, "other": owner},
                    pointer=f"/{field_name}/{at}/{place}",
                    value=words,
                )


@dataclass(frozen=True, slots=True)
class KnownOffices:
    """The slugs a plan may name, and the slug behind every name and alias."""

    slugs: frozenset[str]
    by_alias: dict[str, str] = field(default_factory=dict)

    def faults(self, named: Sequence[str], pointer: str) -> Iterator[Fault]:
        """Offices of one list that are not known (a name instead of a slug is told its slug), or stand twice."""
        for number, office in enumerate(named):
            place = f"{pointer}/{number}"
            if office in named[:number]:
                yield Fault(OFFICE_REPEATED, {"office": office}, pointer=place, value=office)
            if office not in self.slugs:
                meant = self.by_alias.get(fold(office)) or suggest(office, self.slugs)
                yield Fault(OFFICE_UNKNOWN, {"office": office, **advice(meant)}, pointer=place, value=office)


def advice(meant: str | None) -> dict[str, str]:
    """The tail of a refusal that knows what was probably meant."""
    if meant is None:
        return {"suggestion_vi": "", "suggestion_en": ""}
    return {"suggestion_vi": f" Có phải là {meant}?", "suggestion_en": f" Did you mean {meant}?"}
