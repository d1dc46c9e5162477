"""Content types, charsets, and bodies unpacked under a limit."""

import gzip
import zlib
from contextlib import suppress

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import HouseError, TooLarge, Unreadable, UnsupportedMedia
from chassis.tabular import Form, form_of, unpack, unpacking
from chassis.tabular.forms import charset_of

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        ("application/json", Form.JSON),
        ("Application/JSON; charset=utf-8", Form.JSON),
        ("application/x-ndjson", Form.NDJSON),
        ("application/jsonl", Form.NDJSON),
        ("text/csv; header=present", Form.CSV),
        ("text/tab-separated-values", Form.TSV),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Form.XLSX),
        ("application/vnd.ms-excel", Form.XLS),
        ("application/vnd.apache.parquet", Form.PARQUET),
    ],
)
def test_content_type_names_the_form(content_type: str, form: Form) -> None:
    assert form_of(content_type) is form


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/xml", "application/vnd.oasis"])
def test_other_content_types_are_refused_by_name(content_type: str | None) -> None:
    with pytest.raises(UnsupportedMedia) as refused:
        form_of(content_type)
    assert refused.value.rule.code == "media_unsupported"
    assert refused.value.values["content_type"] == (content_type or "—")


def test_charsets() -> None:
    assert charset_of("text/csv") == "utf-8"
    assert charset_of('text/csv; charset="UTF-8"') == "utf-8"
    assert charset_of("text/csv; header=present; charset=windows-1258") == "cp1258"
    with pytest.raises(UnsupportedMedia):
        charset_of("text/csv; charset=tcvn3")


PACKERS = {None: bytes, "identity": bytes, "gzip": gzip.compress, "x-gzip": gzip.compress, "zstd": zstandard.compress}


@given(st.binary(max_size=5000), st.sampled_from(list(PACKERS)), st.integers(1, 4000))
def test_what_was_packed_comes_out_however_it_arrives(body: bytes, encoding: str | None, step: int) -> None:
    packed = PACKERS[encoding](body)
    way = unpacking(encoding, MIB)
    got = b"".join(way.feed(packed[at : at + step]) for at in range(0, len(packed), step))
    way.finish()
    assert got == body


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_members_one_after_another_are_one_body(pack: object) -> None:
    packed = pack(b"one ") + pack(b"") + pack(b"two")  # type: ignore[operator]
    assert unpack(packed, "gzip" if pack is gzip.compress else "zstd", MIB) == b"one two"


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [
        ("gzip", gzip.compress(bytes(300 * MIB), 9)),
        ("zstd", zstandard.ZstdCompressor(level=19).compress(bytes(300 * MIB))),
        ("identity", bytes(2 * MIB)),
    ],
)
def test_bombs_are_refused_soon(encoding: str, bomb: bytes) -> None:
    way = unpacking(encoding, MIB)
    with pytest.raises(TooLarge) as refused:
        way.feed(bomb)
    assert refused.value.rule.code == "unpacked_too_large"
    assert refused.value.values["limit_bytes"] == MIB


def test_zstd_with_a_window_beyond_its_standard_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    packed = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = packed.compress(bytes(20 * MIB)) + packed.flush()
    with pytest.raises(Unreadable) as refused:
        unpack(body, "zstd", 100 * MIB)
    assert refused.value.rule.code == "content_encoding_broken"


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"x" * 1000, mtime=0)[:-1]),
        ("gzip", gzip.compress(b"x" * 1000, mtime=0) + b"rest"),
        ("gzip", zlib.compress(b"x")),
        ("gzip", b""),
        ("gzip", b"not packed"),
        ("zstd", zstandard.compress(b"x" * 1000)[:-1]),
        ("zstd", b""),
        ("zstd", b"not packed"),
    ],
)
def test_broken_packing_is_said(encoding: str, packed: bytes) -> None:
    with pytest.raises(Unreadable) as refused:
        unpack(packed, encoding, MIB)
    assert (refused.value.rule.code, refused.value.values) == ("content_encoding_broken", {"encoding": encoding})


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip"])
def test_other_encodings_are_refused(encoding: str) -> None:
    with pytest.raises(UnsupportedMedia):
        unpacking(encoding, MIB)


@given(st.binary(max_size=3000), st.sampled_from(["gzip", "zstd"]))
def test_any_bytes_unpack_or_are_refused(packed: bytes, encoding: str) -> None:
    codes = {"content_encoding_broken", "unpacked_too_large"}
    with suppress(HouseError):
        assert len(unpack(packed, encoding, MIB)) <= MIB
        return
    with pytest.raises(HouseError) as refused:
        unpack(packed, encoding, MIB)
    assert refused.value.rule.code in codes
