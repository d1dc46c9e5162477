"""The stream of one service, read for one listener of the merged stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
import msgspec
import structlog

from chassis.event_log.positions import Position
from chassis.feed import decode_position
from chassis.replies import encode
from chassis.streams import frames
from gateway.changes.places import NOW, Place
from gateway.changes.pulling import beginning_of
from gateway.clients import Reach, UpstreamAway, UpstreamBroken, UpstreamProblem, asking, failure, understood

log = structlog.get_logger("gateway")

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0  # seconds before a service that left is asked again
READ_SECONDS = 60  # a service says something every 15
_END, _ID, _FAULT = b"\n\n", b"id: ", b"event: error\ndata: "


@dataclass(frozen=True, slots=True)
class Upstreams:
    """How the services are reached for one listener: with its own token, and the filters it asked for."""

    reach: Reach
    headers: Mapping[str, str]
    wanted: Mapping[str, Sequence[str]]
    begin_seconds: float


@dataclass(frozen=True, slots=True)
class Frame:
    """What a service says at a position: the event without its id."""

    at: Position
    rest: bytes


@dataclass(frozen=True, slots=True)
class Lot:
    """What came of a service at once: its frames, or that it is away, or why it ends for good."""

    service: str
    frames: Sequence[Frame] = ()
    is_away: bool = False
    fault: bytes | None = None


class Branch:
    """One service's stream, opened anew whenever it ends."""

    def __init__(self, service: str, at: Place, upstreams: Upstreams, lots: asyncio.Queue[Lot]) -> None:
        self.service = service
        self._at = at
        self._upstreams = upstreams
        self._lots = lots
        self._response: httpx2.Response | None = None

    async def open(self) -> bool:
        """Begin the stream where the last one ended; answers whether the service could be reached.

        Raises:
            UpstreamProblem: it refuses: a dead cursor, a token that does not hold, too many streams.
            Refused: the filters are longer than an address can be ("arguments_too_long").
        """
        try:
            async with asyncio.timeout(self._upstreams.begin_seconds):
                self._response = await self._begin()
        except (httpx2.TransportError, UpstreamAway, UpstreamBroken, LookupError, TimeoutError) as error:
            log.warning("upstream_away", service_asked=self.service, reason=repr(error))
        return self._response is not None

    async def _begin(self) -> httpx2.Response:
        if self._at is None:
            first = await self._ask("", {"limit": "1"}, {})
            with understood(self.service):
                self._at = beginning_of(msgspec.json.decode(await first.aread()))
        resumed = {} if self._at == NOW else {"Last-Event-ID": self._at.cursor}
        return await self._ask("/stream", self._upstreams.wanted, resumed)

    async def _ask(
        self, path: str, params: Mapping[str, str | Sequence[str]], headers: Mapping[str, str]
    ) -> httpx2.Response:
        client = self._upstreams.reach(self.service)
        request = asking(
            client,
            "GET",
            f"/v1/{self.service}/changes{path}",
            params=dict(params),
            headers={**self._upstreams.headers, **headers, "Accept-Encoding": "identity"},
            timeout=httpx2.Timeout(READ_SECONDS, connect=0.5, pool=1),
        )
        response = await client.send(request, stream=True)
        if response.is_success:
            return response
        try:
            raise failure(self.service, response, await response.aread())
        finally:
            await response.aclose()

    async def run(self) -> None:
        """Hand on what the service says, until it refuses or this is cancelled."""
        now = asyncio.get_running_loop().time
        pause = FIRST_PAUSE
        try:
            while True:
                began = now()
                await self._hand_on()
                if now() - began > LONGEST_PAUSE:
                    pause = FIRST_PAUSE
                else:
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
                await self._open_again()
        except UpstreamProblem as problem:
            await self._lots.put(Lot(self.service, fault=frames.fault(encode(named(problem)))))

    async def _open_again(self) -> None:
        try:
            await self.open()
        except UpstreamProblem as problem:
            # The stream that has just ended may still be counted.
            if problem.status != httpx2.codes.TOO_MANY_REQUESTS:
                raise

    async def _hand_on(self) -> None:
        if self._response is None:
            await self._lots.put(Lot(self.service, is_away=True))
            return
        try:
            async for lot in self._lots_of(self._response):
                if lot:
                    self._at = lot[-1].at
                    await self._lots.put(Lot(self.service, lot))
        except httpx2.TransportError as error:
            log.warning("upstream_left", service_asked=self.service, reason=repr(error))
        except UpstreamBroken as error:
            log.error("upstream_broken", service_asked=self.service, reason=str(error))
            await self._lots.put(Lot(self.service, is_away=True))
        finally:
            await self.close()

    async def _lots_of(self, response: httpx2.Response) -> AsyncIterator[Sequence[Frame]]:
        held = b""
        async for chunk in response.aiter_raw():
            *whole, held = (held + chunk).split(_END)
            with understood(self.service):
                lot = [_frame(frame) for frame in whole if frame.startswith(_ID)]
            yield lot
            for frame in whole:
                if frame.startswith(_FAULT):
                    _raise(self.service, frame.removeprefix(_FAULT))

    async def close(self) -> None:
        """Leave the service."""
        response, self._response = self._response, None
        if response is not None:
            await response.aclose()


def _frame(frame: bytes) -> Frame:
    cursor, _, rest = frame.removeprefix(_ID).partition(b"\n")
    return Frame(decode_position(cursor.decode()), rest)


def _raise(service: str, fault: bytes) -> None:
    """A service that ends a stream for a reason of the caller's has refused; for one of its own, it is away."""
    with understood(service):
        problem = msgspec.json.decode(fault, type=dict[str, Any])
        status = int(problem["status"])
    if status < httpx2.codes.INTERNAL_SERVER_ERROR:
        raise UpstreamProblem(service, status, problem)


def named(problem: UpstreamProblem) -> Mapping[str, object]:
    """A service's problem, with its name."""
    return {**problem.problem, "service": problem.service}
