"""The pages stand by themselves: local files, unchanged, nothing inline, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import httpx2
import pytest

from gateway.cache import OperationCache
from gateway.limits import Limits
from gateway.schema import build_schema

ROOT = Path(__file__).resolve().parents[2]
VENDORS = [ROOT / "gateway/web/vendor", ROOT / "chassis/web/vendor"]
PAGES = [ROOT / "gateway/web/graphiql.html", *sorted((ROOT / "chassis/web").glob("*.html"))]
DOCS = ("plans", "indicators", "budget", "gateway", "events")
ASSET = r'<(?:script|link|img)[^>]+(?:src|href)="(/[^"]+)"'


@pytest.mark.parametrize("folder", VENDORS, ids=lambda path: path.parts[-3])
def test_foreign_files_are_exactly_those_of_the_manifest(folder: Path) -> None:
    rows = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert {row["file"] for row in rows} == {path.name for path in folder.iterdir()} - {"manifest.json"}
    for row in rows:
        digest = hashlib.sha384((folder / row["file"]).read_bytes()).digest()
        assert row["integrity"] == "sha384-" + base64.b64encode(digest).decode(), row["file"]
        assert row["licence"] in ("MIT", "Apache-2.0")


def test_graphiql_is_the_release_others_pin_too() -> None:
    rows = json.loads((VENDORS[0] / "manifest.json").read_text(encoding="utf-8"))["files"]
    pinned = {row["file"]: row["integrity"] for row in rows}
    assert pinned["graphiql.min.js"] == "sha384-HbRVEFG0JGJZeAHCJ9Xm2+tpknBQ7QZmNlO/DgZtkZ0aJSypT96YYGRNod99l9Ie"
    assert pinned["graphiql.min.css"] == "sha384-Mq3vbRBY71jfjQAt/DcjxUIYY33ksal4cgdRt9U/hNPvHBCaT2JfJ/PTRiPKf0aM"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_pages_have_no_inline_script_and_load_nothing_from_elsewhere(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r"\son\w+=|style=|<style|javascript:", html)
    links = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert links
    assert all(link.startswith("/") or link == "data:," for link in links)


async def test_a_browser_gets_the_page_with_everything_it_names(gateway: httpx2.AsyncClient) -> None:
    page = await gateway.get("/graphql", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    for link in re.findall(r'(?:src|href)="(/[^"]+)"', page.text):
        assert (await gateway.get(link)).status_code == 200, link


@pytest.mark.parametrize("path", ["/docs/plans", "/docs/gateway", "/docs/events", "/changes"])
async def test_a_docs_page_gets_everything_it_names(gateway: httpx2.AsyncClient, path: str) -> None:
    page = await gateway.get(path)
    links = re.findall(ASSET, page.text)
    assert len(links) >= 2
    for link in links:
        assert (await gateway.get(link)).status_code == 200, link


async def test_docs_pages_lead_to_each_other(gateway: httpx2.AsyncClient) -> None:
    for path in ("/docs/plans", "/docs/events", "/changes"):
        page = await gateway.get(path)
        places = set(re.findall(r'<a href="(/[^"]+)"', page.text.split("</nav>")[0]))
        assert places == {*(f"/docs/{name}" for name in DOCS), "/changes", "/graphql"}


async def test_files_outside_the_folder_are_not_served(gateway: httpx2.AsyncClient) -> None:
    for path in ("/graphql/web/../app.py", "/graphql/web/%2e%2e/app.py", "/graphql/web/vendor/../../app.py"):
        assert (await gateway.get(path)).status_code == 404


def test_the_example_query_of_the_page_is_valid() -> None:
    script = (ROOT / "gateway/web/graphiql-start.js").read_text(encoding="utf-8")
    query = re.search(r"SCORECARD_QUERY = `(.*?)`;", script, re.DOTALL)
    assert query
    OperationCache(build_schema()._schema, Limits()).find(query[1], None)
