"""Whatever happens while an import runs: either all of it is in, once, or nothing."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from services.indicators.service import import_run
from services.indicators.service.actuals import Progress
from tests.house import House
from tests.indicators.given import ACTUALS, items, row
from tests.indicators.importing import (
    counted,
    lines,
    look,
    queued,
    run,
)
from tests.indicators.runners import (
    NOTHING,
    ONCE,
    THREE,
    Watched,
    change,
    empty_outbox,
    killed_when,
    lapse,
    ledger,
    stopped_in_the_middle,
)

pytestmark = pytest.mark.usefixtures("every_step_is_told")


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


async def test_an_import_waits_where_its_rows_cannot_be_written_to_disk(stocked: House, tmp_path: Path) -> None:
    import_id = await queued(stocked, lines(*THREE))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path / "away"))
        assert await run(stocked) == 1
    assert (await look(stocked, import_id))["state"] == "queued"
    await lapse(stocked)
    assert await run(stocked) == 1
    assert (await look(stocked, import_id))["state"] == "done"
