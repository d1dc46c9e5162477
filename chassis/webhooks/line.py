"""A connection of the sender's own to the database."""

from __future__ import annotations

import asyncio
from typing import Any

from chassis.database import Database


class Line:
    """A connection of our own to the database, for one at a time; opened again after whatever went wrong."""

    def __init__(self, database: Database, seconds: float) -> None:
        self._database = database
        # A process that stands still in the middle of a transaction must not keep its locks for longer than its leases.
        limit = str(max(1, round(seconds * 1000)))
        self._limits = {"idle_in_transaction_session_timeout": limit, "statement_timeout": limit}
        self._turn = asyncio.Lock()
        self._connection: Any = None

    async def __aenter__(self) -> Any:
        await self._turn.acquire()
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._database.connect_aside(**self._limits)
        except BaseException:
            self._turn.release()
            raise
        return self._connection

    async def __aexit__(self, kind: object, *_error: object) -> None:
        if kind is not None:
            self._connection.terminate()
        self._turn.release()
