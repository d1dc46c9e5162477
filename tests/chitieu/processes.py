"""Real processes for tests: start the command, wait for what it says, end it in every way."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_SECONDS = 90
PUBLIC_URL = "https://chitieu.example.gov.vn"


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def postmaster_of(data_dir: Path) -> int:
    """The pid of the embedded server of a data folder."""
    home = Path(json.loads((data_dir / "postgres.json").read_text())["home"])
    return int((home / "18" / "postmaster.pid").read_text().splitlines()[0])


def is_alive(pid: int) -> bool:
    """Whether a process runs; a dead one that nobody has buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def environment(**settings: str) -> dict[str, str]:
    """This process's environment, without settings of the house but those given and the one production needs, and
    without what polars wrote there for itself: a process takes that for an operator's wish.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CHITIEU_", "_RJEM_"))}
    ours = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
    return {**kept, **ours, "CHITIEU_PUBLIC_URL": PUBLIC_URL, **settings}


def run(
    *arguments: str, settings: Mapping[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "chitieu", *arguments],
        env=environment(**(settings or {})),
        input=stdin,
        text=True,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


class Running:
    """A command that stays until it is told to end."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read on until a line matches."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(Empty):
                line = self._queue.get(timeout=0.2)
                if line is None:
                    break
                self.lines.append(line)
                if match := re.search(pattern, line):
                    return match
        raise AssertionError(f"{pattern!r} was not said:\n" + "\n".join(self.lines))

    def wait_ready(self) -> str:
        """The address it serves."""
        return self.wait_for(r"ready at (http://\S+)")[1]

    def rest(self) -> str:
        """Everything said until the end."""
        while (line := self._queue.get(timeout=PATIENCE_SECONDS)) is not None:
            self.lines.append(line)
        return "\n".join(self.lines)

    def end(self, sign: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and wait for the exit code."""
        self.process.send_signal(sign)
        return self.process.wait(PATIENCE_SECONDS)


@contextlib.contextmanager
def running(*arguments: str, settings: Mapping[str, str] | None = None) -> Iterator[Running]:
    """A command in the background, in a process group of its own as a shell would start it."""
    with subprocess.Popen(
        [sys.executable, "-m", "chitieu", *arguments],
        env=environment(**(settings or {})),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()
