"""One real PostgreSQL per run, one migrated template, one database per test that asks for a house."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import settings
from joserfc.jwk import OKPKey

from chassis.postgres import EmbeddedPostgres
from chassis.postgres import folder as postgres_folder
from chassis.settings import SERVICES, Settings
from chassis.telemetry import configure_logs
from chitieu.migrate import Target, migrate
from tests.house import House, copy_database, database_url, open_house

ADMIN_URL = "CHITIEU_TEST_ADMIN_URL"
TEMPLATE = "template_house"
REFERENCE_TEMPLATE = "template_reference"
MEMORY = Path("/dev/shm")
# A test database need not survive a power cut (what must survive a kill is tested on its own server), and its
# passwords are in the source.
SERVER = {"fsync": "off", "full_page_writes": "off", "max_connections": "300", "scram_iterations": "1"}
_server: EmbeddedPostgres | None = None

# How long an example takes says how busy the machine is.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    """The run's own process starts the server and migrates the template; workers find them by URL."""
    global _server
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background; every process started would, too
        signal.signal(signal.SIGINT, signal.default_int_handler)
    configure_logs(Settings(log_level="ERROR"))
    if hasattr(config, "workerinput") or os.environ.get(ADMIN_URL) or config.option.collectonly:
        return
    folder = _folder()
    _server = EmbeddedPostgres(folder, settings=SERVER)
    with _in_memory(folder):
        _server.start()
    os.environ[ADMIN_URL] = _server.admin_url
    asyncio.run(_make_template(_server.admin_url))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that start processes come first, so that no worker is left alone with one of them at the end; long forms
    are left out where nobody asks for them.
    """
    if not os.environ.get("CHITIEU_LONG_TESTS"):
        left_out = pytest.mark.skip(reason="a long form: make test-long")
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(left_out)
    starting = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in starting)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a worker that waits for PostgreSQL or for a process leaves one free."""
    return int(os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS") or (os.cpu_count() or 1) + 1)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported by now stays to the end: the garbage collector need not look through it a thousand times."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Everything is imported, and nothing of it is waste."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove its files."""
    if _server is not None:
        _server.stop()
        with _in_memory(_server.data_dir):
            _server.discard()
        shutil.rmtree(_server.data_dir, ignore_errors=True)
        os.environ.pop(ADMIN_URL, None)


def _folder() -> Path:
    """Where the server's files go: into memory where there is room, since a test copies a database (0.02 s there,
    0.45 s seen on a slow disk)."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4 * 2**30
    made = Path(tempfile.mkdtemp(prefix="chitieu-test-", dir=MEMORY if has_room else None))
    if has_room and os.geteuid() == 0:
        made.chmod(0o755)  # the server runs as nobody, who must be able to reach its own folder in it
    return made


@contextlib.contextmanager
def _in_memory(folder: Path) -> Iterator[None]:
    """Root's databases go where the run's folder is, while the block lasts; tests of the server see no change."""
    with pytest.MonkeyPatch.context() as patch:
        if folder.is_relative_to(MEMORY) and os.geteuid() == 0:
            patch.setattr(postgres_folder, "SHARED_FOLDER", folder)
        yield


async def _make_template(admin_url: str) -> None:
    connection = await asyncpg.connect(admin_url)
    await connection.execute(f"CREATE DATABASE {TEMPLATE}")
    await connection.close()
    admin = database_url(admin_url, TEMPLATE)
    targets = [Target(name, admin, database_url(admin_url, TEMPLATE, user=name)) for name in SERVICES]
    await migrate(targets)


@pytest.fixture(scope="session")
def signing_key() -> OKPKey:
    """The key that signs this run's tokens."""
    key = OKPKey.generate_key("Ed25519", private=True)
    key.ensure_kid()
    return key


@pytest.fixture(scope="session")
def admin_url() -> str:
    """The test server, as its superuser."""
    return os.environ[ADMIN_URL]


@pytest.fixture
async def house(admin_url: str, signing_key: OKPKey) -> AsyncIterator[House]:
    """The whole application in this process, on a database of its own."""
    async with open_house(admin_url, signing_key, template=TEMPLATE) as opened:
        yield opened


@pytest.fixture(scope="session")
async def reference_template(admin_url: str, signing_key: OKPKey) -> str:
    """A database with the five plans applied, to copy: made once in a run, by the worker that asks first."""
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute("SELECT pg_advisory_lock(1)")
        if not await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", REFERENCE_TEMPLATE):
            await _make_reference_template(connection, admin_url, signing_key)
    finally:
        await connection.close()
    return REFERENCE_TEMPLATE


async def _make_reference_template(connection: asyncpg.Connection, admin_url: str, key: OKPKey) -> None:
    async with open_house(admin_url, key, template=TEMPLATE) as opened:
        await opened.apply_reference()
        await opened.disconnect()  # a database is copied while nobody is in it
        source = opened.database("plans").url.database
        await copy_database(connection, REFERENCE_TEMPLATE, source)


@pytest.fixture(scope="session")
async def five_plans(admin_url: str, signing_key: OKPKey, reference_template: str) -> AsyncIterator[House]:
    """The whole application with the five plans applied; tests only read it."""
    async with open_house(admin_url, signing_key, template=reference_template) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _no_stray_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CHITIEU_") and name != ADMIN_URL]:
        monkeypatch.delenv(name)
