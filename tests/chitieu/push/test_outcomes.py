"""`chitieu push` against a standing house: every ending, and what it says of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chitieu.client import Client
from tests.chitieu.push.figures import Call, line, row, wifi, write_csv

pytestmark = pytest.mark.slow

NOT_SUBMITTED = "Ghi nhận chưa phải là nộp báo cáo."


def test_all_in_says_what_was_recorded_and_that_it_is_not_submitted(
    push: Call, push_by_process: Call, tmp_path: Path
) -> None:
    file = write_csv(tmp_path, line(41))
    done = push_by_process(str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{file}: đã ghi nhận 1 số liệu (1 thay đổi).",
        f"{NOT_SUBMITTED} Hạn nộp báo cáo Quý III/2026: 14/09/2026.",
    ]
    again = push(str(file))
    assert (again.returncode, again.stdout.splitlines()[0]) == (
        0,
        f"{file}: không có gì mới để ghi (1 số liệu đã có và không đổi).",
    )
    assert list((tmp_path / "state" / "chitieu" / "push").iterdir()) == []


def test_a_dry_run_records_nothing_and_says_so(push: Call, client: Client, tmp_path: Path) -> None:
    before = wifi(client)
    file = write_csv(tmp_path, line(42))
    done = push(str(file), "--dry-run")
    assert (done.returncode, done.stdout) == (0, f"{file}: chạy thử, chưa ghi gì; sẽ ghi 1 số liệu (1 thay đổi).\n")
    assert wifi(client) == before


def test_nothing_is_in_when_one_row_is_refused(push: Call, client: Client, tmp_path: Path) -> None:
    before = wifi(client)
    file = write_csv(tmp_path, line(43), line(1, unit="26434"), line(2, code="NOPE"))
    done = push(str(file))
    assert done.returncode == 3
    said = done.stdout.splitlines()
    assert said[0] == f"{file}: không ghi nhận dòng nào. Không ghi dòng nào: 2 trên 3 dòng bị từ chối."
    table = "\n".join(said[1:])
    for word in ("Dòng", "Cột", "Mã lỗi", "Giá trị", "Lý do", "unit_not_covered", "26434", "indicator_unknown", "NOPE"):
        assert word in table
    assert NOT_SUBMITTED not in done.stdout
    assert wifi(client) == before


def test_what_was_meant_is_said_whole_where_the_screen_is_narrow(push: Call, tmp_path: Path) -> None:
    done = push(str(write_csv(tmp_path, line(43, code="PUBLIC_WIFI_POINT"))), COLUMNS="80")
    cells = [each.split("│") for each in done.stdout.splitlines() if each.startswith("│")]
    assert {len("│".join(row)) for row in cells} == {80}
    assert "".join(row[-2].strip() for row in cells).endswith("PUBLIC_WIFI_POINTS?")


def test_partial_records_the_good_rows_and_ends_with_2(push_by_process: Call, client: Client, tmp_path: Path) -> None:
    file = write_csv(tmp_path, line(44), line(1, unit="26434"))
    done = push_by_process(str(file), "--partial", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["exit_code"]) == (2, 2)
    [found] = answer["files"]
    assert (found["file"], found["problem"], found["result"]["refused"], found["result"]["updated"]) == (
        str(file), None, 1, 1,
    )  # fmt: skip
    assert [(fault["row"], fault["column"]) for fault in found["result"]["errors"]] == [(3, "admin_unit")]
    assert found["due"] == ["Quý III/2026: 14/09/2026"]
    assert wifi(client) == 44


def test_partial_with_nothing_good_ends_with_3(push: Call, tmp_path: Path) -> None:
    assert push(str(write_csv(tmp_path, line(1, unit="26434"))), "--partial").returncode == 3


def test_an_older_row_is_refused_or_skipped_as_asked(push: Call, tmp_path: Path) -> None:
    assert push(str(write_csv(tmp_path, line(45)))).returncode == 0
    older = write_csv(tmp_path, line(46).replace("20/09", "19/09"))
    refused = push(str(older))
    assert refused.returncode == 3
    assert "measured_on" in refused.stdout
    skipped = push(str(older), "--on-stale", "skip")
    assert skipped.returncode == 0
    assert "1 dòng cũ hơn số đang lưu, không ghi" in skipped.stdout


def test_standard_input_and_several_files(push: Call, push_by_process: Call, tmp_path: Path) -> None:
    good, bad = write_csv(tmp_path, line(47)), write_csv(tmp_path, line(1, unit="26434"), name="bad.csv")
    done = push_by_process("-", "--type", "json", stdin=json.dumps([row(47)]))
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "-: đã ghi nhận 1 số liệu (1 thay đổi).")
    assert push(str(good), str(bad)).returncode == 2
    assert push("-", stdin="[]").stderr.startswith("chitieu: Standard input has no name")


def test_many_faults_are_counted_and_the_first_shown(push: Call, tmp_path: Path) -> None:
    done = push(
        str(
            write_csv(
                tmp_path,
                *(line(1, unit="26434", period=f"2026-{month:02}") for month in range(1, 10)),
                *([line(1, code="NOPE")] * 1100),
            )
        )
    )
    assert done.returncode == 3
    assert "… và 1.059 lỗi nữa; --errors TỆP ghi đủ mọi lỗi." in done.stdout


def test_nobody_there_ends_with_4_and_says_that_again_is_safe(push: Call, tmp_path: Path) -> None:
    files = [str(write_csv(tmp_path, line(1), name=name)) for name in ("a.csv", "b.csv")]
    done = push(*files, "--patience", "0", at="http://127.0.0.1:1")
    assert done.returncode == 4
    assert "gửi lại cùng lệnh này là an toàn" in done.stdout
    assert done.stdout.splitlines()[-1] == f"{files[1]}: chưa gửi."


@pytest.mark.parametrize(
    "arguments",
    ["--type docx a.csv", "--what", "", "none.csv", "figures", "a.csv --verify-receipts x"],
)
def test_wrong_usage_ends_with_1_since_2_says_that_rows_were_refused(push: Call, arguments: str) -> None:
    done = push(*arguments.split())
    assert (done.returncode, done.stdout) == (1, "")


def test_a_token_that_may_not_write_ends_with_3(push: Call, tmp_path: Path) -> None:
    done = push(str(write_csv(tmp_path, line(1))), CHITIEU_TOKEN="nonsense")
    assert done.returncode == 3
    assert "401 token_invalid" in done.stdout
