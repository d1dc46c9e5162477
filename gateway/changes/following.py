"""The streams of several services as one: a frame goes on as it came, with the cursor of the whole as its id."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from chassis.errors import Unavailable
from chassis.replies import encode
from chassis.streams import frames
from chassis.streams.response import Ended
from gateway.changes.branch import Branch, Lot, Upstreams
from gateway.changes.places import Place, Places, encode_places
from gateway.changes.pulling import CHANGES_UNREACHABLE

WAITING_LOTS = 8  # how far the services may run ahead of a slow listener, in reads from a socket


class Merging:
    """What one listener of the merged stream hears."""

    def __init__(self, places: Places, upstreams: Upstreams) -> None:
        self._places: dict[str, Place] = dict(places)
        self._told: dict[str, Place] = dict(places)
        self._away: set[str] = set()
        self._is_over = False
        self._lots: asyncio.Queue[Lot] = asyncio.Queue(WAITING_LOTS)
        self._branches = [Branch(name, at, upstreams, self._lots) for name, at in places.items()]
        self._running: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Begin every service's stream.

        Raises:
            UpstreamProblem: a service refuses.
            Unavailable: none answers ("changes_unreachable").
            Refused: the filters are longer than an address can be ("arguments_too_long").
        """
        opened = await asyncio.gather(*(branch.open() for branch in self._branches), return_exceptions=True)
        for refusal in opened:
            if isinstance(refusal, BaseException):
                raise refusal
        if not any(opened):
            services = ", ".join(self._places)
            raise Unavailable(CHANGES_UNREACHABLE, services=services, headers={"Retry-After": "1"})
        self._running = [asyncio.create_task(branch.run()) for branch in self._branches]

    async def close(self) -> None:
        """Leave every service."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for branch in self._branches:
            await branch.close()

    def bookmark(self) -> bytes | None:
        """How far every service has come, unless the last id says so already."""
        if self._told == self._places:
            return None
        self._told = dict(self._places)
        return frames.bookmark(encode_places(self._places))

    async def check(self) -> None:
        """The services look after the caller's token themselves."""

    async def next(self) -> Sequence[bytes]:
        """What has come meanwhile.

        Raises:
            Ended: a service has refused, which was said.
        """
        if self._is_over:
            raise Ended
        lots = [await self._lots.get()]
        while not self._lots.empty():
            lots.append(self._lots.get_nowait())
        return list(frames.pieces(frame for lot in lots for frame in self._frames(lot)))

    def _frames(self, lot: Lot) -> Iterator[bytes]:
        if lot.is_away is not (lot.service in self._away):
            self._away ^= {lot.service}
            away = [name for name in self._places if name in self._away]
            yield b"event: unreachable\ndata: %s\n\n" % encode({"services": away})
        for frame in lot.frames:
            if self._places[lot.service] != frame.at:
                self._places[lot.service] = frame.at
                yield b"id: %s\n%s\n\n" % (encode_places(self._places).encode(), frame.rest)
                self._told = dict(self._places)
        if lot.fault is not None:
            self._is_over = True
            yield lot.fault
