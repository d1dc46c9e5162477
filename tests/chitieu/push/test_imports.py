"""Posts that go through an import: large ones, cut ones, killed ones, refused, cancelled and reverted ones."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chassis.receipts import verify_receipt
from chassis.tabular import Limits
from chitieu.client import Client, Conflict, FileTrouble, Patience, Refused, Step, TooLarge, bodies, calls, imports
from chitieu.push import BROKEN_OFF
from tests.chitieu.processes import PATIENCE_SECONDS, environment
from tests.chitieu.proxies import REFUSE, SWALLOW, Proxy
from tests.chitieu.push.figures import Call, heavy_csv, row, wifi

pytestmark = pytest.mark.slow


def test_more_rows_than_one_request_takes_are_an_import(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Limits(unpacked_bytes=1).rows == calls.MOST_ROWS
    monkeypatch.setattr(calls, "MOST_ROWS", 100)
    posted = client.post_actuals(row(66) for _ in range(102))
    assert (posted.received, posted.updated + posted.unchanged, posted.duplicates) == (102, 1, 101)
    assert posted.through is not None


def test_more_rows_than_the_service_takes_at_once_are_an_import(client: Client) -> None:
    many = Limits(unpacked_bytes=1).rows + 1
    mine, others = json.dumps(row(66)).encode(), json.dumps({**row(66), "admin_unit": "26434"}).encode()
    body = b"[" + b",".join([mine] * (many - 2) + [others] * 2) + b"]"
    with pytest.raises(TooLarge):
        client.post_actuals(body, content_type="application/json", as_import=False)
    posted = client.post_actuals(body, content_type="application/json", mode="partial")
    assert (posted.received, posted.duplicates, posted.refused) == (many, many - 3, 2)
    assert posted.through is not None


def test_an_import_may_be_cancelled(client: Client) -> None:
    made = client.read_all("/v1/indicators/imports", {"state": "done"})[-1]
    with pytest.raises(Conflict):
        client.cancel_import(made["import_id"])


def test_an_import_is_followed_to_its_end(client: Client) -> None:
    steps: list[Step] = []
    posted = client.post_actuals([row(71)], as_import=True, report=steps.append)
    assert (posted.updated, posted.refused, posted.import_id) == (1, 0, posted.through)
    assert posted.through is not None
    found = client.get_import(posted.through)
    assert (found.state, found.is_over, found.received_bytes) == ("done", True, found.size_bytes)
    assert steps[-1].phase in ("sending", "working")
    assert client.follow_import(posted.through).updated == 1
    assert posted.receipt is not None
    assert verify_receipt(posted.receipt, client.receipt_keys()).import_id == posted.through


def test_an_import_that_is_refused_says_why_and_keeps_the_rows(client: Client, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        client.post_actuals([row(72), {**row(1), "admin_unit": "26434"}], as_import=True)
    assert [(fault.row, fault.code) for fault in refusal.value.faults] == [(2, "unit_not_covered")]
    assert refusal.value.import_id is not None
    client.save_errors(refusal.value.import_id, tmp_path / "errors.csv")
    assert "26434" in (tmp_path / "errors.csv").read_text(encoding="utf-8")


def test_an_import_is_reverted_as_a_whole(client: Client) -> None:
    client.post_actuals([row(73)])
    before = wifi(client)
    posted = client.post_actuals([row(74)])
    assert posted.import_id is not None
    reverting = client.revert_import(posted.import_id, "gửi nhầm tệp")
    assert client.follow_import(reverting.import_id).updated == 1
    assert wifi(client) == before


def test_a_cut_upload_goes_on_where_it_broke(
    proxy: Proxy, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "PIECE", 1024 * 1024)
    file = heavy_csv(tmp_path, 75, 3)
    steps: list[Step] = []
    proxy.plans = ["through"] * 2 + [1_500_000, SWALLOW, REFUSE]
    with Client(proxy.url, token, patience=Patience(seconds=20, first_wait=0.02)) as cut:
        posted = cut.post_actuals(file, as_import=True, report=steps.append)
    sent = [step.done for step in steps if step.phase == "sending"]
    assert (sent, sent[-1]) == (sorted(sent), file.stat().st_size)
    assert (posted.updated, posted.received) == (1, posted.duplicates + 1)
    assert proxy.forwarded < 1.8 * file.stat().st_size


def test_a_file_that_becomes_shorter_while_it_is_sent_is_said(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "PIECE", 64 * 1024)
    monkeypatch.setattr(bodies, "IN_MEMORY", 0)
    file = heavy_csv(tmp_path, 77, 1)
    sent: list[float] = []

    def shorten(step: Step) -> None:
        sent.append(step.done)
        assert len(sent) < 20, "it goes round and round"
        os.truncate(file, 100_000)

    with pytest.raises(FileTrouble) as trouble:
        client.post_actuals(file, as_import=True, report=shorten)
    assert str(trouble.value) == f"{file.name} became shorter while it was sent."
    assert sent[-1] == 100_000


@pytest.mark.parametrize(
    ("sign", "code", "said"), [(signal.SIGKILL, -signal.SIGKILL, ""), (signal.SIGINT, 130, f"{BROKEN_OFF}\n")]
)
def test_a_push_broken_off_while_it_uploads_is_resumed(
    push: Call, client: Client, proxy: Proxy, token: str, tmp_path: Path, sign: int, code: int, said: str
) -> None:
    file = heavy_csv(tmp_path, 500 + sign, 17)
    before = len(client.read_all("/v1/indicators/imports"))
    proxy.bytes_per_second = 24_000_000
    place = environment(XDG_STATE_HOME=str(tmp_path / "state"), CHITIEU_TOKEN=token, CHITIEU_URL=proxy.url)
    command = [sys.executable, "-m", "chitieu", "push", str(file), "--errors", str(tmp_path / "errors.csv")]
    with subprocess.Popen(command, env=place, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while proxy.forwarded < 10_000_000:  # the first piece is there, the second on its way
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(sign)
        assert process.stderr is not None
        assert process.stderr.read() == said
    assert process.returncode == code
    proxy.bytes_per_second = None
    done = push(str(file), "--errors", str(tmp_path / "errors.csv"), "--json", at=proxy.url)
    [found] = json.loads(done.stdout)["files"]
    assert (done.returncode, found["result"]["updated"]) == (0, 1)
    assert len(client.read_all("/v1/indicators/imports")) == before + 1
    assert proxy.forwarded < 1.5 * file.stat().st_size
