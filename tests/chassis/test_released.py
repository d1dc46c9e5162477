"""A session that waits for something gives its connection back meanwhile, and takes up again what it held."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from chassis.database import on_return, released
from tests.house import House


async def test_a_session_that_read_holds_no_connection_while_released(house: House) -> None:
    database = house.database("budget")
    async with database.write() as db:
        db.info["request_id"] = "r1"
        await db.execute(text("SELECT count(*) FROM follower"))
        assert database.engine.pool.checkedout() == 1  # type: ignore[attr-defined]
        async with released(db):
            assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
            async with database.write() as other:
                await other.execute(text("INSERT INTO follower (source, cursor) VALUES ('x', 'c')"))
        assert await db.scalar(text("SELECT cursor FROM follower")) == "c"
        assert db.info["request_id"] == "r1"
        await db.execute(text("UPDATE follower SET cursor = 'd'"))
    async with database.read() as db:
        assert await db.scalar(text("SELECT cursor FROM follower")) == "d"


@pytest.mark.parametrize(
    "statement", ["INSERT INTO follower (source, cursor) VALUES ('y', 'c')", "SELECT 1 FROM feed_head FOR UPDATE"]
)
async def test_a_session_that_wrote_or_locked_is_never_released(house: House, statement: str) -> None:
    async with house.database("budget").write() as db:
        await db.execute(text(statement))
        with pytest.raises(RuntimeError):
            async with released(db):
                raise AssertionError("never reached")


async def test_what_ends_with_the_transaction_is_taken_anew(house: House) -> None:
    async with house.database("budget").write() as db:
        lock = text("SELECT pg_try_advisory_xact_lock(7)")

        async def again() -> None:
            await db.execute(lock)

        await again()
        on_return(db, again)
        async with released(db), house.database("budget").write() as other:
            assert await other.scalar(lock) is True
        async with house.database("budget").write() as other:
            assert await other.scalar(lock) is False
