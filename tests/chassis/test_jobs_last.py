"""What a process does by itself goes on: a job that breaks is begun anew, and a log nobody can write to breaks none."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
import structlog

import chassis.house
from chassis.auth import Verifier
from chassis.house import House
from chassis.peers import Peers
from chassis.settings import Settings
from chassis.telemetry import configure_logs


@pytest.fixture
def settings() -> Any:
    configure_logs(Settings())
    yield Settings()
    configure_logs(Settings(log_level="ERROR"))


async def test_a_job_that_breaks_is_begun_anew(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chassis.house, "RESTART_SECONDS", 0)
    house, tries, is_done = House(settings, verifier=Verifier(settings), peers=Peers(settings)), [], asyncio.Event()

    async def job(given: House) -> None:
        tries.append(given)
        if len(tries) < 3:
            raise OSError("no space left on device")
        is_done.set()

    house.jobs = (job,)
    async with house.running(), asyncio.timeout(10):
        await is_done.wait()
    assert tries == [house] * 3


async def test_a_log_that_cannot_be_written_breaks_nobody(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    full = open("/dev/full", "w", encoding="utf-8")  # noqa: ASYNC230, SIM115 - it has no disk, and closing it fails
    monkeypatch.setattr(sys, "stderr", full)
    structlog.get_logger("anybody").warning("said", to="nobody")
    monkeypatch.undo()
    with pytest.raises(OSError, match="No space left"):
        full.close()
