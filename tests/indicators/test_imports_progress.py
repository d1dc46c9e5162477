"""The progress of an import as a stream, until it is over."""

from __future__ import annotations

from typing import Any

import pytest

from services.indicators.api import import_results
from services.indicators.service.actuals import Progress
from tests.house import House
from tests.indicators.given import post, row
from tests.indicators.importing import (
    IMPORTS,
    Watching,
    events,
    lines,
    queued,
    run_import,
)
from tests.indicators.runners import (
    THREE,
    Watched,
    change,
)

pytestmark = pytest.mark.usefixtures("every_step_is_told")


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
