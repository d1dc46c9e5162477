"""Every fault of the log, in short; the long form is `make faults`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.faults.events.__main__ import SCENARIOS
from tests.faults.events.arena import arena
from tests.faults.events.hooks import SETTINGS
from tests.faults.events.work import Work, at_work

pytestmark = [pytest.mark.slow, pytest.mark.long]

TIMES = {"kills": 4, "frozen": 1, "cuts": 3, "held": 1, "full": 1, "nats": 1, "restored": 1, "retired": 2}


@pytest.fixture(scope="module")
async def work() -> AsyncIterator[Work]:
    """One arena for all scenarios, one after the other, on one log."""
    async with arena(services=1, **SETTINGS) as made, at_work(made, seed=11) as prepared:
        yield prepared


@pytest.mark.parametrize("name", SCENARIOS)
async def test_every_promise_holds(work: Work, name: str) -> None:
    verdict = await work.verdict(name, SCENARIOS[name].scenario, TIMES[name])
    assert verdict.broken == []
    assert verdict.lost_by_the_naive, "a checker that finds nothing in a reader by ids would find nothing at all"
