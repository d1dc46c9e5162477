"""What is heard from the plans service is taken in: units, offices, plan headers; older versions never win."""

from __future__ import annotations

from typing import Any

from chassis.database import Session
from chassis.replica import newest
from services.indicators.schemas.heard import OfficeHeard, PlanHeard, UnitHeard
from services.indicators.store import replicas

Rows = list[dict[str, Any]]


async def hear_listed_units(db: Session, validities: Rows) -> None:
    """Units as a list tells them, one row per validity."""
    await replicas.keep_validities(db, [UnitHeard(**row).model_dump() for row in validities])


async def hear_units(db: Session, units: Rows) -> None:
    """Units as events tell them, with all their validities; none: the code was removed."""
    latest = newest(units, ["code"])
    heads = [{"code": unit["code"], "version": unit["version"]} for unit in latest]
    told = [{**row, **head} for unit, head in zip(latest, heads, strict=True) for row in unit["validities"]]
    await replicas.replace_units(db, heads, [UnitHeard(**row).model_dump() for row in told])


async def hear_offices(db: Session, offices: Rows) -> None:
    """Offices as lists and events tell them."""
    await replicas.keep_offices(db, [OfficeHeard(**row).model_dump() for row in offices])


async def hear_removed_offices(db: Session, offices: Rows) -> None:
    """Offices that their units no longer have."""
    await replicas.drop_offices(db, offices)


async def hear_plans(db: Session, headers: Rows) -> None:
    """Plan headers as lists and events tell them."""
    await replicas.keep_plans(db, [PlanHeard(**row).model_dump() for row in headers])


async def forget_units(db: Session) -> None:
    """What was heard of units no longer counts: their list is read anew."""
    await replicas.forget_units(db)


async def forget_offices(db: Session) -> None:
    """What was heard of offices no longer counts: their list is read anew."""
    await replicas.forget_offices(db)


async def forget_plans(db: Session) -> None:
    """What was heard of plans no longer counts: their list is read anew."""
    await replicas.forget_plans(db)
