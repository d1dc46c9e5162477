"""The embedded server: first and later starts, one holder at a time, and every way a holder can end."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from chassis.postgres import EmbeddedPostgres, PostgresTrouble
from chassis.postgres.abandoned import remove_abandoned

pytestmark = pytest.mark.slow

HOLDER = """
import sys, time
from pathlib import Path
from chassis.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print(server.admin_url, flush=True)
time.sleep(600)
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    EmbeddedPostgres(folder).discard()


@pytest.fixture(scope="module")
def made_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder whose data are made already; every test leaves it without a server that is held."""
    folder = tmp_path_factory.mktemp("made") / "data"
    server = EmbeddedPostgres(folder)
    server.start()
    server.stop()
    yield folder
    EmbeddedPostgres(folder).discard()


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A holder in its own process, and the URL of its server."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


async def ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def postmaster_pid(server: EmbeddedPostgres) -> int:
    return int((server._data / "postmaster.pid").read_text().splitlines()[0])


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_death(pid: int) -> None:
    deadline = time.monotonic() + 20
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(pid)


async def test_a_first_start_makes_a_durable_server_in_utc_without_icu(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    server.start()
    asked = ("server_version_num", "fsync", "full_page_writes", "synchronous_commit", "wal_level", "TimeZone")
    answers = [await ask(server.admin_url, f"SHOW {name}") for name in asked]
    locale = await ask(server.admin_url, "SELECT datlocale FROM pg_database WHERE datname = 'template1'")
    server.stop()

    assert answers == ["180004", "on", "on", "on", "replica", "UTC"]
    assert locale == "C.UTF-8"
    assert not server.running


async def test_settings_are_taken_over_and_may_hold_quotes(made_dir: Path) -> None:
    server = EmbeddedPostgres(made_dir, settings={"max_connections": "20", "cluster_name": "it's \\ ours"})
    server.start()
    assert await ask(server.admin_url, "SHOW max_connections") == "20"
    assert await ask(server.admin_url, "SHOW cluster_name") == "it's \\ ours"
    server.stop()


async def test_a_second_start_keeps_data_and_password(made_dir: Path) -> None:
    server = EmbeddedPostgres(made_dir)
    server.start()
    first_url = server.admin_url
    await ask(first_url, "CREATE TABLE kept AS SELECT 26491 AS code")
    server.stop()

    again = EmbeddedPostgres(made_dir)
    again.start()
    assert again.admin_url == first_url
    assert await ask(first_url, "SELECT code FROM kept") == 26491
    again.stop()


async def test_a_wrong_password_is_refused(made_dir: Path) -> None:
    server = EmbeddedPostgres(made_dir)
    server.start()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(server.url("postgres", "wrong", "postgres"), "SELECT 1")
    server.stop()


def test_the_password_and_the_data_are_for_their_owner_only(made_dir: Path) -> None:
    server = EmbeddedPostgres(made_dir)
    server.start()
    server.stop()
    assert stat.S_IMODE((made_dir / "postgres.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(server._home.stat().st_mode) == 0o700
    assert stat.S_IMODE(server._data.stat().st_mode) == 0o700
    if os.geteuid() == 0:
        assert server._data.owner() == "nobody"


def test_a_folder_in_use_is_refused_with_its_holder(made_dir: Path) -> None:
    with hold(made_dir) as (holder, _), pytest.raises(PostgresTrouble) as refusal:
        EmbeddedPostgres(made_dir).start()
    assert str(refusal.value) == (f"The data folder {made_dir} is in use by another chitieu (process {holder.pid}).")


def test_a_refused_second_holder_leaves_the_first_one_at_work(made_dir: Path) -> None:
    server = EmbeddedPostgres(made_dir)
    server.start()
    with pytest.raises(PostgresTrouble):
        EmbeddedPostgres(made_dir).start()
    assert server.running
    server.stop()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_the_server_ends_with_its_holder(made_dir: Path, sign: signal.Signals) -> None:
    with hold(made_dir) as (holder, url):
        folder = await ask(url, "SHOW data_directory")
        pid = int((Path(str(folder)) / "postmaster.pid").read_text().splitlines()[0])
        holder.send_signal(sign)
        holder.wait()
    wait_for_death(pid)


async def test_after_kill_of_everything_the_next_start_recovers(made_dir: Path) -> None:
    server = EmbeddedPostgres(made_dir)
    server.start()
    await ask(server.admin_url, "CREATE TABLE recovered AS SELECT 1670000000 AS vnd")
    pid = postmaster_pid(server)
    assert server._watcher is not None
    server._watcher.kill()
    os.kill(pid, signal.SIGKILL)
    server.stop()
    assert (server._data / "postmaster.pid").exists()

    again = EmbeddedPostgres(made_dir)
    again.start()
    assert await ask(again.admin_url, "SELECT vnd FROM recovered") == 1670000000
    again.stop()


async def test_an_orphan_is_stopped_by_the_next_start(made_dir: Path) -> None:
    with hold(made_dir) as (holder, url):
        await ask(url, "CREATE TABLE left_behind AS SELECT 5 AS plans")
        holder.kill()  # and at once, while the old server may still be shutting down:
    server = EmbeddedPostgres(made_dir)
    server.start()
    assert await ask(server.admin_url, "SELECT plans FROM left_behind") == 5
    server.stop()


def test_a_reused_pid_in_a_stale_pid_file_does_not_stop_the_start(made_dir: Path) -> None:
    server = EmbeddedPostgres(made_dir)
    server.start()
    server.stop()
    stranger = subprocess.Popen(["sleep", "600"], **server._account.process_arguments())
    (server._data / "postmaster.pid").write_text(f"{stranger.pid}\n{server._data}\n1\n5432\n\n\n1 1\nready\n")

    server.start()
    assert server.running
    assert stranger.poll() is None
    server.stop()
    stranger.kill()
    stranger.wait()


async def test_a_server_that_died_is_started_again_while_held(made_dir: Path) -> None:
    server = EmbeddedPostgres(made_dir)
    server.start()
    assert server.ensure_running() is False
    os.kill(postmaster_pid(server), signal.SIGKILL)
    assert server._watcher is not None
    server._watcher.wait()

    assert server.ensure_running() is True
    assert await ask(server.admin_url, "SELECT 1") == 1
    server.stop()


def test_an_interrupted_first_start_begins_anew(made_dir: Path) -> None:
    server = EmbeddedPostgres(made_dir)
    server.start()
    server.stop()
    half_made = server._home / "new-12345678"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    server.start()
    assert not half_made.exists()
    server.stop()


def test_lost_data_are_said_to_be_lost(made_dir: Path) -> None:
    server = EmbeddedPostgres(made_dir)
    server.start()
    server.stop()
    elsewhere = server._home / "elsewhere"
    server._data.rename(elsewhere)
    with pytest.raises(PostgresTrouble, match="is missing at"):
        server.start()
    elsewhere.rename(server._data)


def test_a_setting_that_postgres_refuses_is_named(made_dir: Path) -> None:
    server = EmbeddedPostgres(made_dir, settings={"max_connections": "many"})
    with pytest.raises(PostgresTrouble, match=r"did not start: .*chitieu\.conf"):
        server.start()
    assert not server.running


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PostgresTrouble, match=r"cannot be used: .*Not a directory"):
        EmbeddedPostgres(tmp_path / "file" / "data").start()


@pytest.mark.parametrize("name", ["rat-dai-" * 14, "dữ liệu, thử: 'x' 100%"])
async def test_a_folder_of_any_name_gets_a_plain_short_socket(tmp_path: Path, name: str) -> None:
    server = EmbeddedPostgres(tmp_path / name)
    # Where the data lie in the data folder itself, as for everybody but root.
    server._state = {"home": str(tmp_path / name / "postgres")}
    socket_dir = server._socket_dir
    assert len(os.fsencode(socket_dir / ".s.PGSQL.5432")) < 103
    assert str(socket_dir).isascii()

    server.start()
    assert await ask(server.admin_url, "SELECT 1") == 1
    server.discard()
    assert not server._home.exists()


def made(databases: Path, name: str, folder: Path, *, points: bool = False) -> Path:
    """A database folder as root's starts leave them."""
    home = databases / name
    home.mkdir(parents=True)
    (home / "data-folder").write_text(str(folder))
    if points:
        folder.mkdir()
        (folder / "postgres.json").write_text(json.dumps({"home": str(home)}))
    return home


def test_databases_of_deleted_temporary_folders_go_and_others_stay(tmp_path: Path) -> None:
    databases = tmp_path / "databases"
    gone = made(databases, "a-1", tmp_path / "deleted")
    in_use = made(databases, "b-1", tmp_path / "there", points=True)
    replaced = made(databases, "b-0", tmp_path / "there")
    lasting = made(databases, "c-1", Path("/srv/chitieu/not-mounted"))

    remove_abandoned(databases)

    assert [home.exists() for home in (gone, in_use, replaced, lasting)] == [False, True, False, True]


def test_a_database_that_is_held_is_never_removed(tmp_path: Path) -> None:
    home = made(tmp_path / "databases", "a-1", tmp_path / "deleted")
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        remove_abandoned(home.parent)
        assert home.exists()
    remove_abandoned(home.parent)
    assert not home.exists()
