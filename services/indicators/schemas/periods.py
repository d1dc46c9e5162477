"""Regimes and periods as they cross the border."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from chassis.bodies import Body
from chassis.periods import DueRule, PeriodType
from services.indicators.domain.periods import REPORTING_WINDOW_DAYS, Stated, UnitDueRule
from services.indicators.schemas.values import ShortWords, UnitCode, Words, Year

RegimeCode = Annotated[str, Field(pattern=r"^[a-z0-9]+([_-][a-z0-9]+)*$", max_length=60, examples=["state"])]


class DueRuleBody(Body):
    """When reports of one kind of period are due: a day of its last month, or of a month after it."""

    admin_unit: UnitCode | None = Field(None, description="The unit that stated it; absent: everybody.")
    period_type: PeriodType
    day: int = Field(strict=True, ge=1, le=31, description="A day the month does not have is its last day.")
    months_after: int = Field(0, strict=True, ge=0, le=12)
    source: Words | None = Field(None, description="Where it is stated.")

    @model_validator(mode="after")
    def _is_of_months(self) -> Self:
        if self.period_type in (PeriodType.DAY, PeriodType.WEEK):
            raise PydanticCustomError("period_type_of_months", "reports of days and weeks have no due rule")
        return self


class RegimeBody(Body):
    """A reporting regime: how it cuts the year, and when its reports are due."""

    code: RegimeCode
    name_vi: ShortWords
    name_en: ShortWords
    opens_on_day: int = Field(
        1, strict=True, ge=1, le=31, description="1: the calendar; 15: from the 15th of the month before."
    )
    period_types: Annotated[list[PeriodType], Field(min_length=1, max_length=7)]
    first_year: Year
    last_year: Year
    default_for: Annotated[list[str], Field(max_length=10_000)] = Field(
        [], description="Units, provinces or * whose figures are under this regime unless said otherwise."
    )
    reporting_window_days: int = Field(
        REPORTING_WINDOW_DAYS, strict=True, ge=0, le=366, description="Days before the due day when reports open."
    )
    due_rules: Annotated[list[DueRuleBody], Field(max_length=20_000)] = Field([])
    source: Words | None = None
    note: Words | None = None

    def stated(self) -> Stated:
        """What the rules look at."""
        rules = [UnitDueRule(DueRule(r.period_type, r.day, r.months_after), r.admin_unit or "") for r in self.due_rules]
        years = (self.first_year, self.last_year)
        return Stated(self.code, self.opens_on_day, years, tuple(self.default_for), tuple(rules))


class RegimesBody(Body):
    """The regimes."""

    regimes: Annotated[list[RegimeBody], Field(max_length=200)]


class RegimeRow(RegimeBody):
    """A regime as it is listed."""


class PeriodRow(Body):
    """A period with the days its regime gives it; both ends are included."""

    regime: str
    code: str = Field(examples=["2026-Q2"])
    period_type: PeriodType
    year: int
    starts_on: date
    ends_on: date
    due_on: date | None = Field(description="For the unit asked for, else for everybody; null: none is stated.")
    name_vi: str = Field(examples=["Quý II/2026"])
    name_en: str
