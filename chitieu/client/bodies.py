"""What is sent: rows, a file or bytes, as one body that can be read from any place, as often as needed."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

import msgspec
from anyio import to_thread

from chitieu.client.errors import FileTrouble

TYPES = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "jsonl": "application/x-ndjson",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
    "parquet": "application/vnd.apache.parquet",
}
ENCODINGS = {"gz": "gzip", "zst": "zstd"}
IN_MEMORY = 64 * 1024 * 1024
CHUNK = 256 * 1024
_BY_LINES = {TYPES["ndjson"], TYPES["csv"], TYPES["tsv"]}
_encoder = msgspec.json.Encoder(decimal_format="number")

Row = Mapping[str, Any]
Source = Iterable[Row] | Path | bytes | IO[bytes]


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes with their type, length and digest; `lines` (None: unknown) is at least the number of rows.

    Use it in a `with` block: it holds a file.
    """

    stream: IO[bytes]
    size: int
    sha256: str
    content_type: str
    content_encoding: str | None = None
    name: str | None = None
    lines: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stream.close()

    def read(self, offset: int, size: int) -> bytes:
        """A piece of the body."""
        self.stream.seek(offset)
        return self.stream.read(size)

    async def chunks(self, report: Callable[[int], None]) -> AsyncIterator[bytes]:
        """The whole body in small pieces; reports how many bytes went out."""
        for offset in range(0, self.size, CHUNK):
            piece = self.read(offset, CHUNK)
            yield piece
            report(offset + len(piece))

    @property
    def headers(self) -> dict[str, str]:
        """How the bytes are to be read."""
        packed = {"Content-Encoding": self.content_encoding} if self.content_encoding else {}
        return {"Content-Type": self.content_type, "Content-Length": str(self.size), **packed}


async def body_of(source: Source, content_type: str | None = None, *, name: str | None = None) -> Body:
    """Make a body of rows (sent as NDJSON), a file (its type by its name), bytes or a stream (with their type given).

    Raises:
        FileTrouble: the file cannot be read, or its type is not known.
    """
    return await to_thread.run_sync(_body_of, source, content_type, name)


def _body_of(source: Source, content_type: str | None, name: str | None) -> Body:
    if isinstance(source, Path):
        return _of_file(source, content_type)
    if not isinstance(source, bytes | io.IOBase):
        return _of_rows(cast("Iterable[Row]", source))
    if content_type is None:
        raise FileTrouble("Bytes need a content type, such as text/csv.")
    stream = io.BytesIO(source) if isinstance(source, bytes) else _kept(cast("IO[bytes]", source))
    return _of_stream(stream, content_type, None, name)


def _kept(source: IO[bytes]) -> IO[bytes]:
    """What can be read once, as what can be read again."""
    kept = _spool()
    shutil.copyfileobj(source, kept)
    return kept


def _spool() -> IO[bytes]:
    return cast("IO[bytes]", tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))


def type_of(path: Path) -> tuple[str, str | None]:
    """Content type and encoding by a file's name: figures.csv, figures.ndjson.gz.

    Raises:
        FileTrouble: the name tells none that is read.
    """
    suffixes = [suffix[1:].lower() for suffix in path.suffixes]
    encoding = ENCODINGS.get(suffixes[-1]) if suffixes else None
    inner = suffixes[-2] if encoding and len(suffixes) > 1 else suffixes[-1] if suffixes and not encoding else ""
    if inner not in TYPES:
        raise FileTrouble(f"{path.name}: the type is not known by the name; it is one of {', '.join(TYPES)}.")
    return TYPES[inner], encoding


def _of_file(path: Path, content_type: str | None) -> Body:
    kind, encoding = (content_type, None) if content_type else type_of(path)
    try:
        size = path.stat().st_size
        # A smaller file is held as it was when it was read; a larger one is protected by the digest of its import.
        stream: IO[bytes] = io.BytesIO(path.read_bytes()) if size <= IN_MEMORY else path.open("rb")
    except OSError as error:
        raise FileTrouble(f"{path}: {error.strerror or error}.") from error
    return _of_stream(stream, kind, encoding, path.name)


def _of_rows(rows: Iterable[Row]) -> Body:
    stream = _spool()
    try:
        for row in rows:
            stream.write(_encoder.encode(row) + b"\n")
    except (TypeError, ValueError) as error:
        stream.close()
        raise FileTrouble(f"A row cannot be written as JSON: {error}.") from error
    return _of_stream(stream, TYPES["ndjson"], None, None)


def _of_stream(stream: IO[bytes], content_type: str, encoding: str | None, name: str | None) -> Body:
    digest, size, lines = hashlib.sha256(), 0, 0
    stream.seek(0)
    while piece := stream.read(1 << 20):
        digest.update(piece)
        size += len(piece)
        lines += piece.count(b"\n")
    known = lines + 1 if encoding is None and content_type in _BY_LINES else None
    return Body(stream, size, digest.hexdigest(), content_type, encoding, name, known)
