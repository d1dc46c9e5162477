"""Make a database ready: roles, schemas, and the migrations of every service, each as its own owner.

Inside a service `<service>_owner` (without login) owns the schema and `<service>` (login) has data rights
only, so no service can grant itself more. Everything here may be repeated and run by several at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Column, Connection, MetaData, String, Table, make_url, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from chitieu.troubles import Trouble

ROLE_EXISTS = text("SELECT count(*) FROM pg_roles WHERE rolname = :name")
SCHEMA_EXISTS = text("SELECT count(*) FROM pg_namespace WHERE nspname = :name")
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


@dataclass(frozen=True, slots=True)
class Target:
    """One service's place: the URL that may make roles and schemas, and the URL the service logs in with."""

    service: str
    admin_url: str | None
    login_url: str


def config_of(service: str) -> Config:
    """Alembic's settings of one service's branch."""
    return Config(MIGRATIONS / "alembic.ini", ini_section=service)


@cache
def head_of(service: str) -> str:
    """The newest revision of a service's branch in this code."""
    head = ScriptDirectory.from_config(config_of(service)).get_current_head()
    if head is None:
        raise Trouble(f"There are no migrations of {service} in {MIGRATIONS / service}.")
    return head


async def migrate(targets: Sequence[Target]) -> None:
    """Bring every service's database to the newest revision, making roles and schemas where they are missing.

    Raises:
        Trouble: a database that cannot be reached or lets us do too little, in one sentence.
    """
    for target in targets:
        if target.admin_url is None:
            setting = f"CHITIEU_{target.service.upper()}_ADMIN_DATABASE_URL"
            raise Trouble(f"Migrating {target.service} needs CHITIEU_DATABASE_URL or {setting}.")
        async with connected(target.admin_url) as connection:
            await _prepare(connection, target)
            await connection.run_sync(_upgrade, target.service)
            await _show_version(connection, target.service)


async def revision_of(target: Target) -> str | None:
    """The revision a service's database is at, as the service itself sees it; None before any migration."""
    async with connected(target.login_url) as connection:
        table = {"table": f"{target.service}.alembic_version"}
        is_there = await connection.scalar(text("SELECT to_regclass(:table)"), table)
        if is_there is None:
            return None
        versions = Table("alembic_version", MetaData(), Column("version_num", String), schema=target.service)
        revision: str | None = await connection.scalar(select(versions.c.version_num))
        return revision


async def refuse_unmigrated(targets: Sequence[Target]) -> None:
    """Refuse to serve on a database that is behind, or ahead of, this code.

    Raises:
        Trouble: which service's database is where, and what to do.
    """
    for target in targets:
        found, wanted = await revision_of(target), head_of(target.service)
        if found != wanted:
            raise Trouble(
                f"The database of {target.service} is not migrated (it is at {found or 'nothing'}, "
                f"this version needs {wanted}): run `chitieu migrate` first."
            )


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection by URL; what goes wrong on the way is told in one sentence without the password."""
    place = make_url(url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(place, poolclass=NullPool, connect_args={"timeout": 10})
    with _clear_sentences(place):
        connection = await engine.connect()
    try:
        yield connection
    finally:
        await connection.close()
        await engine.dispose()


def place_of(url: URL) -> str:
    """Where a URL leads, for messages: no user, no password."""
    socket_dir = url.query.get("host")
    server = f"socket {socket_dir}" if socket_dir else f"{url.host}:{url.port or 5432}"
    return f"{server}, database {url.database}"


@contextmanager
def _clear_sentences(url: URL) -> Iterator[None]:
    try:
        yield
    except (OSError, TimeoutError) as error:
        reason = str(error) or "no answer in time"
        raise Trouble(f"No PostgreSQL answers at {place_of(url)}: {reason}.") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError) as error:
        reason = str(getattr(error, "orig", error)).rsplit(">: ", 1)[-1]
        raise Trouble(f"PostgreSQL at {place_of(url)} does not let us in: {reason}.") from error


def _upgrade(connection: Connection, service: str) -> None:
    config = config_of(service)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def _prepare(connection: AsyncConnection, target: Target) -> None:
    """Roles and schema. Idempotent: only what is missing is made, so that few rights are enough later on."""
    service = target.service
    await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('chitieu.prepare'))"))
    for role, login in ((f"{service}_owner", "NOLOGIN"), (service, "LOGIN")):
        if not await connection.scalar(ROLE_EXISTS, {"name": role}):
            await connection.execute(text(f"CREATE ROLE {role} {login}"))
    if not await connection.scalar(SCHEMA_EXISTS, {"name": service}):
        await connection.execute(text(f"GRANT {service}_owner TO CURRENT_USER"))
        await connection.execute(text(f"CREATE SCHEMA {service} AUTHORIZATION {service}_owner"))
        await connection.execute(text(f"GRANT USAGE ON SCHEMA {service} TO {service}"))
    await connection.commit()
    if not await _may_log_in(target):
        await _set_password(connection, target)


async def _show_version(connection: AsyncConnection, service: str) -> None:
    """Let the service see the revision it stands on (readiness asks for it)."""
    table = f"{service}.alembic_version"
    if await connection.scalar(text("SELECT to_regclass(:table)"), {"table": table}):
        await connection.execute(text(f"GRANT SELECT ON {table} TO {service}"))
        await connection.commit()


async def _may_log_in(target: Target) -> bool:
    try:
        async with connected(target.login_url):
            return True
    except Trouble:
        return False


async def _set_password(connection: AsyncConnection, target: Target) -> None:
    login = make_url(target.login_url)
    if login.username != target.service:
        raise Trouble(
            f"The login URL of {target.service} names the role {login.username}; "
            f"the role must be called {target.service}."
        )
    if login.password is None:
        return
    quoted = await connection.scalar(text("SELECT quote_literal(:password)"), {"password": login.password})
    statement = f"ALTER ROLE {target.service} PASSWORD {quoted}"
    await connection.exec_driver_sql(statement)  # `text()` would look for parameters in the password
    await connection.commit()
