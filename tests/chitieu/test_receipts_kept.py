"""Receipts against a service that lost what was posted, as after a restore: what is missing is sent again."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey
from rich.console import Console

from chitieu.client import AsyncClient, Patience, Terms
from chitieu.push.sending import Options, Pusher
from chitieu.push.verifying import Checked, verify_folder
from tests.chitieu.test_client import ROW, client, client_of, own_plans
from tests.house import open_house

__all__ = ["client", "own_plans"]


@pytest.fixture
async def restored(admin_url: str, signing_key: OKPKey, reference_template: str) -> AsyncIterator[AsyncClient]:
    """The same house as it was before anything was posted."""
    async with open_house(admin_url, signing_key, template=reference_template) as house, client_of(house) as made:
        yield made


@pytest.fixture
async def elsewhere(admin_url: str, reference_template: str) -> AsyncIterator[AsyncClient]:
    """The same house after it was given another key."""
    key = OKPKey.generate_key("Ed25519", private=True)
    key.ensure_kid()
    async with open_house(admin_url, key, template=reference_template) as house, client_of(house) as made:
        yield made


def write(file: Path, *values: int) -> Path:
    file.write_text(json.dumps([{**ROW, "value": value} for value in values]), encoding="utf-8")
    return file


async def push(client: AsyncClient, folder: Path, *files: Path) -> Path:
    options = Options(Terms(), folder / "state", receipts=folder / "receipts")
    await Pusher(client, "http://door", options, Console(file=io.StringIO())).push(files)
    return folder / "receipts"


def standings(found: list[Checked]) -> list[str]:
    return [one.standing.value for one in found]


async def figure(client: AsyncClient) -> float:
    asked = {name: ROW[name] for name in ("admin_unit", "indicator", "period")}
    [found] = await client.read_all("/v1/indicators/actuals", asked)
    return float(found["value"])


async def test_what_a_restored_service_lost_is_sent_again_in_its_order(
    client: AsyncClient, restored: AsyncClient, tmp_path: Path
) -> None:
    kept = await push(client, tmp_path, write(tmp_path / "1.json", 31), write(tmp_path / "2.json", 32))
    assert standings(await verify_folder(client, kept, sends_again=True)) == ["there", "there"]

    assert standings(await verify_folder(restored, kept, sends_again=False)) == ["missing", "missing"]
    assert await figure(restored) == 27
    assert standings(await verify_folder(restored, kept, sends_again=True)) == ["sent_again", "sent_again"]
    assert await figure(restored) == 32
    after = standings(await verify_folder(restored, kept, sends_again=True))
    assert sorted(after) == ["replaced", "replaced", "there", "there"]


async def test_a_file_that_is_gone_or_changed_cannot_be_sent_again(
    client: AsyncClient, restored: AsyncClient, tmp_path: Path
) -> None:
    files = write(tmp_path / "1.json", 31), write(tmp_path / "2.json", 32)
    kept = await push(client, tmp_path, *files)
    files[0].unlink()
    write(files[1], 33)
    assert standings(await verify_folder(restored, kept, sends_again=True)) == ["lost", "lost"]
    assert await figure(restored) == 27


async def test_a_post_that_wrote_nothing_has_a_receipt_and_nothing_to_check(
    client: AsyncClient, restored: AsyncClient, tmp_path: Path
) -> None:
    file = write(tmp_path / "1.json", 31)
    kept = await push(client, tmp_path, file, file)
    assert standings(await verify_folder(restored, kept, sends_again=False)) == ["missing", "nothing_written"]


async def test_receipts_of_a_key_no_longer_published_hold_by_the_key_kept_with_them(
    client: AsyncClient, elsewhere: AsyncClient, tmp_path: Path
) -> None:
    kept = await push(client, tmp_path, write(tmp_path / "1.json", 31))
    [found] = await verify_folder(elsewhere, kept, sends_again=False)
    assert (found.standing.value, found.is_key_published) == ("missing", False)
    assert "không còn được công bố" in found.words()


async def test_an_unfinished_push_keeps_its_key_and_a_finished_one_leaves_nothing(
    client: AsyncClient, tmp_path: Path
) -> None:
    file = write(tmp_path / "1.json", 31)
    async with AsyncClient("http://127.0.0.1:1", "x", patience=Patience(seconds=0)) as nobody:
        await push(nobody, tmp_path, file)
    [note] = (tmp_path / "state").iterdir()
    key = json.loads(note.read_text())["key"]
    await push(client, tmp_path, file)
    assert list((tmp_path / "state").iterdir()) == []
    again = await client.post_actuals(file, key=key)
    assert again.written == 1  # the stored answer of that key
