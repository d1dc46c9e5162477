"""A house that has read the lists of others once: copied for every test, which then hears news only."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from joserfc.jwk import OKPKey

from tests.conftest import TEMPLATE
from tests.house import House, open_house, prepared


@pytest.fixture(scope="session")
async def followed_template(admin_url: str, signing_key: OKPKey) -> AsyncIterator[str]:
    """The name of a database whose followers have read the lists, which were empty."""
    async with prepared(admin_url, signing_key, TEMPLATE, House.follow) as name:
        yield name


@pytest.fixture
async def house(admin_url: str, signing_key: OKPKey, followed_template: str) -> AsyncIterator[House]:
    """The whole application, on a database of its own."""
    async with open_house(admin_url, signing_key, template=followed_template) as opened:
        yield opened
