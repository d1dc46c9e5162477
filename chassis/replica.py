"""Follow another service's change feed into local tables, exactly once: list, then follow.

The cursor is stored in the transaction that applies the events; another process that follows for the same
service is noticed by that row's lock and value.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any

import structlog
from fastapi import Depends, Request
from sqlalchemy import text

from chassis.database import Database, Session
from chassis.errors import Unavailable, rule
from chassis.peers import Peers

log = structlog.get_logger(__name__)

SOURCE_UNAVAILABLE = rule(
    "source_unavailable",
    vi="Dịch vụ {source} tạm thời không trả lời; hãy thử lại.",
    en="The service {source} does not answer right now; try again.",
)

PAGE = 1000
Apply = Callable[[Session, list[dict[str, Any]]], Awaitable[None]]


def in_order(handlers: Mapping[str, Apply]) -> Apply:
    """Take in events in their order, neighbours of one type together, each as its data."""

    async def apply(db: Session, events: list[dict[str, Any]]) -> None:
        for event_type, neighbours in groupby(events, key=lambda event: str(event["type"])):
            await handlers[event_type](db, [event["data"] for event in neighbours])

    return apply


@dataclass(frozen=True, slots=True)
class ListSource:
    """A list to read before following, and what to do with a page of its items."""

    path: str
    apply: Apply


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a service hears from another one: its lists first, then its events in order."""

    source: str
    lists: Sequence[ListSource]
    types: Sequence[str]
    apply: Apply


class Follower:
    """Keeps one subscription up to date."""

    def __init__(
        self,
        database: Database,
        subscription: Subscription,
        peers: Peers,
        token: Callable[[], str],
        wait: float,
    ) -> None:
        self._database = database
        self._subscription = subscription
        self._peers = peers
        self._token = token
        self._wait = wait

    @property
    def source(self) -> str:
        """The service that is followed."""
        return self._subscription.source

    async def run(self) -> None:
        """Follow for as long as the process lives; a source that is away is waited for."""
        pause = 0.1
        while True:
            try:
                await self.pull(wait=self._wait)
                pause = 0.1
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.warning("follower_failed", source=self.source, error=str(error) or type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    async def catch_up(self, min_version: str | None = None) -> None:
        """Apply everything the source has now (with a write token: at least that write).

        Raises:
            Unavailable: the source does not answer ("source_unavailable").
        """
        try:
            while not await self.pull(wait=0, min_version=min_version):
                pass
        except (OSError, RuntimeError, LookupError, TimeoutError) as error:
            raise Unavailable(SOURCE_UNAVAILABLE, source=self.source, headers={"Retry-After": "1"}) from error

    async def pull(self, *, wait: float, min_version: str | None = None) -> bool:
        """Apply one page of changes; answers whether the head is reached."""
        cursor = await self._cursor()
        if cursor is None:
            await self._list()
            return False
        params: dict[str, Any] = {"after": cursor, "limit": PAGE, "wait": wait}
        if self._subscription.types:
            params["types"] = ",".join(self._subscription.types)
        response = await self._get(f"/v1/{self.source}/changes", params, wait, min_version)
        if response.status_code == 410:
            await self._forget(cursor)
            return False
        response.raise_for_status()
        page = response.json()
        await self._apply(page["items"], cursor, page["next"])
        return bool(page["next"] == page["head"])

    async def _get(
        self, path: str, params: Mapping[str, Any] | None, wait: float, min_version: str | None = None
    ) -> Any:
        headers = {"Authorization": f"Bearer {self._token()}", "Accept-Encoding": "identity"}
        if min_version:
            headers["X-Min-Version"] = min_version
        client = self._peers.client(self.source)
        try:
            async with asyncio.timeout(wait + 30):
                return await client.get(path, params=params, headers=headers, timeout=wait + 30)
        except Exception as error:
            if isinstance(error, TimeoutError | OSError | LookupError):
                raise
            raise RuntimeError(f"{type(error).__name__}: {error}") from error

    async def _cursor(self) -> str | None:
        async with self._database.read() as db:
            found = await db.execute(text("SELECT cursor FROM follower WHERE source = :s"), {"s": self.source})
            cursor: str | None = found.scalar()
            return cursor

    async def _list(self) -> None:
        start: str | None = None
        for source in self._subscription.lists:
            cursor: str | None = None
            while True:
                joint = "&" if "?" in source.path else "?"
                paging = f"{joint}limit={PAGE}" + (f"&cursor={cursor}" if cursor else "")
                response = await self._get(source.path + paging, None, 0)
                response.raise_for_status()
                page = response.json()
                start = start or response.headers["Changes-Cursor"]
                async with self._database.write() as db:
                    await source.apply(db, page["items"])
                cursor = page["next"]
                if cursor is None:
                    break
        async with self._database.write() as db:
            await db.execute(
                text("INSERT INTO follower (source, cursor) VALUES (:s, :c) ON CONFLICT DO NOTHING"),
                {"s": self.source, "c": start or ""},
            )

    async def _apply(self, events: list[dict[str, Any]], seen: str, following: str) -> None:
        if following == seen:
            return
        async with self._database.write() as db:
            found = await db.execute(
                text("SELECT cursor FROM follower WHERE source = :s FOR UPDATE"), {"s": self.source}
            )
            if found.scalar() != seen:
                return
            if events:
                await self._subscription.apply(db, events)
            await db.execute(
                text("UPDATE follower SET cursor = :c, at = clock_timestamp() WHERE source = :s"),
                {"s": self.source, "c": following},
            )

    async def _forget(self, seen: str) -> None:
        async with self._database.write() as db:
            await db.execute(
                text("DELETE FROM follower WHERE source = :s AND cursor = :c"), {"s": self.source, "c": seen}
            )


def _catch_up(request: Request) -> Callable[[], Awaitable[None]]:
    followers: Sequence[Follower] = request.app.state.house.followers

    async def pull() -> None:
        for follower in followers:
            await follower.catch_up()

    return pull


CatchUp = Annotated[Callable[[], Awaitable[None]], Depends(_catch_up)]
