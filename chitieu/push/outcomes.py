"""What became of each file, as an exit code and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

import msgspec

from chitieu.client import ClientError, Fault, NotReached, Posted, Problem


class Ending(IntEnum):
    """The exit codes of a push."""

    ALL_IN = 0
    SOME_REFUSED = 2
    NONE_IN = 3
    NOT_REACHED = 4


@dataclass(slots=True)
class Outcome:
    """What became of one file: a result, or why there is none."""

    file: str
    sha256: str
    result: Posted | None = None
    error: ClientError | None = None
    receipt_file: Path | None = None
    errors_file: Path | None = None
    due: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ending(self) -> Ending:
        """All in, some refused, none in, or not reached."""
        if isinstance(self.error, NotReached):
            return Ending.NOT_REACHED
        if self.result is None:
            return Ending.NONE_IN
        if not self.refused:
            return Ending.ALL_IN
        return Ending.SOME_REFUSED if self.refused < self.result.received else Ending.NONE_IN

    @property
    def refused(self) -> int:
        """How many rows are not in although they were meant to be."""
        if self.result is None:
            return 0
        return self.result.refused or len({fault.row for fault in self.result.errors})

    @property
    def faults(self) -> Sequence[Fault]:
        """Every fault that is listed."""
        if self.result is not None:
            return self.result.errors
        return self.error.faults if isinstance(self.error, Problem) else ()

    @property
    def faults_total(self) -> int:
        """How many faults there are, listed or not."""
        if self.result is not None:
            return self.result.errors_total
        return self.error.faults_total if isinstance(self.error, Problem) else 0

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        problem: dict[str, Any] | None = None
        if isinstance(self.error, Problem):
            problem = self.error.body
        elif self.error is not None:
            problem = {"code": type(self.error).__name__, "detail": str(self.error)}
        return {
            "file": self.file,
            "sha256": self.sha256,
            "exit_code": int(self.ending),
            "result": msgspec.to_builtins(self.result),
            "problem": problem,
            "receipt_file": str(self.receipt_file) if self.receipt_file else None,
            "errors_file": str(self.errors_file) if self.errors_file else None,
            "due": self.due,
            "notes": self.notes,
        }


def ending_of(outcomes: Sequence[Outcome]) -> Ending:
    """The exit code of several files: the same for all of them, or the mixture."""
    endings = {outcome.ending for outcome in outcomes}
    if Ending.NOT_REACHED in endings:
        return Ending.NOT_REACHED
    return endings.pop() if len(endings) == 1 else Ending.SOME_REFUSED
