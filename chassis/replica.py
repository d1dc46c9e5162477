"""Follow another service's change feed into local tables, exactly once: list, then follow.

The cursor is stored in the transaction that applies the events; another process that follows for the same
service is noticed by that row's lock and value. A list is taken in as a whole, in one transaction: what it does
not name is gone, and its versions count whatever was kept before (the source may have been restored from a copy).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any

import structlog
from fastapi import Depends, Request
from sqlalchemy import Table, Text, cast, column, delete, func, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.sql.selectable import TableValuedAlias

from chassis.database import Database, Session, exact_json, released
from chassis.errors import RULES, Gone, HouseError, Refused, Unavailable, rule
from chassis.peers import Peers
from chassis.replies import encode
from chassis.telemetry import FOLLOWER_BEHIND

log = structlog.get_logger(__name__)

SOURCE_UNAVAILABLE = rule(
    "source_unavailable",
    vi="Dịch vụ {source} tạm thời không trả lời; hãy thử lại.",
    en="The service {source} does not answer right now; try again.",
)

PAGE = 1000
Rows = Sequence[Mapping[str, Any]]
Apply = Callable[[Session, list[dict[str, Any]]], Awaitable[None]]


def in_order(handlers: Mapping[str, Apply]) -> Apply:
    """Take in events in their order, neighbours of one type together, each as its data."""

    async def apply(db: Session, events: list[dict[str, Any]]) -> None:
        for event_type, neighbours in groupby(events, key=lambda event: str(event["type"])):
            await handlers[event_type](db, [event["data"] for event in neighbours])

    return apply


@dataclass(frozen=True, slots=True)
class ListSource:
    """A list to read before following: what to do with a page of its items, and how to forget what it told before.

    `forget` and every `apply` of one reading are one transaction, so that nobody sees less than a whole list.
    """

    path: str
    apply: Apply
    forget: Callable[[Session], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a service hears from another one: its lists first, then its events in order."""

    source: str
    lists: Sequence[ListSource]
    types: Sequence[str]
    apply: Apply


def newest(rows: Rows, key: Sequence[str]) -> list[Mapping[str, Any]]:
    """The newest row of every key; of several of one version the last."""
    by_key = {tuple(row[name] for name in key): row for row in sorted(rows, key=lambda row: row["version"])}
    return list(by_key.values())


async def keep_newest(db: Session, table: Table, rows: Rows, key: Sequence[str]) -> None:
    """Take in rows of a replica by their key, unless a newer version is kept. One statement, however many rows."""
    names = [column.name for column in table.c if column.identity is None]
    told = select(*_as_table(table, names, newest(rows, key)).c)
    kept = insert(table).from_select(names, told)
    changed = {name: kept.excluded[name] for name in names if name not in key}
    is_newer = kept.excluded.version >= table.c.version
    await db.execute(kept.on_conflict_do_update(index_elements=list(key), set_=changed, where=is_newer))


async def drop_older(db: Session, table: Table, rows: Rows, key: Sequence[str]) -> None:
    """Forget rows of a replica that are older than the version that removed them. One statement."""
    gone = _as_table(table, [*key, "version"], rows).c
    named = [table.c[name] == gone[name] for name in key]
    await db.execute(delete(table).where(*named, table.c.version < gone.version))


def _as_table(table: Table, names: Sequence[str], rows: Rows) -> TableValuedAlias:
    """Rows as one parameter, with the columns of a table: the number of parameters never grows with the rows."""
    rendered = cast(literal(encode(rows).decode(), Text), JSONB)
    columns = [column(name, table.c[name].type) for name in names]
    return func.jsonb_to_recordset(rendered).table_valued(*columns).render_derived(name="told", with_types=True)


