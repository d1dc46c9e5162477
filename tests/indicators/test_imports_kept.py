"""What a run costs and leaves: statements, one post of many lots, and imports that are forgotten in time."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from chassis.tabular.pieces import pieces
from services.indicators.service import import_run
from services.indicators.service.running_imports import Runner
from tests.house import House
from tests.indicators.given import ACTUALS, items, row
from tests.indicators.importing import (
    IMPORTS,
    acted,
    counted,
    lines,
    look,
    opened,
    queued,
    run_import,
    running,
    send,
)
from tests.indicators.runners import (
    THREE,
    change,
)


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


async def test_an_upload_without_a_piece_for_two_days_is_forgotten(stocked: House) -> None:
    async def hours(import_id: str) -> float:
        """How long it is kept from now on."""
        asked = text(
            "SELECT extract(epoch FROM expires_at - clock_timestamp()) / 3600 FROM import WHERE import_id = :id"
        )
        async with stocked.database("indicators").read() as db:
            return round(float(await db.scalar(asked, {"id": import_id}) or 0), 1)

    content = lines(*THREE)
    abandoned, resumed, cancelled = [(await opened(stocked))["import_id"] for _ in range(3)]
    await send(stocked, abandoned, content[:10], 0, is_last=False)
    await change(stocked, "UPDATE import SET expires_at = now() + interval '1 hour'")
    await send(stocked, resumed, content[:10], 0, is_last=False)
    assert [await hours(each) for each in (abandoned, resumed, cancelled)] == [1, 48, 1]
    assert (await acted(stocked, cancelled, "cancel")).status_code == 200
    await change(stocked, "UPDATE import SET expires_at = expires_at - interval '2 hours'")
    async with running(stocked) as runner:
        assert await runner.forget_expired() == 1
        response = await send(stocked, abandoned, content[10:], 10, is_last=True)
        assert (response.status_code, response.json()["code"]) == (404, "import_unknown")
        await send(stocked, resumed, content[10:], 10, is_last=True)
        assert [await hours(each) for each in (resumed, cancelled)] == [30 * 24, 30 * 24 - 2]
        assert await runner.step() is True
    assert (await look(stocked, resumed))["state"] == "done"
    assert [each["import_id"] for each in await items(stocked, IMPORTS)] == sorted((resumed, cancelled))


async def test_statements_of_a_run_do_not_grow_with_the_rows(stocked: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_run, "TELL_SECONDS", 3600.0)  # a slow run would tell more than a quick one
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
    assert numbers == [21, 21]


async def test_an_import_of_several_lots_is_one_post(stocked: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_run, "LOT_ROWS", 2)
    monkeypatch.setattr(pieces, "__defaults__", (200,))  # bytes: the body comes in several tables
    codes = ("26491", "26434", "25378", "14161")
    rows = [row(admin_unit=code, period=period, value=50) for period in ("2026-Q1", "2026-Q2") for code in codes]
    found = await run_import(stocked, lines(*rows))
    assert counted(found["result"]) == {"received": 8, "created": 8}
    assert (await stocked.rows("indicators"))["posting"] == 1
    assert len(await items(stocked, ACTUALS)) == 8
