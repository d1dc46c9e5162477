"""The pages a person opens, in real Chromium: they render, from local files only, and no policy refuses them."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.conftest import listening
from tests.house import House

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --enable-logging=stderr --virtual-time-budget=20000 --dump-dom"
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (.ci/run installs it)")


@pytest.fixture(scope="module")
async def door(five_plans: House) -> AsyncIterator[str]:
    async with listening(five_plans.composition.door) as address:
        yield address


async def open_page(url: str, profile: Path) -> tuple[str, str]:
    """The page's document once it has come to rest, and what the browser complained about."""
    assert CHROMIUM
    flags = [*FLAGS.split(), f"--user-data-dir={profile}", "--lang=vi", url]
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, *flags, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(90):
        out, errors = await process.communicate()
    console = "\n".join(line for line in errors.decode().splitlines() if "CONSOLE" in line)
    return out.decode(), console


@pytest.mark.parametrize("service", ["plans", "indicators", "budget"])
async def test_the_docs_page_shows_every_operation(door: str, tmp_path: Path, five_plans: House, service: str) -> None:
    document = (await five_plans.client.get(f"/v1/{service}/openapi.json")).json()
    page, console = await open_page(f"{door}/docs/{service}", tmp_path)
    shown = set(re.findall(r'data-path="([^"]+)"', page))
    assert shown == set(document["paths"])
    assert console == ""


async def test_graphiql_is_there_for_a_browser(door: str, tmp_path: Path) -> None:
    page, console = await open_page(f"{door}/graphql", tmp_path)
    assert 'class="graphiql-container' in page
    assert "graphiql-execute-button" in page
    assert console == ""


async def test_no_page_asks_a_foreign_host(door: str, tmp_path: Path) -> None:
    for path in ("/graphql", "/docs/plans"):
        page, _console = await open_page(f"{door}{path}", tmp_path)
        fetched = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)"', page)
        assert [url for url in fetched if not url.startswith(door)] == []
