"""The processes: the shell that ties the server to its holder, and the traces of servers of the past."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

STOP_SECONDS = 60.0

# Prints the server's pid, then waits for it. `read` returns when the holder's end of the pipe closes, by
# stop() or by any death of the holder; SIGINT is PostgreSQL's "fast" shutdown.
WATCHER = """
exec 3<&0
"$@" </dev/null 3<&- >>"$CHITIEU_POSTGRES_LOG" 2>&1 &
server=$!
echo "$server"
exec >/dev/null
( read -r _ <&3; kill -INT "$server" ) 2>/dev/null &
guard=$!
exec 3<&-
wait "$server"
status=$?
kill "$guard" 2>/dev/null
exit "$status"
"""


def recorded_postmaster(data: Path) -> int | None:
    """The pid that the last server wrote down, whether it lives or not."""
    try:
        return int((data / "postmaster.pid").read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None


def is_alive(pid: int) -> bool:
    """Whether any process has this pid."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def is_postmaster_of(pid: int, data: Path) -> bool:
    """A server works inside its data folder, so its current directory tells it from a reused pid."""
    if not Path("/proc/self").exists():
        return is_alive(pid)
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == data.resolve()
    except OSError:
        return False


def wait_until_gone(pid: int, data: Path, patience: float) -> bool:
    """Wait for a server's end; says whether it came within so many seconds."""
    deadline = time.monotonic() + patience
    while is_postmaster_of(pid, data):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_ready(data: Path, pid: int) -> bool:
    """PostgreSQL writes its pid into the first line of postmaster.pid and its state into the eighth."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def end_server(watcher: subprocess.Popen[str], postmaster: int) -> None:
    """Close the pipe and wait for the shutdown; past the longest wait, stop at once (recovery at next start)."""
    assert watcher.stdin is not None
    assert watcher.stdout is not None
    watcher.stdin.close()
    try:
        watcher.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.kill(postmaster, signal.SIGQUIT)
        watcher.wait()
    watcher.stdout.close()


def environment(**more: str) -> dict[str, str]:
    """A small environment, the same wherever chitieu is started."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", **more}
