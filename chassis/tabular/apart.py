"""Foreign files are read apart, in a process of their own: a file that kills its reader kills nothing else.

The readers of spreadsheets and Parquet are quick and not proof against files made to break them: some make them ask
for more memory than there is, which ends the process they run in.
"""

from __future__ import annotations

import atexit
import subprocess  # our own interpreter with our own module
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import IO

from chassis.environment import environment_with
from chassis.errors import HouseError, Unavailable, Unreadable
from chassis.tabular.foreign import unreadable
from chassis.tabular.jobs import HERE, Job, hear, read_frame, say_job, write_frame
from chassis.tabular.rules import READERS_BUSY
from chassis.tabular.table import Limits, Table, Titles

MOST_AT_ONCE = 2
LONGEST_WAIT_SECONDS = 10.0
# A reader that waits for the next file holds nothing of the last one.
_GIVES_BACK_AT_ONCE = {"_RJEM_MALLOC_CONF": "dirty_decay_ms:0,muzzy_decay_ms:0,narenas:1"}
_turns = BoundedSemaphore(MOST_AT_ONCE)
_lock = Lock()
_idle: list[_Reader] = []


class _Reader:
    """A process that reads one file after another until nobody asks any more."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # nothing of a request is in the command
            [sys.executable, "-m", "chassis.tabular"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment_with(_GIVES_BACK_AT_ONCE),
        )
        self.is_free = True

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def is_listening(self) -> bool:
        """Whether it waits for a file; one that was idle for long leaves by itself, perhaps just now."""
        asked, answers = self._streams
        with suppress(OSError):
            write_frame(asked, HERE)
            return read_frame(answers) == HERE
        return False

    @property
    def _streams(self) -> tuple[IO[bytes], IO[bytes]]:
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        return asked, answers

    def tables(self, job: Job, body: bytes, form: str) -> Iterator[Table]:
        """The tables of a file."""
        asked, answers = self._streams
        self.is_free = False
        try:
            say_job(asked, job, body)
        except OSError as error:
            raise _died(form) from error
        while content := read_frame(answers):
            said = hear(content, job.titles)
            self.is_free = not isinstance(said, Table)
            if isinstance(said, HouseError):
                raise said
            if said is None:
                return
            yield said
        raise _died(form)

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        for stream in self._streams:
            with suppress(OSError):  # it died with something unsaid
                stream.close()
        self._process.wait()


def read_apart(
    source: bytes | Path, titles: Titles, limits: Limits, *, is_parquet: bool, sheet: str | None
) -> Iterator[Table]:
    """Read a spreadsheet or a Parquet file in a process of its own; see `read_workbook` and `read_parquet`.

    Raises:
        Unreadable: the file killed its reader ("file_unreadable"), or what the reader says of it.
        Unavailable: others are read for too long ("file_readers_busy").
    """
    path, body = (None, source) if isinstance(source, bytes) else (str(source.resolve()), b"")
    job = Job(is_parquet, titles, limits, sheet, path)
    with _turn():
        reader = _take()
        try:
            yield from reader.tables(job, body, "Parquet" if is_parquet else "Excel")
        finally:
            _give_back(reader)


@contextmanager
def _turn() -> Iterator[None]:
    # Who waits keeps a thread that others need: for bodies of any form, and for what is read already.
    if not _turns.acquire(timeout=LONGEST_WAIT_SECONDS):
        raise Unavailable(READERS_BUSY, headers={"Retry-After": "5"})
    try:
        yield
    finally:
        _turns.release()


def _take() -> _Reader:
    while True:
        with _lock:
            reader = _idle.pop() if _idle else None
        if reader is None:
            return _Reader()
        if reader.is_listening():
            return reader
        reader.end()


def _give_back(reader: _Reader) -> None:
    if reader.is_free and reader.is_alive:
        with _lock:
            _idle.append(reader)
    else:
        reader.end()


def _end_all() -> None:
    with _lock:
        while _idle:
            _idle.pop().end()


atexit.register(_end_all)


def _died(form: str) -> Unreadable:
    return unreadable(form, "the file broke its reader", "tệp làm hỏng chương trình đọc; hãy mở và lưu lại rồi gửi")
