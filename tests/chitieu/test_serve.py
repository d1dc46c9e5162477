"""The same code as four processes: one database each, and one sentence for what is missing."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import httpx2
import pytest

from chassis.settings import SERVICES
from chitieu.migrate import head_of
from tests.chitieu.processes import Running, run, running
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
    for service, name in names.items():
        chosen[f"CHITIEU_{service.upper()}_ADMIN_DATABASE_URL"] = database_url(admin_url, name)
        chosen[f"CHITIEU_{service.upper()}_DATABASE_URL"] = database_url(admin_url, name, user=service)
    yield chosen
    for name in names.values():
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture(scope="module")
def four(settings: dict[str, str]) -> Iterator[dict[str, tuple[str, Running]]]:
    """The four processes on migrated databases, and the address of each."""
    assert run("keys", settings=settings).returncode == 0
    assert run("migrate", settings=settings).stdout == "Every database is migrated.\n"
    places: dict[str, tuple[str, Running]] = {}
    reach: dict[str, str] = {}
    with ExitStack() as stack:
        for name in (*SERVICES, "gateway"):
            command = stack.enter_context(running("serve", name, "--port", "0", settings={**settings, **reach}))
            url = command.wait_ready()
            places[name] = (url, command)
            reach[f"CHITIEU_{name.upper()}_URL"] = url
        yield places


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
    done = run(*arguments, "--data-dir", str(data_dir))
    assert (done.returncode, done.stderr) == (1, f"chitieu: {sentence}\n")


def test_a_database_that_is_not_migrated_is_refused(settings: dict[str, str]) -> None:
    assert run("keys", settings=settings).returncode == 0
    roles_only = {name: url for name, url in settings.items() if "BUDGET" not in name}
    assert run("migrate", settings=roles_only).returncode == 1
    as_admin = {**settings, "CHITIEU_BUDGET_DATABASE_URL": settings["CHITIEU_BUDGET_ADMIN_DATABASE_URL"]}
    done = run("serve", "budget", "--port", "0", settings=as_admin)
    assert (done.returncode, done.stderr) == (
        1,
        (
            f"chitieu: The database of budget is not migrated (it is at nothing, this version needs "
            f"{head_of('budget')}): run `chitieu migrate` first.\n"
        ),
    )


def test_the_gateway_serves_what_the_three_services_hold(
    four: dict[str, tuple[str, Running]], settings: dict[str, str]
) -> None:
    door = four["gateway"][0]
    done = run("apply", "reference", "--url", door, settings={**settings, "CHITIEU_ENVIRONMENT": "demo"})
    # The services are in production here, so everything goes in but the sample figures.
    assert done.returncode == 1
    assert "422 actuals_refused" in done.stderr
    for service, path in (("plans", "plans"), ("indicators", "indicators/targets"), ("budget", "budget/lines")):
        own = httpx2.get(f"{four[service][0]}/v1/{path}?limit=1000").json()["items"]
        assert httpx2.get(f"{door}/v1/{path}?limit=1000").json()["items"] == own
        assert len(own) == {"plans": 5, "indicators": 159, "budget": 29}[service]


def test_every_process_is_ready_and_ends_on_a_signal(four: dict[str, tuple[str, Running]]) -> None:
    for url, _ in four.values():
        assert httpx2.get(f"{url}/readyz").json() == {"status": "ok"}
    assert [command.end() for _, command in reversed(four.values())] == [0, 0, 0, 0]


async def test_up_on_a_server_by_url_starts_none_of_its_own(admin_url: str, data_dir: Path) -> None:
    name = f"up_{uuid.uuid4().hex[:8]}"
    connection = await asyncpg.connect(admin_url)
    await connection.execute(f"CREATE DATABASE {name}")
    urls = {f"CHITIEU_{s.upper()}_DATABASE_URL": database_url(admin_url, name, user=s) for s in SERVICES}
    chosen = {"CHITIEU_DATABASE_URL": database_url(admin_url, name), **urls}
    with running("up", "--empty", "--port", "0", "--data-dir", str(data_dir), settings=chosen) as command:
        url = command.wait_ready()
        assert httpx2.get(f"{url}/v1/plans").json()["items"] == []
        assert command.end() == 0
    assert not (data_dir / "postgres.json").exists()
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()
