"""Where databases are found: URLs as people write them, and roles whose passwords are made once."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from chassis.settings import Settings
from chitieu.places import driver_url, open_places, role_passwords, target_of
from chitieu.troubles import Trouble

ADMIN = SecretStr("postgresql://dba:p%40ss@db.example:5433/chitieu?sslmode=require")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgresql://plans:pw@db:5432/x", "postgresql+asyncpg://plans:pw@db:5432/x"),
        ("postgres://plans:pw@db/x", "postgresql+asyncpg://plans:pw@db/x"),
        ("postgresql+asyncpg://plans@/x?host=/run/pg", "postgresql+asyncpg://plans@/x?host=%2Frun%2Fpg"),
        ("postgresql://plans@db/x?sslmode=verify-full", "postgresql+asyncpg://plans@db/x?ssl=verify-full"),
    ],
)
def test_urls_are_read_as_people_write_them(given: str, expected: str) -> None:
    assert driver_url(given, "CHITIEU_DATABASE_URL").render_as_string(hide_password=False) == expected


@pytest.mark.parametrize("given", ["", "localhost", "mysql://x@y/z", "http://127.0.0.1:8000"])
def test_what_is_no_postgresql_url_is_named_by_its_setting(given: str) -> None:
    with pytest.raises(Trouble) as refusal:
        driver_url(given, "CHITIEU_BUDGET_DATABASE_URL")
    assert str(refusal.value) == (
        "CHITIEU_BUDGET_DATABASE_URL is not a PostgreSQL URL (postgresql://role:password@host:5432/database)."
    )


def test_with_an_administrators_url_only_the_role_gets_a_password_of_ours(tmp_path: Path) -> None:
    target = target_of(Settings(data_dir=tmp_path, database_url=ADMIN), "plans")
    assert target is not None
    login = make_url(target.login_url)
    assert (login.username, login.password) == ("plans", role_passwords(tmp_path)["plans"])
    assert (login.host, login.port, login.database, login.query) == ("db.example", 5433, "chitieu", {"ssl": "require"})
    assert target.admin_url == "postgresql+asyncpg://dba:p%40ss@db.example:5433/chitieu?ssl=require"


def test_role_passwords_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    first = role_passwords(tmp_path)
    assert role_passwords(tmp_path) == first
    assert len(set(first.values())) == 3
    assert stat.S_IMODE((tmp_path / "roles.json").stat().st_mode) == 0o600


def test_without_any_url_there_is_no_target(tmp_path: Path) -> None:
    assert target_of(Settings(data_dir=tmp_path), "plans") is None


def test_a_url_for_some_services_only_is_refused(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, plans_database_url=SecretStr("postgresql://plans:pw@db/x"))
    with pytest.raises(Trouble) as refusal, open_places(settings):
        pass
    assert str(refusal.value) == (
        "There is no database URL for indicators, budget: set one for every service, or for none."
    )
