"""How the gateway asks a service: one HTTP call, with the caller's own token, within a time and a size."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx2
import msgspec
from starlette.requests import Request

from chassis.errors import HouseError, Refused, rule

Row = dict[str, Any]
Reach = Callable[[str], httpx2.AsyncClient]
Params = Mapping[str, str | int | Sequence[str] | None]

_FORWARDED = ("Authorization", "Accept-Language", "X-Min-Version")
TOLD = ("Content-Language", "Retry-After", "WWW-Authenticate")  # headers that belong to a problem
PASSING = frozenset({502, 503, 504})
ARGUMENTS_TOO_LONG = rule(
    "arguments_too_long",
    vi="Các đối số cộng lại quá dài; hãy chia thành nhiều lần hỏi.",
    en="The arguments are too long together; ask in several operations.",
)
WORDS = "q"
_NOT_CONNECTED = (httpx2.ConnectError, httpx2.ConnectTimeout)
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def forwarded(request: Request) -> dict[str, str]:
    """What a service is told of the caller: the token as it came, the same request id and trace, and the address."""
    state = request.scope["state"]
    kept = {name: request.headers[name] for name in _FORWARDED if name in request.headers}
    address = {"X-Forwarded-For": request.client.host} if request.client else {}
    return {**kept, **address, "X-Request-Id": state["request_id"], "traceparent": state["traceparent"]}


def asking(
    client: httpx2.AsyncClient, method: str, path: str, *, headers: Mapping[str, str], **parts: Any
) -> httpx2.Request:
    """A request to a service; headers go on as they came, whatever bytes are in them.

    Raises:
        Refused: no address is that long ("arguments_too_long").
    """
    try:
        return client.build_request(method, path, headers=httpx2.Headers(dict(headers), encoding="latin-1"), **parts)
    except (httpx2.InvalidURL, UnicodeError) as error:  # only what a caller wrote can make them so
        raise Refused(ARGUMENTS_TOO_LONG) from error


class UpstreamAway(Exception):  # a state of a service, told to the caller as such
    """A service did not answer, or answered that it cannot now; what does not need it still stands."""

    def __init__(self, service: str, *, retryable: bool, reason: str) -> None:
        super().__init__(f"{service}: {reason}")
        self.service = service
        self.retryable = retryable
        self.reason = reason


class UpstreamProblem(Exception):  # the same
    """A service refused, with a problem of its own that the caller can act on."""

    def __init__(
        self, service: str, status: int, problem: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{service}: {status} {problem.get('code')}")
        self.service = service
        self.status = status
        self.problem = problem
        self.headers = {name: headers[name] for name in TOLD if name in headers} if headers else {}


class UpstreamBroken(Exception):  # the same
    """A service answered what nobody foresaw; the caller gets a trace id, and what does not need it still stands."""

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(f"{service}: {reason}")
        self.service = service


@dataclass(frozen=True, slots=True)
class Reply:
    """What a service answered to a write."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long and how much one call may take."""

    timeout_seconds: float
    max_bytes: int


