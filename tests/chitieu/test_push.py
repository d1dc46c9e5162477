"""`chitieu push` against a running house: every ending, every kind of file, cut connections, receipts."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter
import xlwt
import zstandard

from chassis.receipts import verify_receipt
from chitieu.client import Client, Conflict, NotReached, Patience, Refused, Step, TooLarge
from tests.chitieu.forms import fill
from tests.chitieu.processes import PATIENCE_SECONDS, environment, run, running
from tests.chitieu.proxies import REFUSE, SWALLOW, Proxy, answer, proxied

pytestmark = pytest.mark.slow

Call = Callable[..., subprocess.CompletedProcess[str]]
HEADER = "Mã đơn vị;Mã chỉ tiêu;Kỳ báo cáo;Giá trị;Ngày số liệu"
NOT_SUBMITTED = "Ghi nhận chưa phải là nộp báo cáo."


@pytest.fixture(scope="module")
def url(shared_dir: Path) -> Iterator[str]:
    """A loaded house."""
    with running("up", "--port", "0", "--data-dir", str(shared_dir)) as command:
        yield command.wait_ready()
        command.end()


@pytest.fixture(scope="module")
def token(url: str, shared_dir: Path) -> str:
    """A commune's token."""
    scopes = "actuals:write indicators:read"
    return run("token", "--scope", scopes, "--admin-unit", "26491", "--data-dir", str(shared_dir)).stdout.strip()


@pytest.fixture
def push(url: str, token: str, tmp_path: Path) -> Call:
    """Push as the commune."""

    def call(*arguments: str, at: str = url, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        place = {"XDG_STATE_HOME": str(tmp_path / "state"), "CHITIEU_TOKEN": token, **settings}
        return run("push", *arguments, "--url", at, settings=place, stdin=stdin)

    return call


@pytest.fixture
def client(url: str, token: str) -> Iterator[Client]:
    """The commune's client, without await."""
    with Client(url, token, patience=Patience(seconds=20, first_wait=0.02)) as made:
        yield made


def line(value: object, *, unit: str = "26491", code: str = "PUBLIC_WIFI_POINTS", period: str = "2026-Q3") -> str:
    return f"{unit};{code};{period};{value};20/09/2026"


def write_csv(folder: Path, *lines: str, name: str = "figures.csv") -> Path:
    file = folder / name
    file.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return file


def row(value: float, code: str = "PUBLIC_WIFI_POINTS") -> dict[str, Any]:
    return {
        "admin_unit": "26491", "indicator": code, "period": "2026-Q3", "value": value, "measured_on": "2026-09-20",
    }  # fmt: skip


def wifi(client: Client) -> Any:
    asked = {"admin_unit": "26491", "indicator": "PUBLIC_WIFI_POINTS", "period": "2026-Q3"}
    return client.read_all("/v1/indicators/actuals", asked)[0]["value"]


def test_all_in_says_what_was_recorded_and_that_it_is_not_submitted(push: Call, tmp_path: Path) -> None:
    file = write_csv(tmp_path, line(41))
    done = push(str(file))
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


def test_partial_records_the_good_rows_and_ends_with_2(push: Call, client: Client, tmp_path: Path) -> None:
    file = write_csv(tmp_path, line(44), line(1, unit="26434"))
    done = push(str(file), "--partial", "--json")
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


def test_standard_input_and_several_files(push: Call, tmp_path: Path) -> None:
    good, bad = write_csv(tmp_path, line(47)), write_csv(tmp_path, line(1, unit="26434"), name="bad.csv")
    done = push("-", "--type", "json", stdin=json.dumps([row(47)]))
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "-: đã ghi nhận 1 số liệu (1 thay đổi).")
    assert push(str(good), str(bad)).returncode == 2
    assert push("-", stdin="[]").stderr.startswith("chitieu: Standard input has no name")


