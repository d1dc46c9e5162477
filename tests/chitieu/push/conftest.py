"""A house behind a real socket for every file of pushes, and the ways to it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from chitieu.client import Client, Patience
from tests.chitieu.commands import run_here
from tests.chitieu.processes import run
from tests.chitieu.proxies import Proxy, proxied
from tests.chitieu.push.figures import Call
from tests.house import Standing, standing


@pytest.fixture(scope="module")
def door(admin_url: str, signing_key: OKPKey, reference_template: str) -> Iterator[Standing]:
    """A house with the five plans."""
    with standing(admin_url, signing_key, reference_template, import_poll_seconds=0.02) as made:
        yield made


@pytest.fixture(scope="module")
def url(door: Standing) -> str:
    """Its address."""
    return door.url


@pytest.fixture(scope="module")
def token(door: Standing) -> str:
    """A commune's token."""
    headers = door.house.headers("actuals:write indicators:read", ["26491"])
    return headers["Authorization"].removeprefix("Bearer ")


@pytest.fixture
def push(url: str, token: str, tmp_path: Path) -> Call:
    """Push as the commune, by the command in this process."""
    return partial(_push, run_here, url, token, tmp_path)


@pytest.fixture
def push_by_process(url: str, token: str, tmp_path: Path) -> Call:
    """Push as the commune, by a process of its own."""
    return partial(_push, run, url, token, tmp_path)


def _push(
    runs: Callable[..., subprocess.CompletedProcess[str]],
    url: str,
    token: str,
    folder: Path,
    *arguments: str,
    at: str | None = None,
    stdin: str = "",
    **settings: str,
) -> subprocess.CompletedProcess[str]:
    place = {"XDG_STATE_HOME": str(folder / "state"), "CHITIEU_TOKEN": token, **settings}
    return runs("push", *arguments, "--url", at or url, settings=place, stdin=stdin)


@pytest.fixture
def client(url: str, token: str) -> Iterator[Client]:
    """The commune's client, without await."""
    with Client(url, token, patience=Patience(seconds=20, first_wait=0.02)) as made:
        yield made


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    """A way to the house that can be cut."""
    with proxied(url) as made:
        yield made
