"""One environment for the three branches; the section of alembic.ini names the service.

Every migration runs as `<service>_owner` inside the service's own schema, one migrator at a time.
"""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

from alembic import context
from sqlalchemy import Connection, MetaData, make_url, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from chassis.settings import read_settings
from chassis.tables import Xid8

config = context.config
service = config.config_ini_section
COMPARING = {"check", "revision"}
ischema_names["xid8"] = Xid8  # else a comparison cannot read the ledger's tables


def own_metadata() -> MetaData:
    """The tables the service's code knows."""
    base: Any = importlib.import_module(f"services.{service}.store").Base
    metadata: MetaData = base.metadata
    return metadata


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Only the own schema, without Alembic's table and the partitions of the log (a function makes them)."""
    if kind == "schema":
        return name == service
    if kind == "table" and name is not None:
        return name != "alembic_version" and not name.startswith("event_log_p")
    return True


def is_comparing() -> bool:
    """Whether Alembic was asked to compare tables with code, and not to run migrations."""
    command = getattr(config.cmd_opts, "cmd", None)
    return command is not None and command[0].__name__ in COMPARING


def run(connection: Connection) -> None:
    """Run what was asked on a connection that may act as the schema's owner."""
    # PostgreSQL leaves the schema's name out of what it shows of the search path, and the comparison would
    # then take every foreign key for a new one.
    search_path = "pg_catalog" if is_comparing() else service
    # The lock comes first: waiting for another migrator is no reason to give up.
    connection.execute(text("SELECT pg_advisory_lock(hashtext(:name))"), {"name": f"chitieu.migrate.{service}"})
    connection.execute(text(f"SET ROLE {service}_owner"))
    connection.execute(text(f"SET search_path = {search_path}"))
    connection.execute(text("SET lock_timeout = '4s'"))
    connection.execute(text("SET statement_timeout = '5s'"))
    connection.commit()
    try:
        context.configure(
            connection=connection,
            target_metadata=own_metadata() if is_comparing() else None,
            version_table_schema=service,
            include_schemas=True,
            include_name=include_name,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("RESET ROLE"))
        connection.execute(text("SELECT pg_advisory_unlock_all()"))
        connection.commit()


async def run_by_url() -> None:
    """Connect by the settings (the `alembic` command; `chitieu migrate` brings its own connection)."""
    url = read_settings().admin_url_of(service)
    if url is None:
        raise SystemExit("Set CHITIEU_DATABASE_URL, or use `chitieu migrate`, which knows the embedded server.")
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)


given: Connection | None = config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(run_by_url())
