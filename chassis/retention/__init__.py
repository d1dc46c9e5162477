"""How long the log is kept: what is older leaves it for archives (docs/adr/0014)."""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from chassis.database import Database
from chassis.event_log import Envelope
from chassis.retention.files import EVERYWHERE, PUBLIC, Written, fault_of
from chassis.retention.sweep import Sweeper
from chassis.settings import Settings

__all__ = ["EVERYWHERE", "PUBLIC", "Sweeper", "Written", "fault_of", "run", "sweeper"]

log = structlog.get_logger(__name__)
SWEEP_SECONDS = 900.0


def sweeper(database: Database, settings: Settings) -> Sweeper:
    """Who sweeps the log of a service by the settings."""
    envelope = Envelope(database.service, settings.public_url)
    return Sweeper(database, envelope, settings.archives, settings.events_kept_days)


class Kept(Protocol):
    """Whose log is kept."""

    @property
    def database(self) -> Database:
        """Where it is."""

    @property
    def settings(self) -> Settings:
        """How long, and where its archives go."""


async def run(house: Kept) -> None:
    """Sweep every quarter of an hour for as long as the process lives; nearly every time there is nothing to do."""
    own = sweeper(house.database, house.settings)
    while True:
        try:
            await own.sweep()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.warning("sweep_failed", service=house.database.service, error=str(error) or repr(error))
        await asyncio.sleep(SWEEP_SECONDS)
