"""Archives as files: NDJSON of CloudEvents, packed with gzip, whole on disk before anybody hears of them.

The same events always make the same bytes, so that a sweep that was killed may be done again.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from chassis.event_log import Envelope, Logged

PUBLIC, EVERYWHERE = "public", "everywhere"
_UNFINISHED = ".part"
_PACKING_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the log, first and last position included."""

    service: str
    epoch: int
    first_pos: int
    last_pos: int

    def file_name(self, audience: str) -> str:
        """What its file for one audience is called."""
        span = f"{self.first_pos:020d}-{self.last_pos:020d}"
        return f"{self.service}-{self.epoch}-{span}-{audience}.ndjson.gz"


@dataclass(frozen=True, slots=True)
class Written:
    """One file of a segment: who may hear its events, how many they are, its size and digest."""

    name: str
    audience: str
    events: int
    size: int
    sha256: bytes


def audience_of(row: Logged) -> str:
    """Who may hear an event: everybody, its province, or only who may hear everything.

    A commune's restricted events are in its province's file: a file per commune would be a hundred files a day.
    """
    if row.is_public:
        return PUBLIC
    return row.province if row.province and row.province.isalnum() else EVERYWHERE


class _Digesting:
    """Takes bytes for a file, counting and digesting them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, content: bytes) -> int:
        """Pass bytes on."""
        self.digest.update(content)
        self.size += len(content)
        return self._file.write(content)

    def flush(self) -> None:
        """Pass on that everything was written."""
        self._file.flush()


class _Part:
    """One file as it is written, under a name nobody reads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")
        self._bytes = _Digesting(self._file)
        self._packed = gzip.GzipFile("", "wb", _PACKING_LEVEL, self._bytes, mtime=0)
        self.events = 0

    def add(self, texts: Sequence[str]) -> None:
        """Write events, a line each."""
        self._packed.write("".join(f"{text}\n" for text in texts).encode())
        self.events += len(texts)

    def finish(self, name: str, audience: str) -> Written:
        """Have it on disk under its own name."""
        self._packed.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.path.rename(self.path.with_name(name))
        return Written(name, audience, self.events, self._bytes.size, self._bytes.digest.digest())

    def drop(self) -> None:
        """Leave nothing behind. Harmless when it is finished."""
        with contextlib.suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


class SegmentWriter:
    """Writes the files of one segment: what is public, even if it is nothing, and what each province may hear."""

    def __init__(self, folder: Path, segment: Segment, envelope: Envelope) -> None:
        self._folder = folder
        self._segment = segment
        self._envelope = envelope
        self._parts: dict[str, _Part] = {}
        self._part(PUBLIC)

    def add(self, rows: Sequence[Logged]) -> None:
        """Write events in their order."""
        told: dict[str, list[str]] = {}
        for row, text in zip(rows, self._envelope.texts(rows), strict=True):
            told.setdefault(audience_of(row), []).append(text)
        for audience, texts in told.items():
            self._part(audience).add(texts)

    def finish(self) -> list[Written]:
        """Have every file on disk, and its name."""
        written = [part.finish(self._segment.file_name(name), name) for name, part in sorted(self._parts.items())]
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return written

    def drop(self) -> None:
        """Leave nothing unfinished behind."""
        for part in self._parts.values():
            part.drop()

    def _part(self, audience: str) -> _Part:
        if audience not in self._parts:
            name = f".{self._segment.file_name(audience)}{_UNFINISHED}"
            self._parts[audience] = _Part(self._folder / name)
        return self._parts[audience]


def make_folder(folder: Path, service: str) -> None:
    """Make the folder of the archives, and remove what a killed sweep of a service left unfinished in it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for leftover in folder.glob(f".{service}-*{_UNFINISHED}"):
        leftover.unlink(missing_ok=True)


def fault_of(path: Path, written: Written) -> str | None:
    """What is wrong with a file, in a few words; None: it is as it was written."""
    digest, size = hashlib.sha256(), 0
    try:
        for piece in _pieces(path):
            digest.update(piece)
            size += len(piece)
    except OSError as error:
        return error.strerror or "unreadable"
    if size != written.size:
        return f"{size} bytes instead of {written.size}"
    return None if digest.digest() == written.sha256 else "another sha256 than when it was written"


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            yield piece
