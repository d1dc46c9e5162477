"""Where the log is put to the test: a PostgreSQL, several processes of one service, and sequencers beside them.

Whoever holds it may end, freeze or cut off any of them at any moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from random import Random

import asyncpg
import httpx2
from sqlalchemy import make_url

from benchmarks.stage import Process, Stoppable
from chassis.database import Database
from chassis.feed import encode_position
from chassis.keys import Signer, ensure_key
from chassis.postgres import EmbeddedPostgres
from chassis.settings import Settings
from chitieu.migrate import migrate
from chitieu.places import DATABASE, ensure_database, target_of
from chitieu.tokens import EVERY_SCOPE
from tests.chitieu.processes import PUBLIC_URL, postmaster_of
from tests.faults.events.disk import MIB, Disk, small_disk
from tests.faults.events.sequencing import sequence, sweep
from tests.nats import Nats, nats

SERVICE = "plans"
# Its own log is kept small: the disk is full when a scenario says so, not before.
SERVER = {"max_prepared_transactions": "10", "max_wal_size": "128MB", "min_wal_size": "64MB"}
SETTINGS = {
    # Small, so that a backlog is many passes and a pass often ends in the middle of one transaction's events.
    "CHITIEU_SEQUENCER_BATCH": "7",
    "CHITIEU_LOG_LEVEL": "WARNING",
}
TIMEOUT = httpx2.Timeout(10, connect=2)
LOST = (httpx2.TransportError, OSError, TimeoutError)  # what a client of the service sees of a death
# What a caller of the driver sees when the server goes away under him; the last one is the driver's own confusion.
LOST_SERVER = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
PATIENCE_SECONDS, PAUSE_SECONDS = 60.0, 0.02
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.faults.events.sequencing"])


def beginning(epoch: int = 1) -> str:
    """The cursor before the first event."""
    return encode_position(f"{epoch}.0")


class LoneSequencer(Stoppable):
    """A sequencer as a process of its own."""

    def __init__(self, url: str, settings: Settings) -> None:
        self.url = url
        self._told = (SERVICE, settings.sequencer_batch)
        self.start()

    def start(self) -> None:
        """Start it."""
        self._process = _FORKS.Process(target=sequence, args=(self.url, *self._told), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process.pid is not None
        return self._process.pid

    def stop(self) -> None:
        """End it at once."""
        os.kill(self.pid, signal.SIGKILL)
        self._process.join(10)


class LoneSweeper:
    """One sweep of the log in a process of its own."""

    def __init__(self, arena: Arena) -> None:
        told = (arena.login_url, SERVICE, arena.settings.archives, PUBLIC_URL)
        self._process = _FORKS.Process(target=sweep, args=told, daemon=True)
        self._process.start()

    def stop(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.join(10)

    def join(self) -> None:
        """Wait for its end."""
        self._process.join(PATIENCE_SECONDS)
        assert self._process.exitcode == 0, "the log could not be swept"


class Arena:
    """PostgreSQL, several processes of one service, and sequencers beside them."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.server = EmbeddedPostgres(folder / "data", settings=SERVER)
        self.told = {**SETTINGS, **settings}
        self.settings = Settings(data_dir=folder)
        self.processes: list[Process] = []
        self.sequencers: list[LoneSequencer] = []
        self.disk: Disk | str = "none was made"
        self.nats: Nats | None = None
        self.writers_url = ""  # another way to the database, for writers without HTTP

    async def open(self, services: int, sequencers: int) -> None:
        """Start and migrate the server, then so many processes of the service and so many sequencers."""
        self.server.start()
        await ensure_database(self.server)
        own = {name.removeprefix("CHITIEU_").lower(): value for name, value in self.told.items()}
        self.settings = Settings(data_dir=self.server.data_dir, database_url=self.admin_url, **own)  # type: ignore[arg-type]
        ensure_key(self.settings)
        target = target_of(self.settings, SERVICE)
        assert target is not None
        await migrate([target])
        self.processes = [Process(SERVICE, self.folder / f"{SERVICE}-{number}.log") for number in range(services)]
        for process in self.processes:
            process.settings = self.environment(self.admin_url)
        await asyncio.gather(*(asyncio.to_thread(process.start) for process in self.processes))
        self.sequencers = [LoneSequencer(self.login_url, self.settings) for _ in range(sequencers)]

    def environment(self, admin_url: str) -> Mapping[str, str]:
        """The settings of a process of the service that reaches its database there."""
        return {
            "CHITIEU_DATA_DIR": str(self.settings.data_dir),
            "CHITIEU_DATABASE_URL": admin_url,
            **self.told,
        }

    @property
    def socket_folder(self) -> Path:
        """Where the server's socket lies."""
        return Path(str(make_url(self.server.admin_url).query["host"]))

    def close(self) -> None:
        """End everything and remove the data."""
        for one in (*self.sequencers, *self.processes):
            with contextlib.suppress(OSError):
                one.stop()
        self.server.discard()

    @property
    def admin_url(self) -> str:
        """The service's database, as the superuser."""
        return make_url(self.server.admin_url).set(database=DATABASE).render_as_string(hide_password=False)

    @property
    def login_url(self) -> str:
        """The service's database, as the service."""
        target = target_of(self.settings, SERVICE)
        assert target is not None
        return target.login_url

    def database(self) -> Database:
        """The service's database, for writers without HTTP."""
        return Database(self.writers_url or self.login_url, SERVICE, self.settings)

    async def connect(self) -> asyncpg.Connection:
        """A connection that looks at the service's tables, as the superuser."""
        connection = await asyncpg.connect(self.admin_url, command_timeout=60)
        await connection.execute(f"SET search_path = {SERVICE}; SET idle_in_transaction_session_timeout = 0")
        return connection

    def headers(self) -> dict[str, str]:
        """The Authorization header of a caller who may do everything."""
        token = Signer(ensure_key(self.settings), self.settings).mint("faults", EVERY_SCOPE, ["*"], seconds=24 * 3600)
        return {"Authorization": f"Bearer {token}", "Accept-Language": "en"}

    def client(self) -> httpx2.AsyncClient:
        """A client of any of the processes: addresses are absolute."""
        limits = httpx2.Limits(max_keepalive_connections=0)  # every request meets what has become of the processes
        return httpx2.AsyncClient(headers=self.headers(), timeout=TIMEOUT, limits=limits, trust_env=False)

    @property
    def urls(self) -> Sequence[str]:
        """Where the service can be reached."""
        return [process.url for process in self.processes]

    def kill_server(self) -> None:
        """Kill PostgreSQL as a power cut would, and start it again: it recovers from its log."""
        os.kill(postmaster_of(self.server.data_dir), signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.server.ensure_running():
            assert time.monotonic() < deadline, "PostgreSQL was killed and runs on"

    async def kill_backend(self, random: Random) -> None:
        """Kill one of the server's processes that works for us: the server ends all others and recovers."""
        connection = await self.connect()
        found = await connection.fetch(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'chitieu-%' ORDER BY state = 'active', pid"
        )
        if found:
            # One that is at work, more often than not.
            os.kill(random.choice(found[-max(1, len(found) // 3) :])["pid"], signal.SIGKILL)
        with contextlib.suppress(*LOST_SERVER):
            await connection.close()
        await self.answers()

    async def answers(self) -> None:
        """Wait until the server takes connections."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                await (await self.connect()).close()
            except LOST_SERVER:
                assert time.monotonic() < deadline, "PostgreSQL does not come back"
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                return


@contextlib.asynccontextmanager
async def arena(
    services: int = 2, sequencers: int = 2, nodes: int = 1, disk_bytes: int = 600 * MIB, **settings: str
) -> AsyncIterator[Arena]:
    """An arena on a small disk of its own, or (not root) in a temporary folder; gone at the end."""
    with contextlib.ExitStack() as stack:
        disk = stack.enter_context(small_disk(disk_bytes))
        folder = tempfile.TemporaryDirectory(prefix="chitieu-arena-", dir=_folder(disk))
        servers = stack.enter_context(nats(count=nodes))
        to_nats = {"CHITIEU_NATS_URL": servers.url, "CHITIEU_NATS_MONITOR_URL": servers.monitor_url}
        made = Arena(Path(stack.enter_context(folder)), **to_nats, **settings)
        made.disk, made.nats = disk, servers
        try:
            await made.open(services, sequencers)
            yield made
        finally:
            made.close()


def _folder(disk: Disk | str) -> Path | None:
    return disk.folder if isinstance(disk, Disk) else None
