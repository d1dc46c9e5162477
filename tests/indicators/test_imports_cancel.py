"""What waits is cancelled at once, what runs at its next step, what is over not at all."""

from __future__ import annotations

import pytest

from services.indicators.service.actuals import Progress
from tests.house import House
from tests.indicators.given import post, row
from tests.indicators.importing import (
    IMPORTS,
    acted,
    key,
    lines,
    look,
    opened,
    queued,
    run,
    run_import,
    send,
)
from tests.indicators.runners import (
    NOTHING,
    THREE,
    Watched,
    empty_outbox,
    ledger,
)

pytestmark = pytest.mark.usefixtures("every_step_is_told")


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


async def test_a_cancel_sent_again_under_its_key_gets_the_same_answer(stocked: House) -> None:
    sent = {**stocked.admin, **key()}
    import_id = await queued(stocked, lines(*THREE))
    first = await stocked.client.post(f"{IMPORTS}/{import_id}/cancel", headers=sent)
    again = await stocked.client.post(f"{IMPORTS}/{import_id}/cancel", headers=sent)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
