"""What a call may end with instead of an answer. A refusal says why: `code`, `detail`, and every fault of every row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx2

from chitieu.client.results import Fault, faults_of

UNKNOWN = "unknown"  # the code of a reply that is no problem of the house


class ClientError(Exception):
    """Any end but an answer."""


class NotReached(ClientError):
    """Nobody answered, or only that they cannot now, for as long as was waited. Sending again is safe."""


class FileTrouble(ClientError):
    """What is to be sent cannot be read, or its form is not known."""


class Problem(ClientError):
    """The service answered, and refused (RFC 9457)."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.body = dict(body)
        self.code = str(body.get("code", UNKNOWN))
        self.detail = str(body.get("detail") or body.get("title") or self.code)
        self.request_id: str | None = body.get("request_id")
        self.import_id: UUID | None = None  # of the import that was refused
        self.faults: tuple[Fault, ...] = faults_of(body.get("errors") or ())
        self.faults_total = int(body.get("errors_total") or len(self.faults))
        super().__init__(f"{self.detail} ({status} {self.code})")


class Unauthenticated(Problem):
    """401: no token, or one that does not hold."""


class Forbidden(Problem):
    """403: the token may not do this."""


class NotFound(Problem):
    """404."""


class Conflict(Problem):
    """409: the state of what is there does not allow it."""


class TooLarge(Problem):
    """413: more bytes or rows than are taken at once."""


class Refused(Problem):
    """422: refused by a rule; `faults` has row, column, code, value and message, the first 1,000 of `faults_total`."""


class Unavailable(Problem):
    """429 or 503 that is not worth repeating in the same way."""


class ImportFailed(ClientError):
    """An import ended without a result: cancelled, or broken off by a fault of the service."""

    def __init__(self, import_id: UUID, state: str, detail: str) -> None:
        self.import_id = import_id
        self.state = state
        super().__init__(f"Import {import_id} is {state}: {detail}")


_KINDS: dict[int, type[Problem]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: Refused,
    429: Unavailable,
    503: Unavailable,
}


def problem_of(status: int, body: Mapping[str, Any]) -> Problem:
    """The error of a problem body."""
    return _KINDS.get(status, Problem)(status, body)


def problem_in(response: httpx2.Response) -> Problem:
    """The error of a reply; one that is no problem of the house still has its status."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or "code" not in body:
        body = {"code": UNKNOWN, "detail": f"HTTP {response.status_code} {response.reason_phrase}"}
    return problem_of(response.status_code, body)
