"""Every branch goes up, down and up again, leaves what the code expects, and gives its service no right too many."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
import uuid
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.dialects.postgresql.base import ischema_names

from chassis.settings import SERVICES
from chassis.tables import Xid8
from chitieu.migrate import Target, config_of, connected, head_of, migrate, refuse_unmigrated, revision_of
from chitieu.troubles import Trouble
from tests.house import database_url

CATALOGUE = """
SELECT 'relation', c.relname, c.relkind::text, c.relowner::regrole::text, c.relacl::text
  FROM pg_class c WHERE c.relnamespace = to_regnamespace(:schema) AND c.relname NOT LIKE 'alembic_version%'
UNION ALL
SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN '!' ELSE ''
       END, pg_get_expr(d.adbin, d.adrelid)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE c.relnamespace = to_regnamespace(:schema) AND a.attnum > 0 AND NOT a.attisdropped
   AND c.relname NOT LIKE 'alembic_version%'
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), NULL
  FROM pg_constraint WHERE connamespace = to_regnamespace(:schema) AND conname NOT LIKE 'alembic_version%'
UNION ALL
SELECT 'routine', proname, proowner::regrole::text, pg_get_function_identity_arguments(oid), proacl::text
  FROM pg_proc WHERE pronamespace = to_regnamespace(:schema)
ORDER BY 1, 2, 3, 4
"""


@pytest.fixture
async def targets(admin_url: str) -> AsyncIterator[list[Target]]:
    """The three services on an empty database."""
    name = f"migrations_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(admin_url)
    await connection.execute(f"CREATE DATABASE {name}")
    admin = database_url(admin_url, name)
    yield [Target(service, admin, database_url(admin_url, name, user=service)) for service in SERVICES]
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


def of(targets: Iterable[Target], service: str) -> Target:
    return next(target for target in targets if target.service == service)


async def catalogue(target: Target) -> list[tuple[Any, ...]]:
    """Everything the schema holds, with its owners and rights."""
    assert target.admin_url is not None
    async with connected(target.admin_url) as connection:
        found = await connection.execute(text(CATALOGUE), {"schema": target.service})
        return [tuple(row) for row in found]


async def downgrade(target: Target) -> None:
    def run(connection: Connection) -> None:
        config = config_of(target.service)
        config.attributes["connection"] = connection
        command.downgrade(config, "base")

    assert target.admin_url is not None
    async with connected(target.admin_url) as connection:
        await connection.run_sync(run)
        await connection.commit()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_branch_goes_up_down_and_up(targets: list[Target], service: str) -> None:
    target = of(targets, service)
    await migrate([target])
    first = await catalogue(target)
    assert await revision_of(target) == head_of(service)

    await downgrade(target)
    assert await catalogue(target) == []

    await migrate([target])
    assert await catalogue(target) == first


async def test_migrating_again_changes_nothing(targets: list[Target]) -> None:
    await migrate(targets)
    before = [await catalogue(target) for target in targets]
    await migrate(targets)
    assert [await catalogue(target) for target in targets] == before


@pytest.mark.slow
async def test_several_processes_may_migrate_at_once(targets: list[Target], tmp_path: Path) -> None:
    urls = {f"CHITIEU_{target.service.upper()}_DATABASE_URL": target.login_url for target in targets}
    environment = {**os.environ, **urls, "CHITIEU_DATABASE_URL": str(targets[0].admin_url)}
    command = (sys.executable, "-m", "chitieu", "migrate", "--data-dir", str(tmp_path))
    started = [await asyncio.create_subprocess_exec(*command, env=environment) for _ in range(2)]
    assert [await process.wait() for process in started] == [0, 0]
    await refuse_unmigrated(targets)


@pytest.mark.parametrize("service", SERVICES)
async def test_tables_and_code_say_the_same(targets: list[Target], service: str) -> None:
    target = of(targets, service)
    await migrate([target])
    base: Any = importlib.import_module(f"services.{service}.store").Base
    assert target.admin_url is not None
    async with connected(target.admin_url) as connection:
        await connection.execute(text("SET search_path = pg_catalog"))
        assert await connection.run_sync(differences, service, base.metadata) == []


def differences(connection: Connection, service: str, metadata: MetaData) -> list[Any]:
    ischema_names["xid8"] = Xid8

    def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
        if kind == "schema":
            return name == service
        return kind != "table" or not str(name).startswith(("alembic_version", "event_log_p"))

    options = {
        "include_schemas": True,
        "include_name": is_ours,
        "compare_type": True,
        "compare_server_default": True,
    }
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


@pytest.mark.parametrize("service", SERVICES)
async def test_everything_belongs_to_an_owner_nobody_can_log_in_as(targets: list[Target], service: str) -> None:
    target = of(targets, service)
    await migrate([target])
    assert target.admin_url is not None
    async with connected(target.admin_url) as connection:
        roles = await connection.execute(
            text(
                "SELECT rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles"
                " WHERE rolname IN (:owner, :login) ORDER BY rolname"
            ),
            {"owner": f"{service}_owner", "login": service},
        )
        assert [tuple(row) for row in roles] == [
            (service, True, False, False, False, False),
            (f"{service}_owner", False, False, False, False, False),
        ]
    owners = {row[3] for row in await catalogue(target) if row[0] == "relation"}
    assert owners == {f"{service}_owner"}


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_has_data_rights_on_all_its_tables_and_nothing_more(
    targets: list[Target], service: str
) -> None:
    await migrate(targets)
    async with connected(of(targets, service).login_url) as connection:
        rights = await connection.execute(
            text(
                "SELECT c.relname, has_table_privilege(c.oid, 'SELECT'), has_table_privilege(c.oid, 'INSERT'),"
                " has_table_privilege(c.oid, 'UPDATE') OR has_table_privilege(c.oid, 'DELETE'),"
                " has_table_privilege(c.oid, 'TRUNCATE, REFERENCES, TRIGGER')"
                " FROM pg_class c WHERE c.relnamespace = to_regnamespace(:schema) AND c.relkind IN ('r', 'p')"
                " AND NOT c.relispartition"
            ),
            {"schema": service},
        )
        of_table = {row[0]: tuple(row[1:]) for row in rights}
        foreign = [name for name in SERVICES if name != service]
        reach = await connection.execute(
            text("SELECT n, has_schema_privilege(n, 'USAGE') FROM unnest(CAST(:names AS text[])) n"),
            {"names": foreign},
        )
        assert [row for row in reach if row[1]] == []
        assert await connection.scalar(text("SELECT has_schema_privilege(:s, 'CREATE')"), {"s": service}) is False
    assert of_table.pop("alembic_version") == (True, False, False, False)
    assert of_table.pop("audit") == (True, True, False, False)
    assert [name for name, (reads, _, _, _) in of_table.items() if not reads] == []
    assert [name for name, (_, _, _, owns) in of_table.items() if owns] == []


async def test_an_unmigrated_database_is_refused_with_what_to_do(targets: list[Target]) -> None:
    await migrate(targets)
    await downgrade(of(targets, "budget"))
    with pytest.raises(Trouble) as refusal:
        await refuse_unmigrated(targets)
    assert str(refusal.value) == (
        f"The database of budget is not migrated (it is at nothing, this version needs {head_of('budget')}): "
        "run `chitieu migrate` first."
    )


async def test_a_service_without_an_administrators_url_cannot_be_migrated(targets: list[Target]) -> None:
    target = of(targets, "plans")
    with pytest.raises(Trouble, match="CHITIEU_PLANS_ADMIN_DATABASE_URL"):
        await migrate([Target(target.service, None, target.login_url)])
