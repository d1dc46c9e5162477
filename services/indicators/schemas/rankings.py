"""Rankings as they cross the border: what was compared, how, how complete it is, and who stands where."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from chassis.bodies import Body
from services.indicators.domain.ranking import Method
from services.indicators.schemas.actuals import ActualRow


class RankedUnit(Body):
    """One commune's place."""

    place: int = Field(description="1 is best; equal figures share a place.")
    admin_unit: str
    actual: ActualRow = Field(description="The figure it is ranked by; its period may be older than others'.")


class Coverage(Body):
    """How many of the communes whose plans have the target are ranked."""

    counted: int = Field(description="Communes with the target that have a place.")
    communes: int = Field(description="Communes whose plans of the year, as far as the caller sees, have the target.")


class RankingRow(Body):
    """Communes of one province by their latest figure of one indicator, within one regime and kind of period."""

    province: str = Field(description="Communes of two provinces are never ranked together.")
    indicator: str
    sub_population: str | None = Field(description="The part of the population compared; null: the whole.")
    year: int = Field(description="The year whose figures and plans count.")
    on: date = Field(description="Latest is the greatest end on or before this day.")
    method: Method
    regime: str | None = Field(description="The regime whose figures are compared; null: there is no figure.")
    period_type: str | None = Field(description="The kind of period compared; null: there is no figure.")
    counted: int = Field(description="Communes with a place.")
    coverage: Coverage
    items: list[RankedUnit] = Field(description="Best first.")
