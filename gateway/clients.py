"""How the gateway asks a service: one HTTP call, with the caller's own token, within a time and a size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class UpstreamAway(Exception):
    """A service did not answer, or answered that it cannot now; what does not need it still stands."""

    def __init__(self, service: str, *, retryable: bool, reason: str) -> None:
        super().__init__(f"{service}: {reason}")
        self.service = service
        self.retryable = retryable
        self.reason = reason


class UpstreamProblem(Exception):
    """A service refused, with a problem of its own that the caller can act on."""

    def __init__(self, service: str, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{service}: {status} {problem.get('code')}")
        self.service = service
        self.status = status
        self.problem = problem
