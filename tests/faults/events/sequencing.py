"""A sequencer without a service around it, so that it can die a hundred times a minute."""

from __future__ import annotations

import asyncio

import structlog

from chassis.database import Database
from chassis.sequencer import Sequencer
from chassis.settings import Settings


def sequence(url: str, service: str, batch: int) -> None:
    """Give events their positions until somebody kills us."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    asyncio.run(_sequence(url, service, batch))


async def _sequence(url: str, service: str, batch: int) -> None:
    database = Database(url, service, Settings(database_pool_size=1))
    await Sequencer(database, batch=batch, poll_seconds=0.005).run()
