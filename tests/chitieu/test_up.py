"""`chitieu up` as a newcomer meets it: real processes, real signals, one sentence for every trouble."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.chitieu.processes import is_alive, postmaster_of, run, running

pytestmark = pytest.mark.slow


def plans_at(url: str) -> list[str]:
    answer = httpx2.get(f"{url}/v1/plans", params={"limit": 100})
    assert answer.status_code == 200
    return [row["plan_key"] for row in answer.json()["items"]]


def test_a_first_start_serves_the_five_plans_and_says_how_to_use_them(data_dir: Path) -> None:
    with running("up", "--port", "0", "--data-dir", str(data_dir)) as command:
        url = command.wait_ready()
        command.wait_for("Ctrl-C stops everything")
        said = "\n".join(command.lines)
        assert plans_at(url) == [
            "14161-2026-digital-transformation-area",
            "25345-2026-digital-transformation-st-innovation",
            "25378-2026-digital-transformation-state-agencies",
            "26434-2026-resolution-57-implementation",
            "26491-2026-digital-transformation-state-agencies",
        ]
        for title in ("Provincial IOC", "Commune writer", "Provincial approver", "Administrator"):
            assert title in said
        tokens = re.findall(r"Bearer (\S+?)'", said)
        assert len(tokens) == 4
        for token in tokens:
            headers = {"Authorization": f"Bearer {token}"}
            assert httpx2.get(f"{url}/v1/plans?limit=1", headers=headers).status_code == 200
        pid = postmaster_of(data_dir)

        assert command.end(signal.SIGINT) == 0
        assert not is_alive(pid)
        assert command.rest().endswith("Stopped.")


def test_every_curl_it_prints_works_as_printed(data_dir: Path) -> None:
    with running("up", "--port", "0", "--data-dir", str(data_dir)) as command:
        command.wait_ready()
        command.wait_for("Ctrl-C stops everything")
        said = "\n".join(command.lines)
        curls = [" ".join(found.split("\\\n")) for found in re.findall(r"curl (?:.*\\\n)?.*", said)]
        assert len(curls) == 4
        for curl in curls:
            quiet = curl.replace("curl", "curl -s -o /dev/null -w %{http_code}", 1)
            assert subprocess.run(quiet, shell=True, capture_output=True, text=True, check=True).stdout == "200", curl


def test_after_kill_of_everything_the_next_start_keeps_the_data(data_dir: Path) -> None:
    with running("up", "--port", "0", "--data-dir", str(data_dir)) as command:
        before = plans_at(command.wait_ready())
        pid = postmaster_of(data_dir)
        os.kill(pid, signal.SIGKILL)
        command.process.kill()
        command.process.wait()

    with running("up", "--port", "0", "--data-dir", str(data_dir)) as command:
        url = command.wait_ready()
        assert plans_at(url) == before
        assert command.end() == 0


def test_a_killed_holder_takes_the_database_along(data_dir: Path) -> None:
    with running("up", "--empty", "--port", "0", "--data-dir", str(data_dir)) as command:
        command.wait_ready()
        pid = postmaster_of(data_dir)
    deadline = time.monotonic() + 20
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(pid)


def test_a_second_start_is_quick_and_loads_nothing_again(
    data_dir: Path, record_property: Callable[[str, object], None]
) -> None:
    with running("up", "--port", "0", "--data-dir", str(data_dir)) as command:
        url = command.wait_ready()
        before = httpx2.get(f"{url}/v1/plans/meta").json()
        assert command.end(signal.SIGTERM) == 0
    with running("up", "--port", "0", "--data-dir", str(data_dir)) as command:
        url = command.wait_ready()
        seconds = re.search(r"\((\d+\.\d) s\)", command.lines[-1])
        assert seconds
        record_property("warm_start_seconds", float(seconds[1]))
        assert float(seconds[1]) < 20
        assert httpx2.get(f"{url}/v1/plans/meta").json() == before
        assert command.end() == 0


def test_an_empty_start_has_no_demo_data_and_a_later_one_loads_them(data_dir: Path) -> None:
    with running("up", "--empty", "--port", "0", "--data-dir", str(data_dir)) as command:
        assert plans_at(command.wait_ready()) == []
        assert command.end() == 0
    with running("up", "--port", "0", "--data-dir", str(data_dir)) as command:
        assert len(plans_at(command.wait_ready())) == 5
        assert command.end() == 0


def test_production_starts_empty_and_prints_no_token(data_dir: Path) -> None:
    settings = {"CHITIEU_ENVIRONMENT": "production", "CHITIEU_PUBLIC_READ": "true"}
    with running("up", "--port", "0", "--data-dir", str(data_dir), settings=settings) as command:
        assert plans_at(command.wait_ready()) == []
        assert command.end() == 0
        assert "Bearer" not in command.rest()


def test_a_taken_port_is_told_before_anything_is_started(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("up", "--port", str(port), "--data-dir", str(data_dir))
    assert done.returncode == 1
    assert done.stderr == (
        f"chitieu: The port 127.0.0.1:{port} is taken: stop what uses it, or choose another with --port.\n"
    )
    assert not data_dir.exists()


def test_a_data_folder_in_use_is_told_with_its_holder(data_dir: Path) -> None:
    with running("up", "--empty", "--port", "0", "--data-dir", str(data_dir)) as command:
        command.wait_ready()
        done = run("up", "--port", "0", "--data-dir", str(data_dir))
        assert command.end() == 0
    assert done.returncode == 1
    assert done.stderr == (
        f"chitieu: The data folder {data_dir} is in use by another chitieu (process {command.process.pid}).\n"
    )


def test_an_unreachable_database_is_told_without_its_password(data_dir: Path) -> None:
    settings = {"CHITIEU_DATABASE_URL": "postgresql://dba:secret@127.0.0.1:1/chitieu"}
    done = run("up", "--port", "0", "--data-dir", str(data_dir), settings=settings)
    assert done.returncode == 1
    assert done.stderr == (
        "chitieu: No PostgreSQL answers at 127.0.0.1:1, database chitieu: [Errno 111] Connection refused.\n"
    )


def test_a_wrong_setting_is_named(data_dir: Path) -> None:
    done = run("up", "--data-dir", str(data_dir), settings={"CHITIEU_PORT": "eight"})
    assert done.returncode == 1
    assert done.stderr.startswith("chitieu: The setting CHITIEU_PORT is wrong: ")
    assert done.stderr.count("\n") == 1


def test_a_database_that_dies_under_it_comes_back(data_dir: Path) -> None:
    with running("up", "--port", "0", "--data-dir", str(data_dir)) as command:
        url = command.wait_ready()
        os.kill(postmaster_of(data_dir), signal.SIGKILL)
        deadline = time.monotonic() + 20
        while httpx2.get(f"{url}/v1/plans").status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(plans_at(url)) == 5
        assert command.end() == 0
