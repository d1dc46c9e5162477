"""Catalogue entries as they cross the border."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chassis.bodies import Body
from services.indicators.domain.catalogue import (
    Accumulation,
    Aggregation,
    DerivedFrom,
    Direction,
    Entry,
    Pillar,
    ValueType,
)
from services.indicators.schemas.values import IndicatorKey, ShortWords, UnitCode, Words


class IndicatorBody(Body):
    """What is measured, once for everybody (or, with a local code, for one unit)."""

    code: IndicatorKey
    name_vi: ShortWords
    name_en: ShortWords
    pillar: Pillar
    value_type: ValueType
    measure_unit: ShortWords | None = Field(None, description="Unit of measure as people write it: %, điểm wifi.")
    scale: str | None = Field(None, description="Lowest and highest figure: 0-100, 0-1, 1-5.", examples=["0-100"])
    direction: Direction
    aggregation: Aggregation = Field(description="How communes' figures become a province's.")
    accumulation: Accumulation = Field(Accumulation.UNKNOWN, description="unknown until someone states it.")
    derived_from: DerivedFrom = Field(
        DerivedFrom.POSTED, description="Where the figure comes from; one posted for a derived indicator is a claim."
    )
    allows_above_100: bool = Field(False, strict=True, description="Figures above the end of the scale are accepted.")
    numerator_vi: ShortWords | None = None
    denominator_vi: ShortWords | None = None
    related: Annotated[list[str], Field(max_length=100)] = Field([])
    note: Words | None = None

    def entry(self) -> Entry:
        """What the rules look at."""
        return Entry(
            self.code,
            self.value_type,
            self.measure_unit,
            self.scale,
            self.direction,
            self.aggregation,
            self.numerator_vi,
            self.denominator_vi,
            tuple(self.related),
        )


class CatalogueBody(Body):
    """The common catalogue, or with `owner` the local codes of one unit."""

    owner: UnitCode | None = Field(None, description="The unit whose local codes these are; absent: common codes.")
    indicators: Annotated[list[IndicatorBody], Field(max_length=5000)]


class IndicatorRow(IndicatorBody):
    """An entry as it is listed."""

    owner: str | None = Field(description="The unit whose local code it is.")
    used_by: list[str] = Field(description="Codes of the units whose plans have a target for it.")
