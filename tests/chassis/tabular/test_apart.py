"""Foreign files read in a process of their own, which they may break without harm."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from chassis.errors import HouseError, Unavailable, Unreadable
from chassis.tabular import Body, Limits, Titles, apart, jobs, read, read_whole
from chassis.tabular import __main__ as reader
from tests.chassis.tabular.bodies import CSV, PARQUET, TITLES, XLS, XLSX, Sheet, cells, found, parquet, xls

HEADER = ("Mã đơn vị", "Chỉ tiêu", "Giá trị", "Ngày số liệu", "Ghi chú")
BODY = Sheet().rows(HEADER, ("26491", "DX_01", 0.7), ("26434", "DX_02", "85,75%", None, "Đại Phước")).body()
FRAME = pl.DataFrame({"admin_unit": ["26491", None], "value": [0.7, 1.0]})


def test_every_foreign_form_comes_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(BODY)
    for source in (BODY, path):
        table = read_whole(Body(source, XLSX, TITLES))
        assert cells(table, "admin_unit", "value", "note") == [
            (2, "26491", "0.7", None),
            (3, "26434", "85,75%", "Đại Phước"),
        ]
        assert table.kinds["value"].to_list() == [1, 0]
        assert (table.received, table.is_strict) == (2, False)
    assert cells(read_whole(Body(parquet(FRAME), PARQUET, TITLES)), "admin_unit", "value") == [
        (1, "26491", "0.7"),
        (2, None, "1.0"),
    ]
    assert cells(read_whole(Body(xls(HEADER, ("26491",)), XLS, TITLES)), "admin_unit") == [(2, "26491")]
    # A spreadsheet is known by its first bytes, whatever it is called.
    assert cells(read_whole(Body(BODY, CSV, TITLES)), "admin_unit") == [(2, "26491"), (3, "26434")]


def test_findings_and_refusals_come_back_as_they_were() -> None:
    sheet = Sheet().rows(HEADER, ("26491",))
    sheet.sheet.write_formula(1, 2, "=1/0", None, "#DIV/0!")
    assert found(read_whole(Body(sheet.body(), XLSX, TITLES))) == [(2, "value", "cell_error")]
    with pytest.raises(HouseError) as refused:
        read_whole(Body(BODY, XLSX, Titles(("code", "Giá trị của nó"), {"gia tri": "code"})))
    assert (refused.value.status, refused.value.rule.code) == (422, "body_invalid")
    assert [(f.rule.code, f.column) for f in refused.value.faults][:2] == [
        ("field_unknown", "Mã đơn vị"),
        ("field_unknown", "Chỉ tiêu"),
    ]
    with pytest.raises(HouseError) as refused:
        read_whole(Body(parquet(FRAME), PARQUET, TITLES, Limits(rows=1)))
    assert (refused.value.status, refused.value.values) == (413, {"limit_rows": 1})
    with pytest.raises(Unreadable):
        read_whole(Body(b"nothing of the kind", XLSX, TITLES))


def test_one_reader_serves_one_file_after_another() -> None:
    read_whole(Body(BODY, XLSX, TITLES))
    (before,) = apart._idle
    with pytest.raises(HouseError):
        read_whole(Body(b"", PARQUET, TITLES))
    read_whole(Body(BODY, XLSX, TITLES))
    assert apart._idle == [before]


def test_a_reader_that_dies_takes_only_its_file_along(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = read(Body(BODY, XLSX, TITLES))
    reader = apart._Reader()
    os.kill(reader._process.pid, signal.SIGSTOP)  # it will not answer
    taken = threading.Event()
    with ThreadPoolExecutor(1) as pool, monkeypatch.context() as patched:
        patched.setattr(apart, "_take", lambda: taken.set() or reader)
        asked = pool.submit(read_whole, Body(BODY, XLSX, TITLES))
        assert taken.wait(10)
        os.kill(reader._process.pid, signal.SIGKILL)
        with pytest.raises(Unreadable) as refused:
            asked.result(10)
    assert refused.value.rule.code == "file_unreadable"
    assert next(tables).received == 2
    tables.close()  # type: ignore[attr-defined]  # a generator
    assert all(one.is_alive for one in apart._idle)


def test_the_work_on_earlier_files_is_not_held_against_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    used = iter([0.2, 599.5])  # seconds of work before each of two files
    limits: list[tuple[int, tuple[int, int]]] = []
    heard = iter([(jobs.Job(True, TITLES, Limits(), None, None), b"")] * 2)
    monkeypatch.setattr(reader.resource, "setrlimit", lambda kind, both: limits.append((kind, both)))
    monkeypatch.setattr(reader.resource, "getrusage", lambda _: SimpleNamespace(ru_utime=next(used), ru_stime=0.1))
    monkeypatch.setattr(reader.select, "select", lambda *_: [True])
    monkeypatch.setattr(reader, "hear_job", lambda *_: next(heard, None))
    monkeypatch.setattr(reader, "write_frame", lambda *_: None)
    reader.main()
    of_work = [both for kind, both in limits if kind == resource.RLIMIT_CPU]
    assert of_work == [(1 + 600, resource.RLIM_INFINITY), (600 + 600, resource.RLIM_INFINITY)]


def test_a_reader_gone_while_idle_is_replaced() -> None:
    apart._give_back(apart._take())
    gone = apart._idle[-1]
    gone._process.kill()
    gone._process.wait()
    assert read_whole(Body(BODY, XLSX, TITLES)).received == 2
    assert gone not in apart._idle


def test_a_reader_that_is_just_leaving_is_replaced() -> None:
    apart._give_back(apart._take())
    leaving = apart._idle[-1]
    leaving.end()
    code = "import os, time; os.close(0); os.close(1); print(file=open(2, 'w')); time.sleep(60)"
    leaving._process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert leaving._process.stderr is not None
    leaving._process.stderr.readline()  # it has stopped listening, and still runs
    assert leaving.is_alive
    assert read_whole(Body(BODY, XLSX, TITLES)).received == 2
    assert not leaving.is_alive
    leaving._process.stderr.close()


def test_several_at_once() -> None:
    with ThreadPoolExecutor(4) as pool:
        tables = list(pool.map(lambda _: read_whole(Body(BODY, XLSX, TITLES)), range(8)))
    assert [table.received for table in tables] == [2] * 8
    assert len(apart._idle) <= apart.MOST_AT_ONCE


def test_nobody_waits_for_ever_for_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "LONGEST_WAIT_SECONDS", 0.0)
    begun = [read(Body(BODY, XLSX, TITLES)) for _ in range(apart.MOST_AT_ONCE)]
    assert [next(tables).received for tables in begun] == [2] * apart.MOST_AT_ONCE
    with pytest.raises(Unavailable) as refused:
        read_whole(Body(BODY, XLSX, TITLES))
    assert (refused.value.rule.code, refused.value.headers) == ("file_readers_busy", {"Retry-After": "5"})
    for tables in begun:
        tables.close()  # type: ignore[attr-defined]  # a generator
    assert read_whole(Body(BODY, XLSX, TITLES)).received == 2


def test_no_reader_outlives_its_service() -> None:
    code = (
        "import time; from chassis.tabular import apart; apart._give_back(apart._take());"
        "print(apart._idle[0]._process.pid, flush=True); time.sleep(60)"
    )
    service = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert service.stdout is not None
    pid = int(service.stdout.readline())
    service.kill()
    service.wait()
    service.stdout.close()
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split(")")[1].split()[0] == "Z":
            return  # gone, only nobody has buried it
        time.sleep(0.1)
    raise AssertionError("it still runs")
