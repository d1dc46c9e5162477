"""The pages a person opens, in real Chromium: they render, from local files only, and no policy refuses them."""

from __future__ import annotations

import asyncio
import html
import json
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.house import House, listening

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --enable-logging=stderr --virtual-time-budget=20000 --dump-dom"
)

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (.ci/run installs it)"),
    pytest.mark.slow,
]


@dataclass(slots=True)
class Browser:
    """Opens each page once, for every test that looks at it."""

    door: str
    folder: Path
    seen: dict[str, tuple[str, str]] = field(default_factory=dict)

    async def open(self, path: str) -> tuple[str, str]:
        """The page's document once it has come to rest, and what the browser complained about."""
        if path not in self.seen:
            self.seen[path] = await open_page(self.door + path, self.folder / str(len(self.seen)))
        return self.seen[path]


@pytest.fixture(scope="module")
async def browser(five_plans: House, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with listening(five_plans.composition.door) as address:
        yield Browser(address, tmp_path_factory.mktemp("profiles"))


async def open_page(url: str, profile: Path) -> tuple[str, str]:
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
async def test_the_docs_page_shows_every_operation(browser: Browser, five_plans: House, service: str) -> None:
    document = (await five_plans.client.get(f"/v1/{service}/openapi.json")).json()
    page, console = await browser.open(f"/docs/{service}")
    shown = set(re.findall(r'data-path="([^"]+)"', page))
    assert shown == set(document["paths"])
    assert console == ""


async def test_the_events_page_shows_every_type_with_schema_and_example(browser: Browser, five_plans: House) -> None:
    page, console = await browser.open("/docs/events")
    assert console == ""
    document = (await five_plans.client.get("/docs/events/asyncapi.json")).json()
    types = {name: message for name, message in document["components"]["messages"].items() if "examples" in message}
    sections = dict(
        re.findall(r'<section class="type" id="[^"]+" data-type="([^"]+)">(.*?)</section>', page, re.DOTALL)
    )
    assert set(sections) == set(types)
    assert len(sections) == 12
    for name, section in sections.items():
        words = html.unescape(section)
        about = types[name]["x-chitieu"]
        for said in (about["title"], about["when"], about["subject"], about["audience"]):
            assert said["vi"] in words
            assert said["en"] in words
        assert json.dumps(types[name]["examples"][0]["payload"], ensure_ascii=False, indent=2) in words
        fields = document["components"]["schemas"][f"{name}.data"]["properties"]
        shown = re.findall(r"<td><code>([^<]+)</code></td>", section)
        assert {path.split(".")[0].removesuffix("[]") for path in shown} == set(fields)
    assert "Số ngày mở nộp" in sections["vn.chitieu.indicators.regime.changed.v1"]
    for delivery in ("pull", "stream", "webhooks", "jetstream"):
        assert f'<section class="delivery" id="{delivery}">' in page


async def test_graphiql_is_there_for_a_browser(browser: Browser) -> None:
    page, console = await browser.open("/graphql")
    assert 'class="graphiql-container' in page
    assert "graphiql-execute-button" in page
    assert console == ""


async def test_no_page_asks_a_foreign_host(browser: Browser) -> None:
    for path in ("/graphql", "/docs/plans", "/docs/events"):
        page, _console = await browser.open(path)
        fetched = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)"', page)
        assert [url for url in fetched if not url.startswith(browser.door)] == []
