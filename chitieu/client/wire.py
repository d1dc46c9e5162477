"""One request, sent again while nobody answers or the answer is "not now": what is sent again is always the same."""

from __future__ import annotations

import email.utils
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
from tenacity import AsyncRetrying, RetryCallState, RetryError, retry_if_exception_type, wait_random_exponential

from chitieu.client.errors import UNKNOWN, NotReached, Problem, TooLarge, problem_in
from chitieu.client.results import Step

TIMEOUT = httpx2.Timeout(120, connect=5)
_NOT_NOW = frozenset({429, 502, 503, 504})
# The service gave up after its longest time for a request; the same again would end the same.
TIMED_OUT = "request_timed_out"
_STRANGER = "what answers there ({}) is not chitieu"
_NEVER_SENT = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)

Token = str | Callable[[], str] | None
Report = Callable[[Step], None]
Take = Callable[[httpx2.Response], Awaitable[object]]


async def _whole(response: httpx2.Response) -> object:
    return await response.aread()


def into(file: Path) -> Take:
    """Take a reply's body into a file as it comes; what stood there stays until all of it has come."""

    async def take(response: httpx2.Response) -> None:
        part = file.with_name(f"{file.name}.part")
        try:
            async with await anyio.open_file(part, "wb") as stream:
                async for piece in response.aiter_bytes():
                    await stream.write(piece)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)

    return take


def quietly(_step: Step) -> None:
    """Report to nobody."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited in all between tries, and how long at most between two."""

    seconds: float = 120
    longest_wait: float = 15
    first_wait: float = 0.25


class _Passing(Exception):
    """Not now: a reply, or none, that may be another one in a moment."""

    def __init__(self, reason: str, retry_after: float = 0) -> None:
        self.retry_after = retry_after
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Sending:
    """What one request says. `chunks` makes the body anew for each try."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None
    chunks: Callable[[], AsyncIterator[bytes]] | None = None

    def arguments(self) -> dict[str, Any]:
        """The body as the HTTP client takes it."""
        if self.chunks is not None:
            return {"content": self.chunks()}
        return {"content": self.content} if self.content is not None else {"json": self.json} if self.json else {}


class Wire:
    """Sends requests as one caller."""

    def __init__(self, http: httpx2.AsyncClient, token: Token, language: str, patience: Patience) -> None:
        self._http = http
        self._token = token
        self._language = language
        self._patience = patience

    async def send(self, sending: Sending, report: Report = quietly, take: Take = _whole) -> httpx2.Response:
        """The reply to a request, which is below 400; its body is taken anew at each try.

        Raises:
            Problem: the service refused.
            NotReached: nobody answered for as long as was waited.
        """
        patience = self._patience
        backoff = wait_random_exponential(multiplier=patience.first_wait, max=patience.longest_wait)

        def wait(state: RetryCallState) -> float:
            return max(backoff(state), _error(state).retry_after)

        def stop(state: RetryCallState) -> bool:
            return state.idle_for + state.upcoming_sleep > patience.seconds

        def told(state: RetryCallState) -> None:
            report(Step(phase="waiting", done=state.upcoming_sleep, note=str(_error(state))))

        retrying = AsyncRetrying(retry=retry_if_exception_type(_Passing), wait=wait, stop=stop, before_sleep=told)
        try:
            return await retrying(self._try, sending, take)
        except RetryError as error:
            last = error.last_attempt.exception()
            raise NotReached(f"{self._http.base_url}: {last}") from last

    async def read(self, sending: Sending, report: Report = quietly) -> dict[str, Any]:
        """The JSON object that a request is answered with; see `send`."""
        response = await self.send(sending, report)
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise NotReached(f"{self._http.base_url}: {_STRANGER.format(response.status_code)}")
        return answer

    async def _try(self, sending: Sending, take: Take) -> httpx2.Response:
        try:
            async with self._http.stream(
                sending.method,
                sending.path,
                params={name: value for name, value in sending.params.items() if value is not None},
                headers={**self._headers(), **sending.headers},
                timeout=TIMEOUT,
                **sending.arguments(),
            ) as response:
                await (take if response.is_success else _whole)(response)
        except _NEVER_SENT as error:
            raise NotReached(f"{self._http.base_url}: {error}") from error
        except httpx2.TransportError as error:
            raise _Passing(str(error) or type(error).__name__) from error
        if response.is_success:
            return response
        problem = problem_in(response)
        if _is_passing(problem):
            raise _Passing(str(problem), _retry_after(response)) from problem
        if problem.code == UNKNOWN and not isinstance(problem, TooLarge):  # which any gateway on the way may say
            raise NotReached(f"{self._http.base_url}: {_STRANGER.format(response.status_code)}") from problem
        raise problem

    def _headers(self) -> dict[str, str]:
        token = self._token() if callable(self._token) else self._token
        own = {"Accept-Language": self._language, "Accept": "application/json"}
        return {**own, "Authorization": f"Bearer {token}"} if token else own


def _error(state: RetryCallState) -> _Passing:
    assert state.outcome is not None
    error = state.outcome.exception()
    assert isinstance(error, _Passing)
    return error


def _is_passing(problem: Problem) -> bool:
    if problem.code == TIMED_OUT:
        return False
    return problem.status in _NOT_NOW or problem.code == "request_in_progress"


def _retry_after(response: httpx2.Response) -> float:
    """Seconds to wait, given as such or as a date."""
    stated = response.headers.get("Retry-After", "")
    if stated.isdigit():
        return float(stated)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(stated).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0
