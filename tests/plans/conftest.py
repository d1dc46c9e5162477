"""The plans service alone, on a database of its own: it needs no other service."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from chassis.beside import beside
from chassis.keys import Signer
from chassis.settings import Settings
from chitieu.apply import apply_reference
from chitieu.compose import compose
from tests.conftest import TEMPLATE
from tests.house import REFERENCE, House, database_like, database_url

OWN_PARTS = ("units.csv", "offices.yaml", "offices", "plans")


@contextlib.asynccontextmanager
async def open_plans(admin_url: str, key: OKPKey, database: str) -> AsyncIterator[House]:
    """A house of one service on a database."""
    settings = Settings(environment="demo", public_read=True, database_pool_size=4)
    urls = {"plans": database_url(admin_url, database, user="plans")}
    composition = compose(settings, urls, names=("plans",), key=key, with_gateway=False)
    house = House(composition, Signer(key, settings))
    try:
        yield house
    finally:
        await house.client.aclose()
        await composition.peers.close()
        await house.database("plans").close()


@contextlib.asynccontextmanager
async def sequencing(house: House) -> AsyncIterator[None]:
    """Give events their positions while the block lasts, for callers that wait for their own writes."""
    sequencer = house.composition.services["plans"].state.house.sequencer
    async with beside(sequencer.run()):
        yield


@pytest.fixture
async def house(admin_url: str, signing_key: OKPKey) -> AsyncIterator[House]:
    """The plans service with nothing in it."""
    async with database_like(admin_url, TEMPLATE) as name, open_plans(admin_url, signing_key, name) as opened:
        yield opened


@pytest.fixture(scope="session")
async def units_template(admin_url: str, signing_key: OKPKey) -> AsyncIterator[str]:
    """A database with the units and offices of the reference data, to copy."""
    async with database_like(admin_url, TEMPLATE) as name:
        async with open_plans(admin_url, signing_key, name) as opened, sequencing(opened):
            await opened.load_units()
        yield name


@pytest.fixture
async def units(admin_url: str, signing_key: OKPKey, units_template: str) -> AsyncIterator[House]:
    """The plans service with the units and offices of the reference data."""
    async with database_like(admin_url, units_template) as name, open_plans(admin_url, signing_key, name) as opened:
        yield opened


@pytest.fixture(scope="session")
async def refusing(admin_url: str, signing_key: OKPKey, units_template: str) -> AsyncIterator[House]:
    """The same, shared by tests that only send what is refused, and show that nothing was written."""
    async with database_like(admin_url, units_template) as name, open_plans(admin_url, signing_key, name) as opened:
        yield opened


@pytest.fixture(scope="session")
async def five_plans(
    admin_url: str, signing_key: OKPKey, units_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """The plans service with the five plans applied; tests only read it."""
    folder = own_folder(tmp_path_factory.mktemp("reference"))
    async with database_like(admin_url, units_template) as name, open_plans(admin_url, signing_key, name) as opened:
        async with sequencing(opened):
            await apply_reference(opened.client, folder, opened.admin)
        await opened.sequence()
        yield opened


def own_folder(folder: Path) -> Path:
    """The parts of the reference data that are this service's."""
    for part in OWN_PARTS:
        (folder / part).symlink_to(REFERENCE / part)
    return folder
