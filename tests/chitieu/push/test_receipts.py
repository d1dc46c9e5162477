"""Receipts of pushes: kept, compared with the service, and told from forged ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.chitieu.push.figures import Call, line, write_csv


def receipts_in(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]


def test_receipts_are_kept_and_hold(push: Call, tmp_path: Path) -> None:
    kept = tmp_path / "receipts"
    file = write_csv(tmp_path, line(64))
    done = push(str(file), "--receipts", str(kept))
    [receipt] = receipts_in(kept)
    assert receipt["path"] == str(file)
    assert f"\nBiên nhận: {kept}/" in done.stdout
    checked = push("--verify-receipts", str(kept))
    assert checked.returncode == 0
    assert checked.stdout.splitlines()[-1] == "1 biên nhận, 1 ổn."
    assert "máy chủ còn giữ, đúng số đếm và mã băm" in checked.stdout


def test_what_cannot_be_kept_is_said_and_changes_nothing_else(push: Call, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    file = write_csv(tmp_path, line(67), line(1, unit="26434"))
    place = str(tmp_path / "file" / "in-it")
    done = push(str(file), "--partial", "--receipts", place, "--errors", place)
    assert done.returncode == 2
    assert "không lưu được biên nhận" in done.stdout
    assert "Không ghi được tệp lỗi" in done.stdout


def test_a_forged_receipt_is_told_apart(push: Call, tmp_path: Path) -> None:
    kept = tmp_path / "receipts"
    push(str(write_csv(tmp_path, line(65))), "--receipts", str(kept))
    [file] = kept.glob("*.json")
    body = json.loads(file.read_text(encoding="utf-8"))
    head, claims, sign = body["receipt"].split(".")
    file.write_text(json.dumps({**body, "receipt": f"{head}.{claims[:-6]}AAAAAA.{sign}"}), encoding="utf-8")
    (kept / "other.json").write_text("{}", encoding="utf-8")
    checked = push("--verify-receipts", str(kept), "--json")
    assert checked.returncode == 3
    assert [one["standing"] for one in json.loads(checked.stdout)["receipts"]] == ["invalid", "invalid"]
