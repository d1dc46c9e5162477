"""Offices and office kinds as they cross the border."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chassis.bodies import Body
from services.plans.domain.offices import OfficeLevel
from services.plans.schemas.values import AgencyCode, ShortWords, Slug, UnitCode, Words

Aliases = Annotated[
    list[ShortWords],
    Field(max_length=100, description="Spellings found in documents; they find the office and are never a key."),
]


class OfficeKindBody(Body):
    """A kind of office, shared by every unit that has one."""

    slug: Slug
    name_vi: ShortWords
    name_en: ShortWords
    level: OfficeLevel
    aliases: Aliases = Field([])
    note: Words | None = None


class OfficeKindsBody(Body):
    """The shared list of office kinds."""

    office_kinds: list[OfficeKindBody] = Field(max_length=2000)


class OfficeBody(Body):
    """An office of one unit; what is left out is taken from the shared kind of the same slug."""

    slug: Slug
    name_vi: ShortWords | None = Field(None, description="Left out: the kind's name.")
    name_en: ShortWords | None = Field(None, description="Left out: the kind's name.")
    level: OfficeLevel | None = Field(None, description="Left out: the kind's level.")
    aliases: Aliases = Field([], description="Spellings of this unit, beside those of the kind.")
    agency_code: AgencyCode | None = None


class OfficesBody(Body):
    """The offices of one unit."""

    offices: list[OfficeBody] = Field(max_length=1000)


class OfficeKindRow(OfficeKindBody):
    """A kind of office."""


class OfficeRow(Body):
    """An office of one unit, with what its kind gives it."""

    admin_unit: UnitCode
    slug: Slug
    name_vi: ShortWords
    name_en: ShortWords
    level: OfficeLevel
    aliases: Aliases
    agency_code: AgencyCode | None
    version: int = Field(description="One more with every change of the office or of its kind.")
