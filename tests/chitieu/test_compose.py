"""What keeps a house from starting is said before it serves."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.settings import SERVICES, Settings
from chitieu.compose import compose
from chitieu.troubles import Trouble

NOWHERE = dict.fromkeys(SERVICES, "postgresql://nobody@localhost/none")
DOOR = "https://chitieu.example.gov.vn"


@pytest.mark.parametrize("content", ["", "{}", '{"keys": []}'])
async def test_a_house_that_cannot_sign_receipts_does_not_start(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content, encoding="utf-8")
    settings = Settings(data_dir=tmp_path, receipt_key_file=path, public_url=DOOR)
    composition = compose(settings, NOWHERE, with_gateway=False)
    with pytest.raises(Trouble, match="set CHITIEU_RECEIPT_KEY_FILE"):
        async with composition.running():
            pass


async def test_a_folder_that_takes_no_key_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    composition = compose(Settings(data_dir=tmp_path / "file", public_url=DOOR), NOWHERE, with_gateway=False)
    with pytest.raises(Trouble, match="no key to sign receipts with"):
        async with composition.running():
            pass


async def test_production_says_where_it_is_reached() -> None:
    composition = compose(Settings(), NOWHERE, with_gateway=False)
    with pytest.raises(Trouble, match="set CHITIEU_PUBLIC_URL"):
        async with composition.running():
            pass


@pytest.mark.parametrize("url", ["chitieu.gov.vn", "ftp://chitieu.gov.vn", "https://", "https://a@b", "https://a/?b"])
def test_a_public_url_is_a_base_of_addresses(url: str) -> None:
    with pytest.raises(ValueError, match="public_url"):
        Settings(public_url=url)
    assert Settings(public_url=f"{DOOR}/so-lieu/").public_url == f"{DOOR}/so-lieu"
