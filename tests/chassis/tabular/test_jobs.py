"""What is said between the service and the reader of its files."""

from __future__ import annotations

import io

import pytest

from chassis.errors import HouseError, Unreadable
from chassis.tabular import Limits, Table, jobs
from chassis.tabular.foreign import foreign
from chassis.tabular.thrift import Reader, ThriftError
from tests.chassis.tabular.bodies import TITLES, Sheet, cells

JOB = jobs.Job(False, TITLES, Limits(rows=5), None, None)
BODY = Sheet().rows(("Mã đơn vị", "Giá trị"), ("26491", 0.7)).body()


def test_a_job_and_its_answer_arrive_as_they_were() -> None:
    pipe = io.BytesIO()
    jobs.say_job(pipe, JOB, BODY)
    pipe.seek(0)
    heard = jobs.hear_job(pipe, io.BytesIO())
    assert heard == (JOB, BODY)
    assert jobs.hear_job(pipe, io.BytesIO()) is None
    table, end = (jobs.hear(content, TITLES) for content in jobs.answer(*heard))
    assert isinstance(table, Table)
    assert cells(table, "admin_unit", "value") == [(2, "26491", "0.7")]
    assert end is None


def test_a_refusal_arrives_with_its_faults() -> None:
    (said,) = (
        jobs.hear(content, TITLES) for content in jobs.answer(JOB, Sheet().rows(("Giá trị", "Giá tri"), (1, 2)).body())
    )
    assert isinstance(said, HouseError)
    assert (said.status, said.rule.code) == (422, "body_invalid")
    assert [(f.rule.code, f.column) for f in said.faults] == [("column_twice", "value")]


def test_messages_cut_short_are_no_messages() -> None:
    assert jobs.read_frame(io.BytesIO(b"\0\0")) is None
    assert jobs.read_frame(io.BytesIO(bytes(7) + b"\x05abc")) is None


def test_foreign_readers_stumble_into_one_refusal() -> None:
    class PanicException(BaseException):  # what readers written in Rust raise
        pass

    for error in (ValueError("line one\nline two"), PanicException("index out of bounds"), RuntimeError()):
        with pytest.raises(Unreadable) as refused, foreign("XLSX"):
            raise error
        assert refused.value.rule.code == "file_unreadable"
        assert refused.value.values["reason"] == (str(error).split("\n")[0] or "RuntimeError")
    for other in (KeyboardInterrupt(), MemoryError()):
        with pytest.raises(type(other)), foreign("XLSX"):
            raise other


def test_thrift_is_read_as_far_as_it_goes() -> None:
    # field 1: i32 -3; field 2: "ab"; field 20 (long form): list of two structs; field 21: true; field 22: a double
    data = (
        b"\x15\x05\x18\x02ab" + b"\x09\x28\x2c\x15\x02\x00\x15\x04\x00" + b"\x11" + b"\x17" + bytes(8) + b"\x13\x7f\x00"
    )
    assert Reader(data).struct() == {1: -3, 2: b"ab", 20: [{1: 1}, {1: 2}], 21: True, 22: bytes(8), 23: 127}


@pytest.mark.parametrize(
    "data",
    [b"", b"\x15", b"\x18\x7fab\x00", b"\x1c" * 50, b"\x19" + b"\xf9\x01" * 50, b"\x19\xfc\xff\xff\xff\x7f",
     b"\x15" + b"\xff" * 12, b"\x1f\x00"],
)  # fmt: skip
def test_what_is_no_thrift_is_said(data: bytes) -> None:
    with pytest.raises(ThriftError):
        Reader(data).struct()
