"""A house that has read the lists of others once: copied for every test, which then hears news only."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import asyncpg
import pytest
from joserfc.jwk import OKPKey

from tests.conftest import TEMPLATE
from tests.house import House, copy_database, open_house


@pytest.fixture(scope="session")
async def followed_template(admin_url: str, signing_key: OKPKey) -> AsyncIterator[str]:
    """The name of a database whose followers have read the lists, which were empty."""
    name = f"followed_{os.getpid()}"
    connection = await asyncpg.connect(admin_url)
    async with open_house(admin_url, signing_key, template=TEMPLATE) as house:
        await house.follow()
        await house.disconnect()
        await copy_database(connection, name, house.database("budget").url.database)
    yield name
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def house(admin_url: str, signing_key: OKPKey, followed_template: str) -> AsyncIterator[House]:
    """The whole application, on a database of its own."""
    async with open_house(admin_url, signing_key, template=followed_template) as opened:
        yield opened