def write_xls(file: Path, cells: dict[str, Any]) -> None:
    book = xlwt.Workbook()
    page = book.add_sheet("Sheet1")
    for place, (name, cell) in enumerate(cells.items()):
        page.write(0, place, name)
        page.write(1, place, cell)
    book.save(str(file))


def write_xlsx(file: Path, cells: dict[str, Any]) -> None:
    with xlsxwriter.Workbook(file) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, list(cells))
        page.write_row(1, 0, list(cells.values()))


def csv_of(cells: dict[str, Any]) -> bytes:
    return f"{HEADER}\n{line(cells['value'])}\n".encode()


WRITERS: dict[str, Callable[[Path, dict[str, Any]], object]] = {
    "csv": lambda file, cells: file.write_bytes(csv_of(cells)),
    "csv.gz": lambda file, cells: file.write_bytes(gzip.compress(csv_of(cells))),
    "csv.zst": lambda file, cells: file.write_bytes(zstandard.compress(csv_of(cells))),
    "tsv": lambda file, cells: file.write_bytes(csv_of(cells).replace(b";", b"\t")),
    "json": lambda file, cells: file.write_text(json.dumps([cells])),
    "ndjson": lambda file, cells: file.write_text(json.dumps(cells)),
    "parquet": lambda file, cells: pl.DataFrame([cells]).write_parquet(file),
    "xls": write_xls,
    "xlsx": write_xlsx,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_of_file_is_taken(push: Call, client: Client, tmp_path: Path, kind: str) -> None:
    file, value = tmp_path / f"figures.{kind}", 50 + list(WRITERS).index(kind)
    WRITERS[kind](file, row(value))
    done = push(str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert wifi(client) == value


def test_a_form_is_made_filled_in_partly_and_pushed(push: Call, url: str, token: str, tmp_path: Path) -> None:
    file = tmp_path / "form.xlsx"
    arguments = ("--unit", "26491", "--period", "2026-Q2", "-o", str(file), "--url", url, "--token", token)
    made = run("template", *arguments)
    assert (made.returncode, made.stdout) == (
        0,
        f"{file}: 40 chỉ tiêu của đơn vị 26491, Quý II/2026; 0 đã có số liệu.\n",
    )
    blank = push(str(file))
    assert blank.returncode == 0
    assert blank.stdout == f"{file}: không có gì mới để ghi; 40 dòng chưa điền, để nguyên.\n"
    fill(file, {"E4": 80})
    done = push(str(file))
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        0,
        f"{file}: đã ghi nhận 1 số liệu (1 thay đổi); 39 dòng chưa điền, để nguyên.",
    )
    assert push(str(file), "--on-blank", "refuse").returncode == 3
    fill(file, {"E5": "nhiều"})
    for errors in (tmp_path / "errors.csv", tmp_path / "errors.xlsx", tmp_path / "errors.json"):
        refused = push(str(file), "--errors", str(errors))
        assert refused.returncode == 3
        assert f"Dòng bị từ chối, kèm lý do: {errors}\n" in refused.stdout
    assert "nhiều" in (tmp_path / "errors.csv").read_text(encoding="utf-8")
    [refused_row] = json.loads((tmp_path / "errors.json").read_text(encoding="utf-8"))
    assert (refused_row["row"], refused_row["errors"][0]["column"]) == (5, "value")
    assert (tmp_path / "errors.xlsx").read_bytes().startswith(b"PK")


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


def test_a_number_style_is_declared_where_it_is_ambiguous(push: Call, client: Client, tmp_path: Path) -> None:
    file = write_csv(tmp_path, line("1.670"))
    unsure = push(str(file))
    assert unsure.returncode == 3
    assert "number_ambiguous" in unsure.stdout
    assert push(str(file), "--number-style", "vi").returncode == 0
    assert wifi(client) == 1670


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


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    """A way to the house that can be cut."""
    with proxied(url) as made:
        yield made


def test_cut_connections_are_tried_again_and_have_one_effect(push: Call, proxy: Proxy, tmp_path: Path) -> None:
    proxy.plans = [REFUSE, 300, SWALLOW]
    done = push(str(write_csv(tmp_path, line(61))), "--json", at=proxy.url)
    [found] = json.loads(done.stdout)["files"]
    # The third try was recorded although its answer was lost: the fourth got the same answer, not "unchanged".
    assert (done.returncode, found["result"]["updated"], found["result"]["unchanged"]) == (0, 1, 0)
    assert proxy.connections >= 4


def test_a_push_that_was_killed_is_finished_with_the_same_key(
    push: Call, proxy: Proxy, token: str, tmp_path: Path
) -> None:
    file = write_csv(tmp_path, line(62))
    proxy.plans = [SWALLOW, *[REFUSE] * 1000]
    place = environment(XDG_STATE_HOME=str(tmp_path / "state"), CHITIEU_TOKEN=token, CHITIEU_URL=proxy.url)
    with subprocess.Popen([sys.executable, "-m", "chitieu", "push", str(file)], env=place) as process:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while proxy.connections < 3:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    proxy.plans = []
    done = push(str(file), "--json", at=proxy.url)
    [found] = json.loads(done.stdout)["files"]
    assert (done.returncode, found["result"]["updated"]) == (0, 1)
    assert "tiếp tục lần gửi dở" in done.stderr
    assert json.loads(push(str(file), "--json", at=proxy.url).stdout)["files"][0]["result"]["unchanged"] == 1


def test_the_library_waits_out_a_server_that_is_away(proxy: Proxy, token: str) -> None:
    proxy.plans = [REFUSE] * 5
    waits: list[str] = []
    with Client(proxy.url, token, patience=Patience(seconds=20, first_wait=0.02)) as client:
        posted = client.post_actuals([row(63)], report=lambda step: waits.append(step.phase))
    assert posted.updated == 1
    assert waits.count("waiting") == 5


def test_the_library_waits_as_long_as_it_is_told_to(proxy: Proxy, token: str) -> None:
    proxy.plans = [answer("503 Away", Retry_After="1"), answer("429 Too Many", "<html>", Retry_After="1")]
    waits: list[float] = []
    with Client(proxy.url, token, patience=Patience(seconds=20, first_wait=0.02)) as client:
        client.post_actuals([row(64)], report=lambda step: waits.append(step.done) if step.phase == "waiting" else None)
    assert waits == [1, 1]
    proxy.plans = [answer("503 Away", Retry_After="60")]
    with Client(proxy.url, token, patience=Patience(seconds=20)) as client, pytest.raises(NotReached):
        client.post_actuals([row(64)])


@pytest.mark.parametrize("stranger", [answer("200 OK", "<html>"), answer("404 Not Found", "<html>")])
def test_what_is_not_the_service_counts_as_not_reached(proxy: Proxy, token: str, stranger: bytes) -> None:
    proxy.plans = [stranger]
    with Client(proxy.url, token) as client, pytest.raises(NotReached, match="is not chitieu"):
        client.post_actuals([row(64)])


def test_a_gateway_that_takes_no_such_body_leads_to_an_import(proxy: Proxy, token: str) -> None:
    proxy.plans = [answer("413 Too Large", "<html>")]
    with Client(proxy.url, token) as client:
        assert client.post_actuals([row(65)]).through is not None


def test_more_rows_than_one_request_takes_are_an_import(client: Client) -> None:
    many = 200_001
    posted = client.post_actuals(row(66) for _ in range(many))
    assert (posted.received, posted.updated + posted.unchanged, posted.duplicates) == (many, 1, many - 1)
    assert posted.through is not None
    with pytest.raises(TooLarge):
        client.post_actuals(json.dumps([row(66)] * many).encode(), content_type="application/json", as_import=False)
    again = client.post_actuals(json.dumps([row(66)] * many).encode(), content_type="application/json")
    assert (again.received, again.unchanged, again.through is not None) == (many, 1, True)


def test_an_import_may_be_cancelled(client: Client) -> None:
    made = client.read_all("/v1/indicators/imports", {"state": "done"})[-1]
    with pytest.raises(Conflict):
        client.cancel_import(made["import_id"])


def test_the_library_gives_up_when_told_to(token: str) -> None:
    with Client("http://127.0.0.1:1", token, patience=Patience(seconds=0)) as client, pytest.raises(NotReached):
        client.post_actuals([row(63)])


def heavy_csv(folder: Path, value: int, megabytes: int) -> Path:
    """A file that is much to send and little to do: the same row over and over, with a long note."""
    heavy = f"{line(value)};{'ghi chú ' * 400}"
    count = megabytes * 1024 * 1024 // len(heavy.encode())
    file = folder / f"heavy-{value}.csv"
    file.write_text(f"{HEADER};Ghi chú\n" + f"{heavy}\n" * count, encoding="utf-8")
    return file


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


def test_a_cut_upload_goes_on_where_it_broke(client: Client, proxy: Proxy, token: str, tmp_path: Path) -> None:
    file = heavy_csv(tmp_path, 75, 20)
    sent: list[float] = []
    proxy.plans = ["through"] * 2 + [12_000_000, SWALLOW, REFUSE]
    with Client(proxy.url, token, patience=Patience(seconds=20, first_wait=0.02)) as cut:
        posted = cut.post_actuals(file, as_import=True, report=lambda step: sent.append(step.done))
    assert (posted.updated, posted.received) == (1, posted.duplicates + 1)
    assert proxy.forwarded < 1.8 * file.stat().st_size


def test_a_push_killed_while_it_uploads_is_resumed(
    push: Call, client: Client, proxy: Proxy, token: str, tmp_path: Path
) -> None:
    file = heavy_csv(tmp_path, 76, 24)
    before = len(client.read_all("/v1/indicators/imports"))
    proxy.bytes_per_second = 12_000_000
    place = environment(XDG_STATE_HOME=str(tmp_path / "state"), CHITIEU_TOKEN=token, CHITIEU_URL=proxy.url)
    command = [sys.executable, "-m", "chitieu", "push", str(file), "--errors", str(tmp_path / "errors.csv")]
    with subprocess.Popen(command, env=place) as process:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while proxy.forwarded < 13_000_000:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    proxy.bytes_per_second = None
    done = push(str(file), "--errors", str(tmp_path / "errors.csv"), "--json", at=proxy.url)
    [found] = json.loads(done.stdout)["files"]
    assert (done.returncode, found["result"]["updated"]) == (0, 1)
    assert len(client.read_all("/v1/indicators/imports")) == before + 1
    assert proxy.forwarded < 1.7 * file.stat().st_size


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_refused_rows_are_written_to_a_file_that_can_be_mended_and_sent(push: Call, tmp_path: Path, kind: str) -> None:
    errors = tmp_path / f"errors.{kind}"
    file = write_csv(tmp_path, line(77), line(1, unit="26434"), line(78, code="PUBLIC_WIFI_POINT"))
    done = push(str(file), "--partial", "--errors", str(errors))
    assert done.returncode == 2
    assert f"Dòng bị từ chối, kèm lý do: {errors}\n" in done.stdout
    if kind == "csv":
        text = errors.read_text(encoding="utf-8")
        assert "26434" in text
        assert "PUBLIC_WIFI_POINT" in text
        assert "Có phải là PUBLIC_WIFI_POINTS?" in text
        mended = [each for each in text.splitlines() if "26434" not in each]
        errors.write_text("\n".join(mended).replace("PUBLIC_WIFI_POINT,", "PUBLIC_WIFI_POINTS,"), encoding="utf-8")
        again = push(str(errors))
        assert again.returncode == 0, again.stdout + again.stderr
    else:
        assert errors.read_bytes().startswith(b"PK")


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
