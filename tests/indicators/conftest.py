"""A house with a catalogue, regimes and one plan's target: made once per worker, copied for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from joserfc.jwk import OKPKey

from services.indicators.service import import_run
from tests.conftest import TEMPLATE
from tests.house import House, open_house, prepared
from tests.indicators.given import stock


@pytest.fixture(scope="session")
async def stocked_template(admin_url: str, signing_key: OKPKey) -> AsyncIterator[str]:
    """The name of a database that holds the stock."""
    async with prepared(admin_url, signing_key, TEMPLATE, stock) as name:
        yield name


@pytest.fixture
async def stocked(admin_url: str, signing_key: OKPKey, stocked_template: str) -> AsyncIterator[House]:
    """A house of its own with the stock in it."""
    async with open_house(admin_url, signing_key, template=stocked_template) as house:
        yield house


@pytest.fixture
def every_step_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of an import says after every step how far it has come."""
    monkeypatch.setattr(import_run, "TELL_SECONDS", 0.0)
