"""The relay: keeps a service's stream equal to its log. The stream's last message is its cursor."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn

import structlog
from nats.aio.client import Client

from chassis.auth import Caller
from chassis.event_log import Filter, Logged, Position
from chassis.feed import decode_position
from chassis.house import House
from chassis.jetstream.check import warn_unless_durable
from chassis.jetstream.connection import connected
from chassis.jetstream.log_end import keep_anchor, leased, log_end
from chassis.jetstream.measures import BEHIND, ERRORS, PUBLISHED
from chassis.jetstream.place import Place, check_tail, find_place
from chassis.jetstream.publishing import ACK_SECONDS, MOST_IN_A_BATCH, Message, batches, publish
from chassis.jetstream.subjects import message_id, subject_of

log = structlog.get_logger(__name__)

IDLE_SECONDS = 5.0
PAGE_EVENTS = 2 * MOST_IN_A_BATCH
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
# What the stream holds is for subjects' permissions to part: the relay hears everything.
_EVERYBODY = Caller("chitieu-jetstream", "chitieu-jetstream", frozenset({"changes:read"}), frozenset({"*"}))


class Relay:
    """The relay of one service in this process. Any number of them may run; one works, the others stand by."""

    def __init__(self, house: House) -> None:
        assert house.feed is not None
        self._settings = house.settings
        self._database = house.database
        self._service = house.database.service
        self._feed = house.feed
        self._pause = FIRST_PAUSE_SECONDS
        self._reached: int | None = None
        self._anchor = ""

    async def run(self) -> None:
        """Relay for as long as the process lives.

        Whatever goes wrong, everything is taken anew after a while: the lease (another process may reach NATS where
        we do not), the connection, and the place from the stream's last message.
        """
        while True:
            try:
                async with leased(self._database, self._settings, self._stand_by) as check_lease:
                    await self._measure()
                    async with connected(self._settings, f"chitieu {self._service}") as client:
                        await self._keep_equal(client, check_lease)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                ERRORS.labels(self._service).inc()
                log.warning("jetstream_relay_failed", service=self._service, error=str(error) or type(error).__name__)
            await asyncio.sleep(self._pause * random.uniform(0.5, 1.0))  # noqa: S311 - apart from other relays
            self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)

    async def _keep_equal(self, client: Client, check_lease: Callable[[], Awaitable[None]]) -> NoReturn:
        """Publish what the log has after the stream's end, for ever."""
        await warn_unless_durable(self._settings, self._service)
        js = client.jetstream(timeout=ACK_SECONDS)
        place = await find_place(js, self._database)
        while True:
            _end_if_cancelled()
            cursor = Position(place.epoch, place.pos).cursor
            page = await self._feed.changes(_EVERYBODY, cursor, Filter(), limit=PAGE_EVENTS, wait=IDLE_SECONDS)
            await check_lease()
            if page.rows:
                place = await self._publish(client, place, page.rows)
            else:
                await check_tail(js, self._service, place)
            self._reached, self._pause = place.pos, FIRST_PAUSE_SECONDS
            BEHIND.labels(self._service).set(decode_position(page.head).pos - place.pos)

    async def _publish(self, client: Client, place: Place, rows: Sequence[Logged]) -> Place:
        texts = self._feed.envelope.texts(rows)
        messages = [
            Message(row.pos, message_id(place.epoch, row.pos), subject_of(row), text.encode())
            for row, text in zip(rows, texts, strict=True)
        ]
        await self._keep_anchor(place.before(messages[0].pos))
        for batch in batches(messages):
            place = await publish(client, place, batch)
            PUBLISHED.labels(self._service).inc(len(batch))
        return place

    async def _keep_anchor(self, place: Place) -> None:
        if place.anchor != self._anchor:
            await keep_anchor(self._database, place.anchor)
            self._anchor = place.anchor

    async def _measure(self) -> None:
        """Say how far behind the stream is while NATS is away, too."""
        if self._reached is not None:
            BEHIND.labels(self._service).set((await log_end(self._database)).head - self._reached)

    def _stand_by(self) -> None:
        """Leave it to the relay that works to say how far behind it is."""
        self._reached = None
        BEHIND.remove(self._service)


def _end_if_cancelled() -> None:
    """On Python 3.11 the client's waiting swallows a cancellation that meets an answer."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
