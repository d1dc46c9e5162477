"""A connection cut at a bad moment confuses the driver; whoever was served by it may try again."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis.problems import is_passing
from tests.chassis.conftest import Desk

CONFUSED = asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")


async def _confused(*_arguments: Any, **_options: Any) -> Any:
    raise CONFUSED


async def test_a_statement_of_a_confused_connection_may_be_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk.database.read() as db:
        monkeypatch.setattr(asyncpg.Connection, "prepare", _confused)
        with pytest.raises(DBAPIError) as raised:
            await db.execute(text("SELECT 1 AS never"))
        monkeypatch.undo()
    assert is_passing(raised.value)
    async with desk.database.read() as db:
        assert await db.scalar(text("SELECT 1")) == 1


async def test_so_may_what_is_read_past_sqlalchemy(desk: Desk) -> None:
    with pytest.raises(DBAPIError) as raised:
        async with desk.database.driver():
            raise CONFUSED
    assert is_passing(raised.value)
    async with desk.database.driver() as connection:
        assert await connection.fetchval("SELECT 1") == 1
