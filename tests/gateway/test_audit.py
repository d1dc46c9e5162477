"""The `graphql-http` package audits a served gateway: GraphQL over HTTP, every one of its 61 points."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.conftest import alone
from tests.house import listening
from tests.node import ask, installed, locked

AUDIT = Path(__file__).parent / "audit"
POINTS = 61


@pytest.mark.slow
async def test_graphql_over_http_audit(pytestconfig: pytest.Config) -> None:
    folder = await installed(AUDIT, pytestconfig.cache)
    async with listening(alone()) as url:
        assert await ask(folder, "audit.mjs", f"{url}/graphql") == {"ok": POINTS, "failed": []}


def test_the_lock_file_names_no_registry() -> None:
    assert set(locked(AUDIT)) == {"graphql", "graphql-http"}
