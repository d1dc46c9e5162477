"""What a body is: its form by content type, and its bytes unpacked under a limit."""

from __future__ import annotations

import zlib
from enum import StrEnum
from typing import Protocol

import zstandard

from chassis.errors import MEDIA_UNSUPPORTED, TooLarge, Unreadable, UnsupportedMedia
from chassis.tabular.rules import ENCODING_BROKEN, UNPACKED_TOO_LARGE

_STEP = 1 << 20  # unpacked at a time, so that a bomb is noticed one step after the limit
_ZSTD_WINDOW = 1 << 23  # RFC 9659: the largest window of zstd as a content encoding


class Form(StrEnum):
    """The forms in which rows may come."""

    JSON = "JSON"
    NDJSON = "NDJSON"
    CSV = "CSV"
    TSV = "TSV"
    XLSX = "XLSX"
    XLS = "XLS"
    PARQUET = "Parquet"


_FORMS = {
    "application/json": Form.JSON,
    "application/x-ndjson": Form.NDJSON,
    "application/ndjson": Form.NDJSON,
    "application/jsonl": Form.NDJSON,
    "application/x-jsonlines": Form.NDJSON,
    "text/csv": Form.CSV,
    "application/csv": Form.CSV,
    "text/tab-separated-values": Form.TSV,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": Form.XLSX,
    "application/vnd.ms-excel": Form.XLS,
    "application/vnd.apache.parquet": Form.PARQUET,
    "application/x-parquet": Form.PARQUET,
    "application/parquet": Form.PARQUET,
}
ACCEPTED = (
    "application/json, application/x-ndjson, text/csv, text/tab-separated-values, "
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet, application/vnd.ms-excel, "
    "application/vnd.apache.parquet"
)
FILE_TYPES = tuple(kind for kind, form in _FORMS.items() if form is not Form.JSON)
_CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8", "utf-16": "utf-16", "utf-16le": "utf-16-le"}
_CHARSETS |= {"utf-16-le": "utf-16-le", "windows-1258": "cp1258", "cp1258": "cp1258"}


def form_of(content_type: str | None) -> Form:
    """The form a content type names.

    Raises:
        UnsupportedMedia: it names none that rows are read from ("media_unsupported").
    """
    kind = (content_type or "").split(";")[0].strip().lower()
    form = _FORMS.get(kind)
    if form is None:
        raise UnsupportedMedia(MEDIA_UNSUPPORTED, content_type=kind or "—", accepted=ACCEPTED)
    return form


def require_readable(content_type: str | None) -> None:
    """Refuse, before its bytes come, a body that will not be read.

    Raises:
        UnsupportedMedia: a content type, or the charset of a text, that is not read here ("media_unsupported").
    """
    if form_of(content_type) in (Form.CSV, Form.TSV):
        charset_of(content_type)


def charset_of(content_type: str | None) -> str:
    """The codec of the charset a content type names; UTF-8 when it names none.

    Raises:
        UnsupportedMedia: a charset that is not read here ("media_unsupported").
    """
    for parameter in (content_type or "").lower().split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if name == "charset":
            charset = value.strip().strip('"')
            if charset not in _CHARSETS:
                raise UnsupportedMedia(
                    MEDIA_UNSUPPORTED, content_type=f"charset {charset}", accepted="utf-8, utf-16, windows-1258"
                )
            return _CHARSETS[charset]
    return "utf-8"


class Unpacking(Protocol):
    """Bytes in as they arrive, unpacked bytes out, never more than the limit in all."""

    def feed(self, packed: bytes) -> bytes:
        """Unpack what has arrived."""

    def finish(self) -> None:
        """Say that all has arrived; refuse a body cut short."""


def unpacking(content_encoding: str | None, limit_bytes: int) -> Unpacking:
    """How to unpack a body of this encoding (none, gzip or zstd), whose unpacked size is limited.

    Raises:
        UnsupportedMedia: another encoding, or several ("media_unsupported").
        TooLarge: while feeding, when more than the limit came out ("unpacked_too_large").
        Unreadable: while feeding or at the end, when the packing is broken ("content_encoding_broken").
    """
    encoding = (content_encoding or "identity").strip().lower()
    if encoding == "identity":
        return _Plain(limit_bytes)
    if encoding in ("gzip", "x-gzip"):
        return _Gzip(limit_bytes)
    if encoding == "zstd":
        return _Zstd(limit_bytes)
    raise UnsupportedMedia(
        MEDIA_UNSUPPORTED, content_type=f"Content-Encoding {encoding}", accepted="identity, gzip, zstd"
    )


def unpack(packed: bytes, content_encoding: str | None, limit_bytes: int) -> bytes:
    """Unpack a whole body."""
    way = unpacking(content_encoding, limit_bytes)
    unpacked = way.feed(packed)
    way.finish()
    return unpacked


class _Counted:
    encoding = "identity"

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._size = 0

    def _count(self, piece: bytes) -> bytes:
        self._size += len(piece)
        if self._size > self._limit:
            raise TooLarge(UNPACKED_TOO_LARGE, limit_bytes=self._limit, headers={"Connection": "close"})
        return piece

    def _broken(self) -> Unreadable:
        return Unreadable(ENCODING_BROKEN, encoding=self.encoding)


class _Plain(_Counted):
    def feed(self, packed: bytes) -> bytes:
        return self._count(packed)

    def finish(self) -> None:
        return None


class _Gzip(_Counted):
    """Members one after another, as gzip files may have."""

    encoding = "gzip"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes)
        self._member = zlib.decompressobj(wbits=31)
        self._has_begun = False

    def feed(self, packed: bytes) -> bytes:
        pieces = []
        while packed:
            if self._member.eof:
                self._member = zlib.decompressobj(wbits=31)
            self._has_begun = True
            try:
                pieces.append(self._count(self._member.decompress(packed, _STEP)))
            except zlib.error as error:
                raise self._broken() from error
            packed = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        return b"".join(pieces)

    def finish(self) -> None:
        if not self._has_begun or not self._member.eof:
            raise self._broken()


class _Zstd(_Counted):
    """Frames one after another, fed in small cuts: the library unpacks all it is given, up to 32 KiB from a byte."""

    encoding = "zstd"
    _CUT = 1024

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes)
        self._frame = self._new_frame()
        self._has_begun = False

    @staticmethod
    def _new_frame() -> zstandard.ZstdDecompressionObj:
        return zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()

    def feed(self, packed: bytes) -> bytes:
        pieces = []
        for start in range(0, len(packed), self._CUT):
            rest = packed[start : start + self._CUT]
            while rest:
                if self._frame.eof:
                    self._frame = self._new_frame()
                self._has_begun = True
                try:
                    pieces.append(self._count(self._frame.decompress(rest)))
                except zstandard.ZstdError as error:
                    raise self._broken() from error
                rest = self._frame.unused_data if self._frame.eof else b""
        return b"".join(pieces)

    def finish(self) -> None:
        if not self._has_begun or not self._frame.eof:
            raise self._broken()