class OneAtATime:
    """Work that many ask for and one run does for all of them.

    Who asks while it runs shares the next run: the one under way may have read its source before their news.
    """

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._running: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[None] | None = None

    async def __call__(self) -> None:
        """Return when a run has ended that began after this call; who leaves early does not stop it."""
        if self._waiting is None or self._waiting.done():
            self._waiting = asyncio.create_task(self._run(self._running))
        await asyncio.shield(self._waiting)

    async def _run(self, before: asyncio.Task[None] | None) -> None:
        if before is not None and not before.done():
            await asyncio.wait([before])
        self._running, self._waiting = self._waiting, None
        await self._work()


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
        self._reach_head = OneAtATime(self._pull_everything)

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
                if not isinstance(error, Unavailable):
                    log.warning("follower_failed", source=self.source, error=str(error) or type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    async def catch_up(self, min_version: str | None = None) -> None:
        """Apply everything the source has now (with a write token: at least that write).

        Callers at the same time share one pull.

        Raises:
            Unavailable: the source does not answer, or not this service ("source_unavailable").
            Refused, Gone: what the source says of the write token ("write_token_invalid", "write_lost").
        """
        if min_version is None:
            await self._reach_head()
        else:
            await self._pull_everything(min_version)

    async def _pull_everything(self, min_version: str | None = None) -> None:
        while not await self.pull(wait=0, min_version=min_version):
            pass

    async def pull(self, *, wait: float, min_version: str | None = None) -> bool:
        """Apply one page of changes; answers whether the head is reached."""
        cursor = await self._cursor()
        if cursor is None:
            await self._list(None)
            return False
        params: dict[str, Any] = {"after": cursor, "limit": PAGE, "wait": wait}
        if self._subscription.types:
            params["types"] = ",".join(self._subscription.types)
        response = await self._get(f"/v1/{self.source}/changes", params, wait, min_version)
        if min_version:
            _refuse_token(response)
        if response.status_code == 410:
            await self._list(cursor)
            return False
        page = self._page(response)
        await self._apply(page["items"], cursor, page["next"])
        FOLLOWER_BEHIND.labels(self.source, self._database.service).set(int(response.headers.get("Changes-Behind", 0)))
        return bool(page["next"] == page["head"])

    async def _get(
        self, path: str, params: Mapping[str, Any] | None, wait: float, min_version: str | None = None
    ) -> Any:
        headers = {"Authorization": f"Bearer {self._token()}", "Accept-Encoding": "identity"}
        if min_version:
            headers["X-Min-Version"] = min_version
        try:
            client = self._peers.client(self.source)
            async with asyncio.timeout(wait + 30):
                return await client.get(path, params=params, headers=headers, timeout=wait + 30)
        except Exception as error:
            log.warning("source_not_reached", source=self.source, error=str(error) or type(error).__name__)
            raise self._unavailable() from error

    def _page(self, response: Any) -> Any:
        """A reply's page, numbers as the decimals they were."""
        if response.status_code == 200:
            return exact_json.decode(response.content)
        status = {"source": self.source, "status": response.status_code, "code": _code(response)}
        if response.status_code in (401, 403):
            log.error("source_lets_nobody_in", **status)
        else:
            log.warning("source_answers_otherwise", **status)
        raise self._unavailable()

    def _unavailable(self) -> Unavailable:
        return Unavailable(SOURCE_UNAVAILABLE, source=self.source, headers={"Retry-After": "1"})

    async def _cursor(self) -> str | None:
        async with self._database.read() as db:
            found = await db.execute(text("SELECT cursor FROM follower WHERE source = :s"), {"s": self.source})
            cursor: str | None = found.scalar()
            return cursor

    async def _list(self, seen: str | None) -> None:
        """Take in the lists anew, unless another process did since the cursor was seen."""
        start: str | None = None
        async with self._database.write() as db:
            if not await self._hold(db, seen):
                return
            for source in self._subscription.lists:
                await source.forget(db)
                async for items, cursor in self._pages(source.path):
                    start = start or cursor
                    await source.apply(db, items)
            await self._move(db, start or "")

    async def _hold(self, db: Session, seen: str | None) -> bool:
        """Lock the cursor, making it where there is none; answers whether it still is the one that was seen."""
        own = {"s": self.source}
        if seen is None:
            made = text("INSERT INTO follower (source, cursor) VALUES (:s, '') ON CONFLICT DO NOTHING RETURNING 1")
            return (await db.execute(made, own)).scalar() is not None
        found = await db.execute(text("SELECT cursor FROM follower WHERE source = :s FOR UPDATE"), own)
        return bool(found.scalar() == seen)

    async def _move(self, db: Session, cursor: str) -> None:
        await db.execute(
            text("UPDATE follower SET cursor = :c, at = clock_timestamp() WHERE source = :s"),
            {"s": self.source, "c": cursor},
        )

    async def _pages(self, path: str) -> AsyncIterator[tuple[list[dict[str, Any]], str]]:
        """The pages of a list, each with the position of the feed as the first of them was read."""
        cursor: str | None = ""
        while cursor is not None:
            paging = f"limit={PAGE}" + (f"&cursor={cursor}" if cursor else "")
            response = await self._get(f"{path}{'&' if '?' in path else '?'}{paging}", None, 0)
            page = self._page(response)
            yield page["items"], response.headers["Changes-Cursor"]
            cursor = page["next"]

    async def _apply(self, events: list[dict[str, Any]], seen: str, following: str) -> None:
        if following == seen:
            return
        async with self._database.write() as db:
            if not await self._hold(db, seen):
                return
            if events:
                await self._subscription.apply(db, events)
            await self._move(db, following)


def _code(response: Any) -> str | None:
    """The code of a problem, if the reply is one."""
    try:
        found = exact_json.decode(response.content).get("code")
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None


def _refuse_token(response: Any) -> None:
    """Pass on what the source says of a write token: it is the caller's, not ours."""
    kinds: Mapping[int, type[HouseError]] = {410: Gone, 422: Refused}
    code = _code(response) if response.status_code in kinds else None
    if code in ("write_lost", "write_token_invalid"):
        raise kinds[response.status_code](RULES[code])


def _catch_up(request: Request) -> Callable[[Session], Awaitable[None]]:
    return catching_up(request.app.state.house.followers)


def catching_up(followers: Sequence[Follower]) -> Callable[[Session], Awaitable[None]]:
    """Hears what other services said until now, with the session released meanwhile."""

    async def pull(db: Session) -> None:
        async with released(db):
            for follower in followers:
                await follower.catch_up()

    return pull


# Hears what other services said until now; the session has not written yet and reads anew afterwards.
CatchUp = Annotated[Callable[[Session], Awaitable[None]], Depends(_catch_up)]
