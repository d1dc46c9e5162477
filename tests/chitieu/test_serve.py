"""Services on databases by URL: one each, migrated first, and one sentence for what is missing."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import asyncpg
import httpx2
import pytest

from chassis.settings import SERVICES, Settings
from chitieu.migrate import Target, head_of, refuse_unmigrated, revision_of
from chitieu.places import target_of
from tests.chitieu.commands import run_here
from tests.chitieu.processes import running
from tests.house import database_url

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
async def settings(admin_url: str, shared_dir: Path) -> AsyncIterator[dict[str, str]]:
    """Three databases, made and still empty, and a folder for the key."""
    run_id = uuid.uuid4().hex[:8]
    names = {service: f"serve_{service}_{run_id}" for service in SERVICES}
    connection = await asyncpg.connect(admin_url)
    for name in names.values():
        await connection.execute(f"CREATE DATABASE {name}")
    chosen = {"CHITIEU_DATA_DIR": str(shared_dir), "CHITIEU_LOG_LEVEL": "WARNING", "CHITIEU_PUBLIC_READ": "true"}
    chosen["CHITIEU_UNSAFE_DATABASE"] = "true"  # the tests' server keeps nothing
    for service, name in names.items():
        chosen[f"CHITIEU_{service.upper()}_ADMIN_DATABASE_URL"] = database_url(admin_url, name)
        chosen[f"CHITIEU_{service.upper()}_DATABASE_URL"] = database_url(admin_url, name, user=service)
    yield chosen
    for name in names.values():
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["serve", "plan"], "There is no service plan: choose plans, indicators, budget, gateway."),
        (
            ["serve", "plans"],
            (
                "`chitieu serve plans` needs CHITIEU_PLANS_DATABASE_URL or CHITIEU_DATABASE_URL "
                "(the embedded server is for `chitieu up`)."
            ),
        ),
        (
            ["serve", "gateway"],
            (
                "The gateway needs to know where the services are: "
                "set CHITIEU_PLANS_URL, CHITIEU_INDICATORS_URL, CHITIEU_BUDGET_URL."
            ),
        ),
    ],
)
def test_what_is_missing_is_named(arguments: list[str], sentence: str, data_dir: Path) -> None:
    done = run_here(*arguments, "--data-dir", str(data_dir), settings={"CHITIEU_LOG_LEVEL": "ERROR"})
    assert (done.returncode, done.stderr) == (1, f"chitieu: {sentence}\n")


def test_a_database_that_is_not_migrated_is_refused(settings: dict[str, str]) -> None:
    assert run_here("keys", settings=settings).returncode == 0
    roles_only = {name: url for name, url in settings.items() if "BUDGET" not in name}
    assert run_here("migrate", settings=roles_only).returncode == 1
    as_admin = {**settings, "CHITIEU_BUDGET_DATABASE_URL": settings["CHITIEU_BUDGET_ADMIN_DATABASE_URL"]}
    done = run_here("serve", "budget", "--port", "0", settings=as_admin)
    assert (done.returncode, done.stderr) == (
        1,
        (
            f"chitieu: The database of budget is not migrated (it is at nothing, this version needs "
            f"{head_of('budget')}): run `chitieu migrate` first.\n"
        ),
    )


@pytest.fixture
def migrated(settings: dict[str, str]) -> Sequence[Target]:
    """The three databases after `chitieu migrate`, each as its service finds it."""
    assert run_here("migrate", settings=settings).stdout == "Every database is migrated.\n"
    read = Settings(**{f"{name}_database_url": settings[f"CHITIEU_{name.upper()}_DATABASE_URL"] for name in SERVICES})
    return [target for name in SERVICES if (target := target_of(read, name))]


async def test_three_databases_are_migrated_each_for_its_service(migrated: Sequence[Target]) -> None:
    found = {target.service: await revision_of(target) for target in migrated}
    assert found == {service: head_of(service) for service in SERVICES}
    await refuse_unmigrated(migrated)


async def test_up_on_a_server_by_url_starts_none_of_its_own(admin_url: str, data_dir: Path) -> None:
    name = f"up_{uuid.uuid4().hex[:8]}"
    connection = await asyncpg.connect(admin_url)
    await connection.execute(f"CREATE DATABASE {name}")
    urls = {f"CHITIEU_{s.upper()}_DATABASE_URL": database_url(admin_url, name, user=s) for s in SERVICES}
    chosen = {"CHITIEU_DATABASE_URL": database_url(admin_url, name), "CHITIEU_UNSAFE_DATABASE": "true", **urls}
    with running("up", "--empty", "--port", "0", "--data-dir", str(data_dir), settings=chosen) as command:
        url = command.wait_ready()
        assert httpx2.get(f"{url}/v1/plans").json()["items"] == []
        assert command.end() == 0
    assert not (data_dir / "postgres.json").exists()
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()
