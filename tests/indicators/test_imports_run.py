"""Whatever happens while an import runs: either all of it is in, once, or nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import text

from chassis.tabular.pieces import pieces
from services.indicators.api import import_results
from services.indicators.domain.imports import State
from services.indicators.service import import_run
from services.indicators.service.import_run import CancelAsked, LeaseLost
from services.indicators.service.running_imports import Runner, clear_folders, run_imports
from services.indicators.service.terms import Progress
from services.indicators.store.imports import Claim
from tests.house import House, open_house
from tests.indicators.given import ACTUALS, items, post, row
from tests.indicators.importing import (
    IMPORTS,
    Watching,
    acted,
    counted,
    events,
    key,
    lines,
    look,
    opened,
    queued,
    run,
    run_import,
    send,
)

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


@pytest.fixture(autouse=True)
def _every_step_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_run, "TELL_SECONDS", 0.0)


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


@pytest.mark.parametrize("rows_written", [0, 3], ids=["before a row is written", "after all rows are"])
async def test_a_runner_that_is_killed_leaves_nothing_and_another_finishes(stocked: House, rows_written: int) -> None:
    await empty_outbox(stocked)
    import_id = await queued(stocked, lines(*THREE))
    await killed_when(stocked, lambda progress: progress.rows_checked == 3 and progress.rows_written == rows_written)
    assert await ledger(stocked) == NOTHING
    assert (await look(stocked, import_id))["state"] == "running"
    assert await run(stocked) == 0, "its lease still runs"

    await lapse(stocked)
    assert await run(stocked) == 1
    found = await look(stocked, import_id)
    assert (found["state"], counted(found["result"])) == ("done", {"received": 3, "created": 3})
    assert await ledger(stocked) == ONCE


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


async def test_a_runner_that_is_stopped_gives_its_import_back_at_once(stocked: House) -> None:
    await empty_outbox(stocked)
    import_id = await queued(stocked, lines(*THREE))
    await stopped_in_the_middle(stocked)
    assert (await look(stocked, import_id))["state"] == "queued"
    assert await run(stocked) == 1
    assert await ledger(stocked) == ONCE


async def test_a_runner_that_lost_its_lease_writes_nothing(stocked: House) -> None:
    await empty_outbox(stocked)
    slept, woken = asyncio.Event(), asyncio.Event()

    async def happen(progress: Progress) -> None:
        if progress.rows_checked and not slept.is_set():
            slept.set()
            await woken.wait()

    import_id = await queued(stocked, lines(*THREE))
    sleeper = Watched(stocked, happen)
    task = asyncio.create_task(sleeper.step())
    await slept.wait()
    await lapse(stocked)
    assert await run(stocked) == 1
    assert await ledger(stocked) == ONCE
    woken.set()
    assert await task is True
    await sleeper.close()
    assert await ledger(stocked) == ONCE
    assert (await look(stocked, import_id))["state"] == "done"


async def test_a_runner_that_wakes_at_its_end_finds_the_import_ended(stocked: House, monkeypatch: Any) -> None:
    await empty_outbox(stocked)
    import_id = await queued(stocked, lines(*THREE))
    monkeypatch.setattr(import_run, "TELL_SECONDS", 3600.0)

    async def happen(_progress: Progress) -> None:
        # Only the first step of the run is told; from here on it looks at nothing until its end.
        await change(stocked, "UPDATE import SET attempt = attempt + 1")

    late = Watched(stocked, happen, is_after=True)
    assert await late.step() is True
    await late.close()
    assert await ledger(stocked) == NOTHING
    await lapse(stocked)
    assert await run(stocked) == 1
    assert (await look(stocked, import_id))["state"] == "done"
    assert await ledger(stocked) == ONCE


async def test_an_import_whose_database_goes_away_is_tried_again(stocked: House) -> None:
    await empty_outbox(stocked)

    async def happen(progress: Progress) -> None:
        if progress.rows_written:
            await change(
                stocked,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()",
            )

    import_id = await queued(stocked, lines(*THREE))
    runner = Watched(stocked, happen)
    assert await runner.step() is True
    await runner.close()
    found = await look(stocked, import_id)
    assert (found["state"], found["problem"]) == ("queued", None)
    assert await ledger(stocked) == NOTHING
    assert await run(stocked) == 0, "it waits a little first"
    await lapse(stocked)
    assert await run(stocked) == 1
    assert await ledger(stocked) == ONCE


async def test_an_import_that_breaks_the_code_fails_without_a_word_of_the_inside(stocked: House) -> None:
    async def happen(_progress: Progress) -> None:
        raise ZeroDivisionError("the inside")

    import_id = await queued(stocked, lines(*THREE))
    runner = Watched(stocked, happen)
    assert await runner.step() is True
    await runner.close()
    found = await look(stocked, import_id)
    assert (found["state"], found["problem"]["code"], found["problem"]["status"]) == ("failed", "import_broke", 500)
    assert "inside" not in json.dumps(found)
    assert await items(stocked, ACTUALS) == []


async def test_an_import_of_which_five_runners_died_is_given_up(stocked: House) -> None:
    import_id = await queued(stocked, lines(*THREE))
    for _ in range(5):
        await killed_when(stocked, lambda _progress: True)
        await lapse(stocked)
    assert await run(stocked) == 1
    found = await look(stocked, import_id)
    assert (found["state"], found["problem"]["code"]) == ("failed", "import_given_up")
    assert found["problem"]["detail"].startswith("Given up after 5 attempts")


async def test_an_import_that_outages_end_again_and_again_is_given_up(stocked: House, tmp_path: Path) -> None:
    import_id = await queued(stocked, lines(*THREE))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path / "away"))
        for _ in range(20):
            assert await run(stocked) == 1
            assert (await look(stocked, import_id))["state"] == "queued"
            await lapse(stocked)
    assert await run(stocked) == 1
    found = await look(stocked, import_id)
    assert (found["state"], found["problem"]["code"]) == ("failed", "import_given_up")


async def test_orderly_restarts_are_not_held_against_an_import(stocked: House) -> None:
    import_id = await queued(stocked, lines(*THREE))
    for _ in range(6):
        await stopped_in_the_middle(stocked)
        assert (await look(stocked, import_id))["state"] == "queued"
    async with stocked.database("indicators").read() as db:
        assert (await db.execute(text("SELECT attempt, lapses, waits FROM import"))).one() == (6, 0, 0)
    assert await run(stocked) == 1
    assert (await look(stocked, import_id))["state"] == "done"


async def test_imports_of_two_runners_are_not_run_twice(stocked: House) -> None:
    await empty_outbox(stocked)
    ids = [await queued(stocked, lines(row(value=value))) for value in (81, 82, 83, 84)]
    ran = await asyncio.gather(run(stocked), run(stocked))
    assert sum(ran) == 4
    assert {(await look(stocked, import_id))["state"] for import_id in ids} == {"done"}
    async with stocked.database("indicators").read() as db:
        assert await db.scalar(text("SELECT max(attempt) FROM import")) == 1
    rows = await ledger(stocked)
    assert (rows["actual"], rows["actual_revision"], rows["posting"]) == (1, 3, 4)


# --- cancelling


async def test_what_waits_is_cancelled_at_once(stocked: House) -> None:
    receiving = (await opened(stocked))["import_id"]
    await send(stocked, receiving, lines(*THREE), 0, is_last=False)
    waiting = await queued(stocked, lines(*THREE))
    for import_id in (receiving, waiting):
        response = await acted(stocked, import_id, "cancel")
        assert (response.status_code, response.json()["state"]) == (200, "cancelled")
        again = await acted(stocked, import_id, "cancel")
        assert (again.status_code, again.json()["state"]) == (200, "cancelled")
        response = await send(stocked, import_id, b"x", len(lines(*THREE)), is_last=False)
        assert (response.status_code, response.json()["code"]) == (409, "import_not_receiving")
    assert await run(stocked) == 0
    assert (await stocked.rows("indicators"))["import_chunk"] == 0


@pytest.mark.parametrize("rows_written", [0, 3], ids=["before a row is written", "after all rows are"])
async def test_what_runs_is_cancelled_at_its_next_step(stocked: House, rows_written: int) -> None:
    await empty_outbox(stocked)
    import_id = await queued(stocked, lines(*THREE))
    states = []

    async def happen(progress: Progress) -> None:
        if progress.rows_checked and progress.rows_written == rows_written:
            states.append((await acted(stocked, import_id, "cancel")).json()["state"])

    # After the last row nothing is told any more: it is the end that finds the cancel.
    runner = Watched(stocked, happen, is_after=rows_written == 3)
    assert await runner.step() is True
    await runner.close()
    assert states == ["running"]
    found = await look(stocked, import_id)
    assert (found["state"], found["result"], found["problem"]) == ("cancelled", None, None)
    assert await ledger(stocked) == NOTHING
    assert (await stocked.rows("indicators"))["import_chunk"] == 0


async def test_what_is_over_is_not_cancelled(stocked: House) -> None:
    done = await run_import(stocked, lines(*THREE))
    response = await acted(stocked, done["import_id"], "cancel")
    assert (response.status_code, response.json()["code"]) == (409, "import_finished")
    posted = (await post(stocked, row(value=12))).json()["import_id"]
    response = await acted(stocked, posted, "cancel")
    assert (response.status_code, response.json()["code"]) == (409, "import_finished")


# --- watching


@pytest.fixture
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_results, "LOOK_SECONDS", 0.005)


@pytest.mark.usefixtures("_looks_often")
async def test_progress_is_streamed_until_the_import_is_over(stocked: House) -> None:
    import_id = await queued(stocked, lines(*THREE))
    watching = Watching(stocked, import_id)
    await watching.until('"state":"queued"')

    async def happen(progress: Progress) -> None:
        await watching.until(f'"state":"running","received_bytes":{len(lines(*THREE))}')
        await watching.until(f'"rows_written":{progress.rows_written}}}')

    runner = Watched(stocked, happen, is_after=True)
    assert await runner.step() is True
    await runner.close()
    told = await watching.end()

    assert watching.headers["content-type"].startswith("text/event-stream")
    assert (watching.headers["cache-control"], watching.headers["x-accel-buffering"]) == ("no-store", "no")
    assert watching.text.startswith("retry: 2000\n\n")
    assert [name for name, _ in told] == ["progress"] * (len(told) - 1) + ["done"]
    assert list(dict.fromkeys(said["state"] for _, said in told)) == ["queued", "running", "done"]
    written = [said["progress"]["rows_written"] for _, said in told]
    assert written == sorted(written)
    assert told[-1][1]["progress"] == {"rows_read": 3, "rows_checked": 3, "rows_written": 3}
    assert told[-1][1]["counts"]["created"] == 3


async def test_the_stream_of_what_is_over_ends_at_once(stocked: House) -> None:
    done = await run_import(stocked, lines(*THREE))
    posted = (await post(stocked, row(value=12))).json()["import_id"]
    for import_id in (done["import_id"], posted):
        response = await stocked.client.get(f"{IMPORTS}/{import_id}/progress", headers=stocked.admin)
        assert [(name, said["state"]) for name, said in events(response.text)] == [("done", "done")]


@pytest.mark.usefixtures("_looks_often")
async def test_streams_end_with_their_process(stocked: House) -> None:
    watching = Watching(stocked, await queued(stocked, lines(*THREE)))
    await watching.until("progress")
    stocked.composition.stop_waiting()
    assert [name for name, _ in await watching.end()] == ["progress"]


@pytest.mark.usefixtures("_looks_often")
async def test_a_stream_ends_after_a_while_and_its_watcher_comes_again(stocked: House, monkeypatch: Any) -> None:
    watching = Watching(stocked, await queued(stocked, lines(*THREE)))
    await watching.until("progress")
    monkeypatch.setattr(import_results, "LONGEST_SECONDS", 0.0)
    assert [name for name, _ in await watching.end()] == ["progress"]
    assert watching.text.startswith("retry: 2000\n\n")


@pytest.mark.usefixtures("_looks_often")
async def test_a_stream_without_news_says_that_it_lives(stocked: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_results, "PING_SECONDS", 0.001)
    watching = Watching(stocked, await queued(stocked, lines(*THREE)))
    await watching.until(": ping\n\n")
    stocked.composition.stop_waiting()
    await watching.end()


@pytest.mark.usefixtures("_looks_often")
async def test_the_stream_of_what_was_forgotten_ends(stocked: House) -> None:
    watching = Watching(stocked, await queued(stocked, lines(*THREE)))
    await watching.until("progress")
    await change(stocked, "DELETE FROM import")
    assert [name for name, _ in await watching.end()] == ["progress"]


# --- forgetting


async def test_imports_are_forgotten_when_their_time_is_over_and_figures_stay(stocked: House) -> None:
    done = await run_import(stocked, lines(*THREE))
    refused = await run_import(stocked, lines(row(value=1000)))
    waiting = await queued(stocked, lines(*THREE))
    await opened(stocked)
    await change(stocked, "UPDATE import SET expires_at = now()")
    runner = Runner(stocked.composition.services["indicators"].state.house)
    assert await runner.forget_expired() == 3
    assert await runner.forget_expired() == 0
    await runner.close()
    rows = await stocked.rows("indicators")
    assert (rows["import"], rows["import_error_part"]) == (1, 0)
    assert (await look(stocked, waiting))["state"] == "queued"
    gone = await stocked.client.get(f"{IMPORTS}/{refused['import_id']}", headers=stocked.admin)
    assert gone.status_code == 404
    kept = await look(stocked, done["import_id"])
    assert (kept["state"], kept["expires_at"], counted(kept["result"])) == ("done", None, {"received": 3, "created": 3})
    assert len(await items(stocked, ACTUALS)) == 3


async def test_statements_of_a_run_do_not_grow_with_the_rows(stocked: House) -> None:
    periods = ("2026-Q1", "2026-Q2", "2026-Q3", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05")
    codes = ("26491", "26434", "25378", "14161")
    many = [row(admin_unit=code, period=period, value=50) for code in codes for period in periods]
    numbers = []
    for rows in (many[:1], many):
        await queued(stocked, lines(*rows))
        runner = Runner(stocked.composition.services["indicators"].state.house)
        seen: list[str] = []
        stop = runner.database.listen(seen)
        assert await runner.step() is True
        stop()
        await runner.close()
        numbers.append(len(seen))
    assert numbers[0] == numbers[1]


async def test_a_key_used_again_asks_for_the_same_import(stocked: House) -> None:
    sent = {**stocked.admin, **key()}
    import_id = await queued(stocked, lines(*THREE))
    first = await stocked.client.post(f"{IMPORTS}/{import_id}/cancel", headers=sent)
    again = await stocked.client.post(f"{IMPORTS}/{import_id}/cancel", headers=sent)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")


async def test_an_import_of_several_lots_is_one_post(stocked: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_run, "LOT_ROWS", 2)
    monkeypatch.setattr(pieces, "__defaults__", (200,))  # bytes: the body comes in several tables
    codes = ("26491", "26434", "25378", "14161")
    rows = [row(admin_unit=code, period=period, value=50) for period in ("2026-Q1", "2026-Q2") for code in codes]
    found = await run_import(stocked, lines(*rows))
    assert counted(found["result"]) == {"received": 8, "created": 8}
    assert (await stocked.rows("indicators"))["posting"] == 1
    assert len(await items(stocked, ACTUALS)) == 8


def test_what_killed_processes_left_is_cleared_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, new, other = (tmp_path / name for name in ("chitieu-rows-a", "chitieu-import-b", "chitieu-test-c"))
    for folder in (old, new, other):
        folder.mkdir()
    for folder in (old, other):
        os.utime(folder, (0, 0))
    clear_folders()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chitieu-import-b", "chitieu-test-c"]


# --- the job


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


async def test_a_heartbeat_keeps_the_lease_of_a_long_run(hasty: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_run, "TELL_SECONDS", 3600.0)  # the run itself says nothing
    takers: list[int] = []

    async def happen(_progress: Progress) -> None:
        for _ in range(4):
            await asyncio.sleep(0.2)
            takers.append(await run(hasty))

    import_id = await queued(hasty, lines(*THREE))
    runner = Watched(hasty, happen)
    assert await runner.step() is True
    await runner.close()
    assert takers == [0, 0, 0, 0]
    assert (await look(hasty, import_id))["state"] == "done"


async def test_a_heartbeat_that_finds_the_lease_lost_or_the_database_away_says_nothing(hasty: House) -> None:
    class Deaf(Watched):
        beats = 0

        async def tell(self, claim: Claim, progress: Progress | None) -> None:
            if progress is None:
                Deaf.beats += 1
                raise (ConnectionError("away"), CancelAsked(), LeaseLost())[min(Deaf.beats - 1, 2)]
            await super().tell(claim, progress)

    async def happen(_progress: Progress) -> None:
        await asyncio.sleep(0.2)

    import_id = await queued(hasty, lines(*THREE))
    runner = Deaf(hasty, happen)
    assert await runner.step() is True
    await runner.close()
    assert Deaf.beats == 3
    assert (await look(hasty, import_id))["state"] == "done"


async def test_an_import_waits_where_its_rows_cannot_be_written_to_disk(stocked: House, tmp_path: Path) -> None:
    import_id = await queued(stocked, lines(*THREE))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path / "away"))
        assert await run(stocked) == 1
    assert (await look(stocked, import_id))["state"] == "queued"
    await lapse(stocked)
    assert await run(stocked) == 1
    assert (await look(stocked, import_id))["state"] == "done"
