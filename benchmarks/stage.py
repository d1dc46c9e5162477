"""The application as it runs in earnest: its own PostgreSQL on disk, every service a process, HTTP over loopback.

Measurements and fault tests stand on it. The holder may end any of the processes at any moment and start it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import asyncpg
import httpx2
from sqlalchemy import make_url

from chassis.keys import Signer, ensure_key
from chassis.postgres import EmbeddedPostgres
from chassis.settings import SERVICES, Settings
from chitieu.migrate import migrate
from chitieu.places import DATABASE, ensure_database, target_of
from chitieu.tokens import EVERY_SCOPE
from tests.chitieu.processes import environment, postmaster_of

START_SECONDS, PAUSE_SECONDS = 90.0, 0.02
TIMEOUT = httpx2.Timeout(600, connect=5)


def free_port() -> int:
    """A port nobody listens on now; a service keeps it over its restarts, as in earnest."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Stoppable(ABC):
    """A process that can be made to stand still, or to begin anew."""

    @property
    @abstractmethod
    def pid(self) -> int:
        """The process's id."""

    @abstractmethod
    def start(self) -> None:
        """Start it."""

    @abstractmethod
    def stop(self) -> None:
        """End it at once."""

    def restart(self) -> None:
        """End it at once and start it again."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Let it stand still, as a machine that is too busy would, until it is let go on."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)


class Process(Stoppable):
    """One service as a process that can be killed and started again at the same address."""

    def __init__(self, name: str, log: Path, module: str = "chitieu") -> None:
        self.name = name
        self.module = module
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings: Mapping[str, str] = {}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return when it serves.

        Raises:
            RuntimeError: it ended, or said nothing in time; with its last words.
        """
        command = [sys.executable, "-m", self.module, "serve", self.name, "--port", str(self.port)]
        said_before = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=environment(**self.settings), stdout=log, stderr=log, process_group=0
            )
        for _ in range(int(START_SECONDS / PAUSE_SECONDS)):
            if b" is ready at " in self._log.read_bytes()[said_before:]:
                return
            if self._process.poll() is not None:
                break
            time.sleep(PAUSE_SECONDS)
        raise RuntimeError(f"{self.name} did not start: {self.said()}")

    def said(self, most: int = 4000) -> str:
        """Its last words, over all its lives."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-most:]

    def stop(self, sign: signal.Signals = signal.SIGKILL) -> None:
        """End it, at once or (SIGTERM) in order. Harmless when it does not run."""
        if self._process is not None:
            self._process.send_signal(sign)
            self._process.wait(30)
            self._process = None

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid


class Stage:
    """PostgreSQL, the plans service and the indicators service, and the means to look behind them."""

    def __init__(self, folder: Path, server: Mapping[str, str] | None = None, **settings: str) -> None:
        self.server = EmbeddedPostgres(folder, settings=server)
        self._more = settings
        self.settings = Settings(data_dir=folder)
        self.plans = Process("plans", folder.with_name("plans.log"))
        self.indicators = Process("indicators", folder.with_name("indicators.log"))

    @property
    def url(self) -> str:
        """Where actuals are posted."""
        return self.indicators.url

    async def open(self) -> None:
        """Start and migrate the server, then the two services."""
        self.server.start()
        await ensure_database(self.server)
        admin = make_url(self.server.admin_url).set(database=DATABASE).render_as_string(hide_password=False)
        self.settings = Settings(data_dir=self.server.data_dir, database_url=admin)  # type: ignore[arg-type]
        ensure_key(self.settings)
        targets = [target_of(self.settings, name) for name in SERVICES]
        await migrate([target for target in targets if target is not None])
        told = {
            "CHITIEU_DATA_DIR": str(self.server.data_dir),
            "CHITIEU_DATABASE_URL": admin,
            "CHITIEU_LOG_LEVEL": "ERROR",
            "CHITIEU_PLANS_URL": self.plans.url,
            **self._more,
        }
        for process in (self.plans, self.indicators):
            process.settings = told
        await asyncio.gather(asyncio.to_thread(self.plans.start), asyncio.to_thread(self.indicators.start))

    def close(self) -> None:
        """End everything and remove the data."""
        for process in (self.indicators, self.plans):
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                process.stop()
        self.server.discard()

    def kill_server(self) -> None:
        """Kill PostgreSQL as a power cut would, and start it again: it recovers from its log."""
        os.kill(postmaster_of(self.server.data_dir), signal.SIGKILL)
        while not self.server.ensure_running():
            pass

    def headers(self, *admin_units: str, client_id: str = "bench") -> dict[str, str]:
        """The Authorization header of a caller for units; none named: all of them."""
        signer = Signer(ensure_key(self.settings), self.settings)
        token = signer.mint(client_id, EVERY_SCOPE, admin_units or ("*",), seconds=24 * 3600)
        return {"Authorization": f"Bearer {token}", "Accept-Language": "en"}

    def client(self, **options: str) -> httpx2.AsyncClient:
        """A client of both services; relative addresses are the indicators service's."""
        headers = {**self.headers(), **options}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=TIMEOUT, trust_env=False)

    async def connect(self, role: str = "indicators_owner") -> asyncpg.Connection:
        """A connection that looks at the indicators tables, as their owner (or as whoever is named)."""
        place = make_url(self.server.admin_url).set(database=DATABASE).render_as_string(hide_password=False)
        connection = await asyncpg.connect(place, command_timeout=3600)
        await connection.execute(f"SET ROLE {role}; SET search_path = indicators")
        return connection


@contextlib.asynccontextmanager
async def staged(server: Mapping[str, str] | None = None, **settings: str) -> AsyncIterator[Stage]:
    """A stage in a temporary folder, gone at the end; `server` are settings of PostgreSQL, the rest the services'."""
    with tempfile.TemporaryDirectory(prefix="chitieu-stage-") as folder:
        stage = Stage(Path(folder) / "data", server, **settings)
        try:
            await stage.open()
            yield stage
        finally:
            stage.close()
