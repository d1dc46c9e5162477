"""The job that runs imports by itself: it goes on, keeps its leases and tidies up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from services.indicators.domain.imports import State
from services.indicators.service import import_run
from services.indicators.service.actuals import Progress
from services.indicators.service.import_run import CancelAsked, LeaseLost
from services.indicators.service.running_imports import Runner, clear_folders, run_imports
from services.indicators.store.imports import Claim
from tests.house import House, open_house
from tests.indicators.given import row
from tests.indicators.importing import (
    IMPORTS,
    lines,
    look,
    opened,
    queued,
    run,
)
from tests.indicators.runners import (
    THREE,
    Watched,
    change,
)

pytestmark = pytest.mark.usefixtures("every_step_is_told")


@pytest.fixture
async def hasty(admin_url: str, signing_key: OKPKey, stocked_template: str) -> AsyncIterator[House]:
    """A house that looks for imports without pause and takes a short silence for death."""
    hurry = {"import_poll_seconds": 0.01, "import_lease_seconds": 0.3}
    async with open_house(admin_url, signing_key, template=stocked_template, **hurry) as house:
        yield house


async def ended(house: House, import_id: str) -> str:
    """The state in which an import ends, or is after a while."""
    state = ""
    for _ in range(1000):
        state = (await look(house, import_id))["state"]
        if State(state).is_finished:
            break
        await asyncio.sleep(0.01)
    return state


@contextlib.asynccontextmanager
async def at_work(job: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """A job that runs while the block lasts."""
    task = asyncio.create_task(job)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_service_runs_imports_by_itself_and_forgets_old_ones(hasty: House) -> None:
    old = (await opened(hasty))["import_id"]
    await change(hasty, "UPDATE import SET expires_at = now()")
    async with at_work(run_imports(hasty.composition.services["indicators"].state.house)):
        for value in (81, 82):
            assert await ended(hasty, await queued(hasty, lines(row(value=value)))) == "done"
        for _ in range(1000):
            response = await hasty.client.get(f"{IMPORTS}/{old}", headers=hasty.admin)
            if response.status_code == 404:
                break
            await asyncio.sleep(0.01)
    assert response.status_code == 404


class Stumbling(Runner):
    """A runner that fails before it takes anything, once by an outage and once by a fault."""

    def __init__(self, house: House) -> None:
        super().__init__(house.composition.services["indicators"].state.house)
        self._troubles: list[Exception] = [ConnectionError("away"), ZeroDivisionError("a fault")]

    async def step(self) -> bool:
        if self._troubles:
            raise self._troubles.pop(0)
        return await super().step()


async def test_the_job_goes_on_whatever_befalls_it(hasty: House) -> None:
    import_id = await queued(hasty, lines(*THREE))
    runner = Stumbling(hasty)
    async with at_work(runner.run()):
        assert await ended(hasty, import_id) == "done"
    await runner.close()


class Beating(Watched):
    """A runner whose heartbeats can be waited for."""

    def __init__(self, house: House, happen: Callable[[Progress], Awaitable[None]]) -> None:
        super().__init__(house, happen)
        self.beats: asyncio.Queue[None] = asyncio.Queue()

    async def tell(self, claim: Claim, progress: Progress | None) -> None:
        try:
            await super().tell(claim, progress)
        finally:
            if progress is None:
                self.beats.put_nowait(None)


async def test_a_heartbeat_keeps_the_lease_of_a_long_run(hasty: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_run, "TELL_SECONDS", 3600.0)  # the run itself says nothing
    takers: list[int] = []

    async def happen(_progress: Progress) -> None:
        for _ in range(4):  # three beats are a lease
            await asyncio.wait_for(runner.beats.get(), 30)
            takers.append(await run(hasty))

    import_id = await queued(hasty, lines(*THREE))
    runner = Beating(hasty, happen)
    assert await runner.step() is True
    await runner.close()
    assert takers == [0, 0, 0, 0]
    assert (await look(hasty, import_id))["state"] == "done"


async def test_a_heartbeat_that_finds_the_lease_lost_or_the_database_away_says_nothing(hasty: House) -> None:
    troubles: list[Exception] = [ConnectionError("away"), CancelAsked(), LeaseLost()]
    lost = asyncio.Event()

    class Deaf(Watched):
        async def tell(self, claim: Claim, progress: Progress | None) -> None:
            if progress is not None:
                await super().tell(claim, progress)
                return
            trouble = troubles.pop(0)
            if not troubles:
                lost.set()
            raise trouble

    async def happen(_progress: Progress) -> None:
        await asyncio.wait_for(lost.wait(), 30)

    import_id = await queued(hasty, lines(*THREE))
    runner = Deaf(hasty, happen)
    assert await runner.step() is True
    await runner.close()
    assert troubles == []
    assert (await look(hasty, import_id))["state"] == "done"


def test_what_killed_processes_left_is_cleared_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, new, other = (tmp_path / name for name in ("chitieu-rows-a", "chitieu-import-b", "chitieu-test-c"))
    for folder in (old, new, other):
        folder.mkdir()
    for folder in (old, other):
        os.utime(folder, (0, 0))
    clear_folders()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chitieu-import-b", "chitieu-test-c"]
