"""Readers that are not ours: whatever they say of a bad file becomes one refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chassis.errors import HouseError, Unreadable
from chassis.tabular.rules import FILE_UNREADABLE

_PANIC = "PanicException"  # how readers written in Rust stumble; no Exception in Python's sense


@contextmanager
def foreign(form: str) -> Iterator[None]:
    """Run a foreign reader.

    Raises:
        Unreadable: it stumbled over the file ("file_unreadable").
    """
    try:
        yield
    except HouseError:
        raise
    except BaseException as error:
        if isinstance(error, MemoryError) or not (isinstance(error, Exception) or type(error).__name__ == _PANIC):
            raise
        raise unreadable(form, str(error).split("\n")[0][:200] or type(error).__name__) from error


def unreadable(form: str, reason: str, reason_vi: str = "tệp hỏng hoặc không đúng dạng") -> Unreadable:
    """The refusal of a file that is not what it says it is."""
    return Unreadable(FILE_UNREADABLE, form=form, reason=reason, reason_vi=reason_vi)
