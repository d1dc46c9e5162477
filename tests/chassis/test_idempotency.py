"""The same request twice: one effect, one answer."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from tests.chassis.conftest import Desk


async def events(desk: Desk) -> int:
    async with desk.database.read() as db:
        return int((await db.execute(text("SELECT count(*) FROM outbox"))).scalar_one())


async def test_a_repeat_gets_the_stored_reply_and_writes_once(desk: Desk) -> None:
    first = await desk.post("một", key="k1")
    again = await desk.post("một", key='"k1"')
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await events(desk) == 1


async def test_another_request_under_the_same_key_is_refused(desk: Desk) -> None:
    await desk.post("một", key="k1")
    other = await desk.post("hai", key="k1")
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"
    assert await events(desk) == 1


async def test_a_refusal_is_not_kept(desk: Desk) -> None:
    assert (await desk.post("TO", key="k1")).status_code == 422
    assert (await desk.post("nhỏ", key="k1")).status_code == 201


async def test_a_running_twin_is_told_to_wait(desk: Desk) -> None:
    async with desk.database.write() as db:
        await db.execute(text("INSERT INTO aggregate_head VALUES ('a', 0, '-infinity')"))
        await db.execute(text("SELECT 1 FROM aggregate_head WHERE subject = 'a' FOR UPDATE"))
        first = asyncio.create_task(desk.post("một", key="k1"))
        await wait_for_advisory_lock(desk)
        twin = await desk.post("một", key="k1")
    assert twin.status_code == 409
    assert twin.json()["code"] == "request_in_progress"
    assert twin.headers["Retry-After"] == "1"
    assert (await first).status_code == 201


async def wait_for_advisory_lock(desk: Desk) -> None:
    for _ in range(500):
        async with desk.database.read() as db:
            found = await db.execute(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"))
            if found.scalar_one():
                return
        await asyncio.sleep(0.01)
    raise AssertionError("the first request never took its lock")


async def test_a_dry_run_is_never_kept(desk: Desk) -> None:
    headers = {**desk.whole.admin, "Idempotency-Key": "k1"}
    body = {"subject": "a", "text": "thử"}
    dry = await desk.client.post("/v1/plans/notes?dry_run=true", json=body, headers=headers)
    assert dry.status_code == 201
    assert await events(desk) == 0
    real = await desk.client.post("/v1/plans/notes", json=body, headers=headers)
    assert "Idempotency-Replayed" not in real.headers
    assert await events(desk) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "ô"])
async def test_a_bad_key_is_unreadable(desk: Desk, key: str) -> None:
    headers = [*desk.whole.admin.items(), ("Idempotency-Key", key.encode())]
    response = await desk.client.post("/v1/plans/notes", json={"subject": "a", "text": "b"}, headers=headers)
    assert response.status_code == 400
    assert response.json()["code"] == "idempotency_key_invalid"
    assert await events(desk) == 0


async def test_a_missing_key_is_named(desk: Desk) -> None:
    response = await desk.client.post("/v1/plans/notes", json={"subject": "a", "text": "b"}, headers=desk.whole.admin)
    assert response.status_code == 400
    assert response.json()["code"] == "idempotency_key_missing"


async def test_a_key_is_kept_thirty_days(desk: Desk) -> None:
    await desk.post("một", key="k1")
    await desk.post("hai", key="k2")
    engine = desk.whole.database("plans").engine
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE idempotency_key SET at = at - interval '31 days'")
    again = await desk.post("ba", key="k1")
    assert (again.status_code, again.json()["text"]) == (201, "ba")
    async with engine.connect() as connection:
        kept = await connection.exec_driver_sql("SELECT key FROM idempotency_key")
        assert [row[0] for row in kept] == ["k1"]
