"""What keeps a house from starting is said before it serves."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.settings import SERVICES, Settings
from chitieu.compose import compose
from chitieu.troubles import Trouble

NOWHERE = dict.fromkeys(SERVICES, "postgresql://nobody@localhost/none")


@pytest.mark.parametrize("content", ["", "{}", '{"keys": []}'])
async def test_a_house_that_cannot_sign_receipts_does_not_start(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content, encoding="utf-8")
    composition = compose(Settings(data_dir=tmp_path, receipt_key_file=path), NOWHERE, with_gateway=False)
    with pytest.raises(Trouble, match="set CHITIEU_RECEIPT_KEY_FILE"):
        async with composition.running():
            pass


async def test_a_folder_that_takes_no_key_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    composition = compose(Settings(data_dir=tmp_path / "file"), NOWHERE, with_gateway=False)
    with pytest.raises(Trouble, match="no key to sign receipts with"):
        async with composition.running():
            pass