class Services:
    """The three services as one caller sees them, for the length of one operation."""

    def __init__(self, reach: Reach, headers: Mapping[str, str], bounds: Bounds) -> None:
        self._reach = reach
        self._headers = {**headers, "Accept-Encoding": "identity"}
        self._bounds = bounds

    async def page(self, service: str, path: str, params: Params) -> Row:
        """One page of a list: `items` and `next`; of an empty selection an empty one, without a call.

        Raises:
            UpstreamAway: no answer in time.
            UpstreamProblem: the service refuses.
            UpstreamBroken: an answer that cannot be used.
        """
        if selects_nothing(params):
            return {"items": [], "next": None}
        content = await self._get(service, path, params, "application/json")
        with understood(service):
            body: Row = _decoder.decode(content)
        return body

    async def rows(self, service: str, path: str, params: Params) -> list[Row]:
        """Every row of a list, in one call; of an empty selection none, without a call.

        Raises:
            UpstreamAway: no answer in time, or one over the size limit.
            UpstreamProblem: the service refuses.
            UpstreamBroken: an answer that cannot be used.
        """
        if selects_nothing(params):
            return []
        content = await self._get(service, path, params, "application/x-ndjson")
        with understood(service):
            lines: list[Row] = _decoder.decode_lines(content)
        return lines

    async def post(self, service: str, path: str, body: bytes, headers: Mapping[str, str], params: Params) -> Reply:
        """Write once; refusals by a rule (422) and partial successes (207) are replies, not errors.

        Raises:
            UpstreamAway: no answer in time; whether the write happened is then unknown.
            UpstreamBroken: an answer that cannot be used; the same.
        """
        asked = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        request = self._request("POST", service, path, params, asked, body)
        response, content = await self._send(service, request)
        if response.status_code >= 500:
            raise failure(service, response, content)
        with understood(service):
            answered = _decoder.decode(content)
        return Reply(response.status_code, answered, response.headers)

    async def _get(self, service: str, path: str, params: Params, accept: str) -> bytes:
        try:
            response, content = await self._send(
                service, self._request("GET", service, path, params, {"Accept": accept})
            )
            is_passing = response.status_code in PASSING
        except _Unreached:
            is_passing = True
        if is_passing:
            response, content = await self._send(
                service, self._request("GET", service, path, params, {"Accept": accept})
            )
        if response.is_success:
            return content
        raise failure(service, response, content)

    def _request(
        self,
        method: str,
        service: str,
        path: str,
        params: Params,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> httpx2.Request:
        try:
            client = self._reach(service)
        except LookupError as error:
            raise UpstreamAway(service, retryable=False, reason=str(error)) from error
        return asking(
            client,
            method,
            path,
            params=_query(params),
            headers={**self._headers, **headers},
            content=body,
            timeout=httpx2.Timeout(self._bounds.timeout_seconds, connect=0.5, pool=0.25),
        )

    async def _send(self, service: str, request: httpx2.Request) -> tuple[httpx2.Response, bytes]:
        try:
            # A service in this process is called without a socket: only this bounds its time.
            async with asyncio.timeout(self._bounds.timeout_seconds):
                response = await self._reach(service).send(request, stream=True)
                try:
                    return response, await self._read(service, response)
                finally:
                    await response.aclose()
        except _NOT_CONNECTED as error:
            raise _Unreached(service, retryable=True, reason=type(error).__name__) from error
        except (httpx2.TransportError, TimeoutError) as error:
            raise UpstreamAway(service, retryable=True, reason=type(error).__name__) from error

    async def _read(self, service: str, response: httpx2.Response) -> bytes:
        content = bytearray()
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > self._bounds.max_bytes:
                raise UpstreamAway(service, retryable=False, reason=f"a reply over {self._bounds.max_bytes} bytes")
        return bytes(content)


class _Unreached(UpstreamAway):
    """No connection was made, so that nothing can have happened: asking once more is safe."""


@contextlib.contextmanager
def understood(service: str) -> Iterator[None]:
    """Whoever answers in a service's place, or not as it should, is broken: none of its words is taken for one."""
    try:
        yield
    except (HouseError, msgspec.DecodeError, LookupError, TypeError, ValueError) as error:
        raise UpstreamBroken(service, f"what it says is not understood: {error!r}") from error


def selects_nothing(params: Params) -> bool:
    """Whether a filter names no value at all (an empty list, a blank code): nothing fits it, rather than everything."""
    return any(_is_blank(value) for name, value in params.items() if name != WORDS)


def _is_blank(value: str | int | Sequence[str] | None) -> bool:
    if value is None or isinstance(value, int):
        return False
    return not any(part.strip() for part in ([value] if isinstance(value, str) else value))


def failure(service: str, response: httpx2.Response, content: bytes) -> Exception:
    """What a reply without success means: the service is away, refuses, or is broken."""
    status = response.status_code
    if status in PASSING:
        return UpstreamAway(service, retryable=True, reason=f"status {status}")
    is_problem = response.headers.get("Content-Type", "").startswith("application/problem+json")
    if status < 500 and is_problem:
        with understood(service):
            problem = _decoder.decode(content)
        if isinstance(problem, dict) and {"code", "detail"} <= problem.keys():
            return UpstreamProblem(service, status, problem, response.headers)
    return UpstreamBroken(service, f"status {status}")


def _query(params: Params) -> dict[str, str | int | Sequence[str]]:
    """Parameters as the services read them: several values repeat the name, absent ones are left out."""
    return {name: value for name, value in params.items() if value is not None}
