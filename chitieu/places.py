"""Where the databases are: the embedded server, or URLs from the settings; and the roles' passwords."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import ArgumentError

from chassis.postgres import EmbeddedPostgres
from chassis.postgres.folder import write_private
from chassis.settings import SERVICES, Settings
from chitieu.migrate import Target, connected, migrate
from chitieu.troubles import Trouble

DATABASE = "chitieu"


@dataclass(frozen=True, slots=True)
class Places:
    """Every service's database, and the embedded server when it is ours."""

    targets: Sequence[Target]
    embedded: EmbeddedPostgres | None

    @property
    def login_urls(self) -> Mapping[str, str]:
        """Service name → URL it logs in with."""
        return {target.service: target.login_url for target in self.targets}


@contextlib.contextmanager
def open_places(settings: Settings) -> Iterator[Places]:
    """All three databases: by URL where URLs are set, else on the embedded server, which runs while the block lasts.

    Raises:
        Trouble: some services have a URL and others have none.
        PostgresTrouble: the data folder is in use, or the server does not start.
    """
    targets = [target_of(settings, service) for service in SERVICES]
    found = [target for target in targets if target is not None]
    if len(found) == len(SERVICES):
        yield Places(found, None)
        return
    if found:
        missing = ", ".join(name for name in SERVICES if name not in {target.service for target in found})
        raise Trouble(f"There is no database URL for {missing}: set one for every service, or for none.")
    with running_embedded(settings) as server:
        yield Places(_embedded_targets(server, settings), server)


@contextlib.contextmanager
def reach_places(settings: Settings) -> Iterator[Places]:
    """All three databases, also while a house is running on the embedded server of the data folder.

    Raises:
        Trouble: some services have a URL and others have none.
        PostgresTrouble: the embedded server does not start.
    """
    server = EmbeddedPostgres(settings.data_dir)
    has_url = any(target_of(settings, service) for service in SERVICES)
    if not has_url and server.reach():
        yield Places(_embedded_targets(server, settings), server)
        return
    with open_places(settings) as places:
        yield places


def migrate_all(settings: Settings) -> None:
    """Bring every service's database to this version, the embedded one too."""

    async def work(places: Places) -> None:
        if places.embedded is not None:
            await ensure_database(places.embedded)
        await migrate(places.targets)

    with open_places(settings) as places:
        asyncio.run(work(places))


@contextlib.contextmanager
def running_embedded(settings: Settings) -> Iterator[EmbeddedPostgres]:
    """The embedded server of the data folder, stopped at the end of the block."""
    server = EmbeddedPostgres(settings.data_dir)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def target_of(settings: Settings, service: str) -> Target | None:
    """One service's database by the settings' URLs; None when there are none.

    With only an administrator's URL the service's role gets a password of our making.
    """
    login, admin = settings.database_url_of(service), settings.admin_url_of(service)
    if login is None and admin is None:
        return None
    admin_url = driver_url(admin, "CHITIEU_DATABASE_URL") if admin else None
    if login is not None:
        login_url = driver_url(login, f"CHITIEU_{service.upper()}_DATABASE_URL")
    else:
        assert admin_url is not None
        login_url = _as_role(admin_url, service, settings.data_dir)
    return Target(service, _text(admin_url) if admin_url else None, _text(login_url))


def driver_url(given: str, setting: str) -> URL:
    """A URL as our driver wants it: `postgres://` and libpq's `sslmode` are understood too.

    Raises:
        Trouble: it is no PostgreSQL URL.
    """
    try:
        url = make_url(given)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() not in ("postgresql", "postgres"):
        raise Trouble(f"{setting} is not a PostgreSQL URL (postgresql://role:password@host:5432/database).")
    query = {("ssl" if name == "sslmode" else name): value for name, value in url.query.items()}
    return url.set(drivername="postgresql+asyncpg", query=query)


async def ensure_database(server: EmbeddedPostgres) -> None:
    """Make our database on the embedded server, once."""
    async with connected(server.admin_url) as connection:
        known = await connection.scalar(text("SELECT count(*) FROM pg_database WHERE datname = :n"), {"n": DATABASE})
        if not known:
            await connection.rollback()  # a database is made outside of any transaction
            plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await plain.exec_driver_sql(f"CREATE DATABASE {DATABASE}")


def _embedded_targets(server: EmbeddedPostgres, settings: Settings) -> list[Target]:
    admin = make_url(server.admin_url).set(drivername="postgresql+asyncpg", database=DATABASE)
    return [Target(name, _text(admin), _text(_as_role(admin, name, settings.data_dir))) for name in SERVICES]


def _as_role(admin: URL, role: str, data_dir: Path) -> URL:
    return admin.set(username=role, password=role_passwords(data_dir)[role])


def role_passwords(data_dir: Path) -> Mapping[str, str]:
    """The service roles' passwords, made once and kept in the data folder for its owner only."""
    path = data_dir / "roles.json"
    if not path.exists():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, json.dumps({name: secrets.token_urlsafe(24) for name in SERVICES}))
    passwords: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return passwords


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
