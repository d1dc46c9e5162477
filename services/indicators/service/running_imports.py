"""Running imports: whoever is free takes the next one; all it does is one transaction, so nothing is done by half.

An import is held by a lease that a heartbeat renews. Who dies, or is cut off, loses it; the next one begins anew,
and the end of an import is written only by who holds it, together with its figures.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import structlog

from chassis.database import Database
from chassis.errors import HouseError, Refused
from chassis.house import House
from chassis.problems import is_passing
from chassis.settings import Settings
from services.indicators.domain.imports import (
    IMPORT_BROKE,
    IMPORT_GIVEN_UP,
    State,
    back_off_seconds,
    kept_problem,
    tries_in_vain,
)
from services.indicators.service.import_run import FOLDER, CancelAsked, LeaseLost, Run
from services.indicators.service.imports import kept_for
from services.indicators.service.terms import Progress
from services.indicators.store import imports as store
from services.indicators.store.imports import Claim, Ending

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 60
LOCK_SECONDS = 60  # an import waits so long for those who post to its units at once
CONNECTIONS = 3  # the import's own, one to say how far it has come, one for its heartbeat
FOLDERS = (FOLDER, "chitieu-rows-", "chitieu-errors-")  # of files that are of use to one process only
STALE_SECONDS = 24 * 3600


async def run_imports(house: House) -> None:
    """Run imports one after another for as long as the process lives."""
    runner = Runner(house)
    try:
        await runner.run()
    finally:
        await runner.close()


class Runner:
    """Takes imports and runs them, on connections of its own, under limits of their own."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._settings: Settings = house.settings
        self.database: Database = house.database.beside(_limits(house.settings))
        self._lease = timedelta(seconds=house.settings.import_lease_seconds)
        self._swept = float("-inf")

    async def run(self) -> None:
        """Look for imports and run them; a lost database is waited for."""
        await asyncio.to_thread(clear_folders)
        while True:
            try:
                while await self.step():
                    pass
                await self._sweep()
            except Exception as error:
                if not is_passing(error):
                    log.exception("imports_cannot_run")
                else:
                    log.warning("imports_wait", error=str(error) or type(error).__name__)
                await asyncio.sleep(self._settings.import_poll_seconds * 4)
            await asyncio.sleep(self._settings.import_poll_seconds)

    async def close(self) -> None:
        """Give the connections back."""
        await self.database.close()

    async def step(self) -> bool:
        """Take one import and run it to its end, or to where it has to wait; false where none is due."""
        async with self.database.write() as db:
            claim = await store.claim(db, self._lease)
        if claim is None:
            return False
        with structlog.contextvars.bound_contextvars(import_id=str(claim.import_id), attempt=claim.attempt):
            try:
                async with self._beating(claim):
                    await self._attempt(claim)
            except asyncio.CancelledError:  # the process ends: somebody else may take it at once
                await self._hand_back(claim)
                raise
        return True

    async def forget_expired(self) -> int:
        """Delete imports whose time is over."""
        async with self.database.write() as db:
            return await store.forget_expired(db)

    async def _sweep(self) -> None:
        if time.monotonic() - self._swept > SWEEP_SECONDS:
            self._swept = time.monotonic()
            while await self.forget_expired():
                pass

    @contextlib.asynccontextmanager
    async def _beating(self, claim: Claim) -> AsyncIterator[None]:
        task = asyncio.create_task(self._beat(claim))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _beat(self, claim: Claim) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            try:
                await self.tell(claim, None)
            except LeaseLost:
                return
            except CancelAsked:
                continue  # the run sees it at its next step
            except Exception as error:
                log.warning("import_heartbeat_failed", error=str(error) or type(error).__name__)

    async def tell(self, claim: Claim, progress: Progress | None) -> None:
        """Renew the lease and say how far the import has come.

        Raises:
            LeaseLost: it is somebody else's.
            CancelAsked: it is to stop.
        """
        rows = None if progress is None else (progress.rows_read, progress.rows_checked, progress.rows_written)
        async with self.database.write() as db:
            stops = await store.beat(db, claim, self._lease, rows)
        if stops is None:
            raise LeaseLost
        if stops:
            raise CancelAsked

    async def _attempt(self, claim: Claim) -> None:
        try:
            vain = tries_in_vain(claim.terms["lapses"], claim.terms["waits"])
            if vain is not None:
                raise Refused(IMPORT_GIVEN_UP, attempts=vain)
            await Run(self._house, self.database, claim, self.tell).to_the_end()
        except LeaseLost:
            log.warning("import_lost")
        except CancelAsked:
            await self._cancelled(claim)
        except Exception as error:
            await self._stopped(claim, error)

    async def _cancelled(self, claim: Claim) -> None:
        async with self.database.write() as db:
            await store.end_cancelled(db, claim, kept_for(self._settings))

    async def _hand_back(self, claim: Claim) -> None:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(2), self.database.write() as db:
                await store.hand_back(db, claim)

    async def _stopped(self, claim: Claim, error: Exception) -> None:
        """Nothing was written: tell the sender why, or try again later."""
        if is_passing(error):
            log.warning("import_waits", error=str(error) or type(error).__name__)
            wait = timedelta(seconds=back_off_seconds(claim.terms["waits"] + 1))
            async with self.database.write() as db:
                await store.put_back(db, claim, wait)
            return
        state, refusal = State.REFUSED, error
        if not isinstance(error, HouseError):
            log.exception("import_broke")
            state, refusal = State.FAILED, _Broken(IMPORT_BROKE)
        elif error.rule is IMPORT_GIVEN_UP:
            state = State.FAILED
        assert isinstance(refusal, HouseError)
        ending = Ending(state, kept_for(self._settings), problem=kept_problem(refusal))
        async with self.database.write() as db:
            await store.end(db, claim, ending)


class _Broken(HouseError):
    status = 500


def _limits(settings: Settings) -> Settings:
    """The same settings with the limits of imports: long statements, few connections."""
    return settings.model_copy(
        update={
            "database_pool_size": CONNECTIONS,
            "statement_timeout_seconds": settings.import_timeout_seconds,
            "request_timeout_seconds": settings.import_timeout_seconds,
            "lock_timeout_seconds": max(LOCK_SECONDS, settings.lock_timeout_seconds),
        }
    )


def _stale_folders() -> Iterator[Path]:
    for prefix in FOLDERS:
        for path in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > STALE_SECONDS:
                    yield path


def clear_folders() -> None:
    """Remove what processes left that were killed."""
    for path in list(_stale_folders()):
        shutil.rmtree(path, ignore_errors=True)
