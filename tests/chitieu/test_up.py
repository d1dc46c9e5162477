"""`chitieu up` as a newcomer meets it: real processes, real signals, one sentence for every trouble.

The tests of one folder are one story, told in order: empty, killed, loaded, killed again, started again, in earnest.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from tests.chitieu.commands import run_here
from tests.chitieu.processes import Running, is_alive, postmaster_of, running

pytestmark = pytest.mark.slow

FIVE_PLANS = [
    "14161-2026-digital-transformation-area",
    "25345-2026-digital-transformation-st-innovation",
    "25378-2026-digital-transformation-state-agencies",
    "26434-2026-resolution-57-implementation",
    "26491-2026-digital-transformation-state-agencies",
]


def plans_at(url: str) -> list[str]:
    answer = httpx2.get(f"{url}/v1/plans", params={"limit": 100})
    assert answer.status_code == 200
    return [row["plan_key"] for row in answer.json()["items"]]


def seconds_said(line: str) -> float:
    found = re.search(r"\((\d+\.\d) s\)", line)
    assert found
    return float(found[1])


def wait_for_death(pid: int) -> None:
    deadline = time.monotonic() + 20
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(pid)


class TestOneFolder:
    """From an empty folder to a loaded one that survives everything."""

    @pytest.fixture
    def house(self, shared_dir: Path) -> Iterator[Running]:
        """A start in the folder as the test before left it."""
        with running("up", "--port", "0", "--data-dir", str(shared_dir)) as command:
            yield command

    def test_an_empty_start_has_no_demo_data(self, shared_dir: Path) -> None:
        with running("up", "--empty", "--port", "0", "--data-dir", str(shared_dir)) as command:
            assert plans_at(command.wait_ready()) == []
            pid = postmaster_of(shared_dir)
            # The end of the block kills the holder; its database must not outlive it.
        wait_for_death(pid)

    def test_a_start_loads_the_five_plans_and_every_curl_it_prints_works(
        self, shared_dir: Path, house: Running, record_property: Callable[[str, object], None]
    ) -> None:
        url = house.wait_ready()
        record_property("loading_start_seconds", seconds_said(house.lines[-1]))
        house.wait_for("Ctrl-C stops everything")
        assert plans_at(url) == FIVE_PLANS

        said = "\n".join(house.lines)
        for title in ("Provincial IOC", "Commune writer", "Provincial approver", "Administrator"):
            assert title in said
        curls = [found.replace("\\\n", " ") for found in re.findall(r"curl (?:.*\\\n)?.*", said)]
        assert len(curls) == 4
        for curl in curls:
            quiet = curl.replace("curl", "curl -s -o /dev/null -w %{http_code}", 1)
            assert subprocess.run(quiet, shell=True, capture_output=True, text=True, check=True).stdout == "200", curl

        # Everything at once, as when the machine loses its power: the next test starts from here.
        os.kill(postmaster_of(shared_dir), signal.SIGKILL)
        house.process.kill()

    def test_the_next_start_is_quick_loads_nothing_again_and_brings_a_lost_database_back(
        self, shared_dir: Path, house: Running, record_property: Callable[[str, object], None]
    ) -> None:
        url = house.wait_ready()
        record_property("warm_start_seconds", seconds_said(house.lines[-1]))
        assert seconds_said(house.lines[-1]) < 20
        assert not any("Loading the five plans" in line for line in house.lines)
        assert plans_at(url) == FIVE_PLANS
        assert httpx2.get(f"{url}/v1/plans/meta").json()["data_version"] > 0
        done = run_here("up", "--port", "0", "--data-dir", str(shared_dir))
        assert done.returncode == 1
        assert done.stderr == (
            f"chitieu: The data folder {shared_dir} is in use by another chitieu (process {house.process.pid}).\n"
        )

        os.kill(postmaster_of(shared_dir), signal.SIGKILL)
        deadline = time.monotonic() + 20
        while httpx2.get(f"{url}/v1/plans").status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert plans_at(url) == FIVE_PLANS

        pid = postmaster_of(shared_dir)
        assert house.end(signal.SIGINT) == 0
        assert not is_alive(pid)
        assert house.rest().endswith("Stopped.")

    def test_production_on_the_same_folder_prints_no_token_and_shows_no_sample(self, shared_dir: Path) -> None:
        settings = {"CHITIEU_ENVIRONMENT": "production", "CHITIEU_PUBLIC_READ": "true"}
        with running("up", "--port", "0", "--data-dir", str(shared_dir), settings=settings) as command:
            url = command.wait_ready()
            assert httpx2.get(f"{url}/v1/indicators/actuals").json()["items"] == []
            assert command.end(signal.SIGTERM) == 0
            assert "Bearer" not in command.rest()


def test_a_taken_port_is_told_before_anything_is_started(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_here("up", "--port", str(port), "--data-dir", str(data_dir))
    assert done.returncode == 1
    assert done.stderr == (
        f"chitieu: The port 127.0.0.1:{port} is taken: stop what uses it, or choose another with --port.\n"
    )
    assert not data_dir.exists()


def test_an_unreachable_database_is_told_without_its_password(data_dir: Path) -> None:
    settings = {"CHITIEU_DATABASE_URL": "postgresql://dba:secret@127.0.0.1:1/chitieu", "CHITIEU_LOG_LEVEL": "ERROR"}
    done = run_here("up", "--port", "0", "--data-dir", str(data_dir), settings=settings)
    assert done.returncode == 1
    assert done.stderr == (
        "chitieu: No PostgreSQL answers at 127.0.0.1:1, database chitieu: [Errno 111] Connection refused.\n"
    )


def test_a_wrong_setting_is_named(data_dir: Path) -> None:
    done = run_here("up", "--data-dir", str(data_dir), settings={"CHITIEU_PORT": "eight"})
    assert done.returncode == 1
    assert done.stderr.startswith("chitieu: The setting CHITIEU_PORT is wrong: ")
    assert done.stderr.count("\n") == 1
