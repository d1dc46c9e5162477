"""One server for one data folder: start, stop, start again after any death."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from chassis.postgres.abandoned import LOCK_FILE, OWNER_FILE
from chassis.postgres.binaries import MAJOR, find_binaries
from chassis.postgres.folder import (
    Account,
    PostgresTrouble,
    make_private,
    read_or_make_state,
    state_file,
    write_private,
)
from chassis.postgres.watcher import (
    WATCHER,
    end_server,
    environment,
    is_alive,
    is_postmaster_of,
    is_ready,
    recorded_postmaster,
    wait_until_gone,
)

SUPERUSER = "postgres"
LONGEST_SOCKET_PATH = 103  # bytes; macOS allows 103, Linux 107
START_SECONDS = 60.0
LARGEST_LOG_BYTES = 16 * 1024 * 1024

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "cluster_name": "chitieu",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "64MB",
    "random_page_cost": "1.1",
    "jit": "off",
    # After a first large import plans were still those for an empty table, for a minute: scorecards took a second.
    "autovacuum_naptime": "5s",
    # The change feed hands out positions that must survive a crash: none of these three may be off.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_level": "replica",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "idle_in_transaction_session_timeout": "60s",
    # No collector process: in a container nobody would reap it. Statements that fail are the services' to log.
    "log_min_messages": "log",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %u@%d ",
}


class EmbeddedPostgres:
    """One PostgreSQL server for one data folder."""

    def __init__(self, data_dir: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self._settings = {**SETTINGS, **(settings or {})}
        self._account = Account.ours()
        self._state: dict[str, Any] = {}
        self._lock: int | None = None
        self._watcher: subprocess.Popen[str] | None = None
        self._postmaster = 0

    def start(self) -> None:
        """Start the server, making its data on the first call. Returns when it takes connections.

        Raises:
            PostgresTrouble: the folder is in use by another chitieu or cannot be used, or the server failed.
        """
        try:
            self._state = read_or_make_state(self.data_dir, self._account)
            self._take_lock()
            self._end_orphan()
            self._make_data()
            self._configure()
            self._launch()
        except OSError as error:
            self.stop()
            raise PostgresTrouble(f"The data folder {self.data_dir} cannot be used: {error}.") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut the server down and give the folder free. Harmless when it does not run."""
        if self._watcher is not None:
            end_server(self._watcher, self._postmaster)
            self._watcher = None
            shutil.rmtree(self._socket_dir, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def reach(self) -> bool:
        """Find the server that another process of ours runs on this folder, to connect to it; says whether it runs."""
        if not state_file(self.data_dir).exists():
            return False
        self._state = read_or_make_state(self.data_dir, self._account)
        pid = recorded_postmaster(self._data)
        return pid is not None and is_postmaster_of(pid, self._data)

    def ensure_running(self) -> bool:
        """Start the server again if it died under us; says whether it had to be started."""
        if self.running or self._lock is None:
            return False
        if self._watcher is not None:
            end_server(self._watcher, self._postmaster)
        self._end_orphan()
        self._launch()
        return True

    def discard(self) -> None:
        """Stop the server and delete its data for ever (test databases).

        Raises:
            PostgresTrouble: another chitieu is using them.
        """
        if not state_file(self.data_dir).exists():
            return
        self._state = read_or_make_state(self.data_dir, self._account)
        if self._lock is None:
            self._take_lock()
        self._end_orphan()
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)
        state_file(self.data_dir).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # whatever else lies there stays
            self.data_dir.rmdir()

    @property
    def running(self) -> bool:
        """Whether the server process lives."""
        return self._watcher is not None and self._watcher.poll() is None

    @property
    def admin_url(self) -> str:
        """URL of the superuser on the database `postgres`."""
        return self.url(SUPERUSER, self._state["password"], "postgres")

    def url(self, user: str, password: str, database: str) -> str:
        """URL of any role and database of this server (`postgresql://…?host=<socket folder>`)."""
        place = urlencode({"host": str(self._socket_dir)}, safe="/")
        return f"postgresql://{quote(user)}:{quote(password)}@/{quote(database)}?{place}"

    @property
    def _home(self) -> Path:
        return Path(self._state["home"])

    @property
    def _data(self) -> Path:
        return self._home / MAJOR

    @property
    def _log(self) -> Path:
        return self._home / "postgresql.log"

    @property
    def _socket_dir(self) -> Path:
        near = self._home / "socket"
        # Servers and drivers read lists of hosts (a,b:5432): other names than plain ones would be parted.
        is_plain = re.fullmatch(r"[A-Za-z0-9_./-]+", str(near)) is not None
        if is_plain and len(os.fsencode(near / ".s.PGSQL.5432.lock")) <= LONGEST_SOCKET_PATH:
            return near
        name = hashlib.sha256(os.fsencode(self._home)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"chitieu-{os.geteuid()}-{name}"

    def _take_lock(self) -> None:
        make_private(self._home, self._account)
        lock = os.open(self._home / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(lock, 32).decode() or "unknown"
            os.close(lock)
            raise PostgresTrouble(
                f"The data folder {self.data_dir} is in use by another chitieu (process {holder})."
            ) from error
        self._lock = lock
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        write_private(self._home / OWNER_FILE, str(self.data_dir))

    def _end_orphan(self) -> None:
        """Stop a server that outlived its holder, and forget the pid of one that is gone."""
        pid = recorded_postmaster(self._data)
        if pid is None:
            return
        if is_postmaster_of(pid, self._data):
            self._stop_orphan(pid)
        if is_alive(pid):
            # Another process of ours got the pid after a reboot, or nobody has buried the dead one (containers):
            # PostgreSQL would refuse to start for it. In every other case the file stays, if there is one.
            (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _stop_orphan(self, pid: int) -> None:
        for sign, patience in ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
            if wait_until_gone(pid, self._data, patience):
                return
        raise PostgresTrouble(f"An older PostgreSQL (process {pid}) still uses {self._data} and does not stop.")

    def _make_data(self) -> None:
        for leftover in self._home.glob("new-*"):
            shutil.rmtree(leftover)
        if (self._data / "PG_VERSION").exists():
            return
        if self._state.get("is_made"):
            raise PostgresTrouble(
                f"The database of {self.data_dir} is missing at {self._data}: "
                f"restore it, or remove {self.data_dir} to start anew."
            )
        new = self._home / f"new-{secrets.token_hex(4)}"
        self._initdb(new)
        new.rename(self._data)
        self._state = {**self._state, "is_made": True}
        write_private(state_file(self.data_dir), json.dumps(self._state))

    def _initdb(self, new: Path) -> None:
        make_private(new, self._account)
        with self._password_file() as password_file:
            command = [
                str(find_binaries(self._account) / "initdb"),
                f"--pgdata={new}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
            ]
            own = self._account.process_arguments()
            done = subprocess.run(
                command, cwd=self._home, env=environment(), text=True, capture_output=True, check=False, **own
            )
        if done.returncode != 0:
            raise PostgresTrouble(f"PostgreSQL could not make its data in {new}: {_last_line(done.stderr)}")
        with (new / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write("\ninclude = 'chitieu.conf'  # written at every start\n")

    @contextlib.contextmanager
    def _password_file(self) -> Iterator[Path]:
        path = self._home / "password"
        write_private(path, self._state["password"])
        self._account.own(path)
        try:
            yield path
        finally:
            path.unlink()

    def _configure(self) -> None:
        make_private(self._socket_dir, self._account)
        for leftover in self._socket_dir.glob(".s.PGSQL.*"):
            leftover.unlink()
        settings = {**self._settings, "unix_socket_directories": str(self._socket_dir)}
        lines = [f"{name} = '{_conf_text(value)}'\n" for name, value in settings.items()]
        for name, text in (
            ("chitieu.conf", "".join(lines)),
            ("pg_hba.conf", "local all all scram-sha-256\n"),
        ):
            write_private(self._data / name, text)
            self._account.own(self._data / name)

    def _launch(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        self._turn_log()
        while True:
            start_of_log = self._log.stat().st_size
            if self._launch_once(deadline):
                return
            log = self._log.read_text(encoding="utf-8", errors="replace")[start_of_log:]
            # Backends of a killed server let go of its memory a moment later.
            if "shared memory block" not in log or time.monotonic() > deadline:
                raise PostgresTrouble(f"PostgreSQL did not start: {_last_line(log)} (log: {self._log}).")
            time.sleep(0.2)

    def _turn_log(self) -> None:
        if self._log.exists() and self._log.stat().st_size > LARGEST_LOG_BYTES:
            self._log.rename(self._log.with_suffix(".log.1"))
        self._log.touch(mode=0o600)
        self._account.own(self._log)

    def _launch_once(self, deadline: float) -> bool:
        server = str(find_binaries(self._account) / "postgres")
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", WATCHER, "chitieu-postgres", server, "-D", str(self._data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=self._home,
            env=environment(CHITIEU_POSTGRES_LOG=str(self._log)),
            start_new_session=True,  # Ctrl-C in the terminal is for the holder alone
            umask=0o077,
            **self._account.process_arguments(),
        )
        assert self._watcher.stdout is not None
        self._postmaster = int(self._watcher.stdout.readline() or 0)
        while self._watcher.poll() is None and time.monotonic() < deadline:
            if is_ready(self._data, self._postmaster):
                return True
            time.sleep(0.01)
        end_server(self._watcher, self._postmaster)
        return False


def _conf_text(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    fatal = [line for line in lines if "FATAL" in line or "error:" in line]
    return (fatal or lines or ["no message"])[-1].strip()
