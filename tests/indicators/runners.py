"""Runners of imports to which something happens, and what is left of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from services.indicators.service.actuals import Progress
from services.indicators.service.running_imports import Runner
from services.indicators.store.imports import Claim
from tests.house import House
from tests.indicators.given import row

THREE = [row(), row(admin_unit="26434"), row(indicator="CASHLESS_RATE", value=70)]


class Killed(BaseException):
    """The end of a process: nobody cleans up."""


class Watched(Runner):
    """A runner to which something happens when it says how far it has come."""

    def __init__(self, house: House, happen: Callable[[Progress], Awaitable[None]], *, is_after: bool = False) -> None:
        super().__init__(house.composition.services["indicators"].state.house)
        self._happen = happen
        self._is_after = is_after

    async def tell(self, claim: Claim, progress: Progress | None) -> None:
        if progress is not None and not self._is_after:
            await self._happen(progress)
        await super().tell(claim, progress)
        if progress is not None and self._is_after:
            await self._happen(progress)


async def change(house: House, statement: str) -> None:
    """What time, or an operator, does to the tables."""
    async with house.database("indicators").write() as db:
        await db.execute(text(statement))


async def lapse(house: House) -> None:
    """Let the lease of whoever has an import run out."""
    await change(house, "UPDATE import SET due_at = clock_timestamp()")


async def ledger(house: House) -> dict[str, int]:
    """How much was written for figures."""
    rows = await house.rows("indicators")
    return {name: rows[name] for name in ("actual", "actual_revision", "posting", "outbox")}


NOTHING = {"actual": 0, "actual_revision": 0, "posting": 0, "outbox": 0}
ONCE = {"actual": 3, "actual_revision": 0, "posting": 1, "outbox": 2}


async def empty_outbox(house: House) -> None:
    """Give the events of the stock their positions, so that those of imports can be counted."""
    await house.sequence()
    assert await ledger(house) == NOTHING


async def killed_when(house: House, is_time: Callable[[Progress], bool]) -> None:
    """Run an import in a process that is killed in the middle."""

    async def happen(progress: Progress) -> None:
        if is_time(progress):
            raise Killed

    runner = Watched(house, happen)
    with pytest.raises(Killed):
        await runner.step()
    await runner.close()


async def stopped_in_the_middle(house: House) -> None:
    """Run an import in a process that is asked to end in the middle."""
    reached = asyncio.Event()

    async def happen(_progress: Progress) -> None:
        reached.set()
        await asyncio.Event().wait()

    runner = Watched(house, happen)
    task = asyncio.create_task(runner.step())
    await reached.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await runner.close()
