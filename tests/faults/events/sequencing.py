"""A sequencer, and a sweeper of the log, without a service around them: they can die a hundred times a minute."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from chassis import retention
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


def sweep(url: str, service: str, archives: Path, public_url: str) -> None:
    """Sweep the log once; where another one is at it, or was killed at it just now, wait for him."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    asyncio.run(_sweep(url, service, archives, public_url))


async def _sweep(url: str, service: str, archives: Path, public_url: str) -> None:
    settings = Settings(database_pool_size=1, archive_dir=archives, public_url=public_url)
    sweeper, is_done = retention.sweeper(Database(url, service, settings), settings), False
    while not is_done:
        is_done = await sweeper.sweep()
        await asyncio.sleep(0 if is_done else 0.05)
