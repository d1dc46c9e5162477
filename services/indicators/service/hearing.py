"""What is heard from the plans service is taken in: units, offices, plan headers; older versions never win."""

from __future__ import annotations

from chassis.database import Session
from services.indicators.schemas.heard import OfficeHeard, PlanHeard, UnitHeard
from services.indicators.service.applying import Rows
from services.indicators.store import replicas


async def hear_listed_units(db: Session, validities: Rows) -> None:
    """Units as a list tells them, one row per validity."""
    await replicas.record_validities(db, [UnitHeard(**row).model_dump() for row in validities])


async def hear_units(db: Session, units: Rows) -> None:
    """Units as events tell them, with all their validities."""
    await replicas.replace_units(db, units)


async def hear_offices(db: Session, offices: Rows) -> None:
    """Offices as lists and events tell them."""
    await replicas.record_offices(db, [OfficeHeard(**row).model_dump() for row in offices])


async def hear_removed_offices(db: Session, offices: Rows) -> None:
    """Offices that their units no longer have."""
    await replicas.remove_offices(db, offices)


async def hear_plans(db: Session, headers: Rows) -> None:
    """Plan headers as lists and events tell them."""
    await replicas.record_plans(db, [PlanHeard(**row).model_dump() for row in headers])
