"""What one application stands on: a service's parts, and the house that keeps its database, feed and jobs running."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from fastapi import APIRouter
from sqlalchemy import MetaData

from chassis.auth import Verifier
from chassis.beside import beside
from chassis.database import Database
from chassis.event_types import EventType
from chassis.feed import Feed
from chassis.peers import Peers
from chassis.receipts import Receipts
from chassis.replica import Follower, Subscription
from chassis.sequencer import Sequencer, raise_epoch_if_restored
from chassis.settings import Settings
from chassis.streams import Streams

log = structlog.get_logger(__name__)

Job = Callable[["House"], Coroutine[Any, Any, None]]
RESTART_SECONDS = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """What makes one service: its routes, tables, what it says, what it hears, and what it does by itself."""

    name: str
    title: str
    description: str
    router: APIRouter
    metadata: MetaData
    subscriptions: Sequence[Subscription] = ()
    events: Mapping[str, EventType] = field(default_factory=dict)
    jobs: Sequence[Job] = ()
    lists: Sequence[str] = ()


class House:
    """What one application stands on: settings, keys, peers, and (for a service) its database and feed."""

    def __init__(
        self,
        settings: Settings,
        *,
        verifier: Verifier,
        peers: Peers,
        database: Database | None = None,
        token: Callable[[], str] | None = None,
        revision: str | None = None,
        receipts: Receipts | None = None,
    ) -> None:
        self.revision = revision
        self.settings = settings
        self.verifier = verifier
        self.peers = peers
        self.followers: list[Follower] = []
        self.jobs: Sequence[Job] = ()
        self.closing = asyncio.Event()
        self.receipts = receipts or Receipts(settings, database.service if database else "")
        self._token = token
        self._database = database
        self.sequencer = (
            Sequencer(database, batch=settings.sequencer_batch, poll_seconds=settings.sequencer_poll_seconds)
            if database
            else None
        )
        self.feed = Feed(database, self.sequencer, settings.public_url) if database else None
        self.streams = Streams(self.feed, settings) if self.feed else None

    @property
    def database(self) -> Database:
        """The service's database; the gateway has none."""
        if self._database is None:
            raise LookupError("this application has no database")
        return self._database

    def serve(self, service: Service, jobs: Sequence[Job]) -> None:
        """Take in what a service hears, and what it and its house do by themselves."""
        self.follow(service.subscriptions)
        self.jobs = (*service.jobs, *jobs)
        if self.feed is not None:
            self.feed.lists = service.lists

    @property
    def is_closing(self) -> bool:
        """Whether the process is about to end."""
        return self.closing.is_set()

    def follow(self, subscriptions: Sequence[Subscription]) -> None:
        """Prepare the followers of a service."""
        for subscription in subscriptions:
            wait = self.settings.follower_wait_seconds
            token = self._token or (lambda: "")
            self.followers.append(Follower(self.database, subscription, self.peers, token, wait))

    def stop_waiting(self) -> None:
        """End every long poll and stream: the process is about to end."""
        self.closing.set()
        if self.feed is not None:
            self.feed.close()
        if self.streams is not None:
            self.streams.close()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run sequencer, feed, followers and all jobs while the block lasts, then give everything back."""
        if self._database:
            await raise_epoch_if_restored(self._database)
        jobs: list[Callable[[], Coroutine[Any, Any, None]]] = [follower.run for follower in self.followers]
        jobs += [partial(job, self) for job in self.jobs]
        jobs += [part.run for part in (self.sequencer, self.feed) if part]
        try:
            async with beside(*map(_keep_up, jobs)):
                yield
        finally:
            if self._database:
                await self._database.close()


async def _keep_up(job: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a job for as long as the process lives: one that breaks is begun anew, or nobody would do its work."""
    while True:
        try:
            await job()
        except Exception as error:
            log.exception("job_broke", job=str(job), error=repr(error))
            await asyncio.sleep(RESTART_SECONDS)
        else:
            return
