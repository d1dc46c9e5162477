"""The changes of several services as one page: each service's in its own order, one beside the other by time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any

import structlog

from chassis.errors import Unavailable, rule
from chassis.event_log.positions import Position
from chassis.feed import decode_position
from gateway.changes.places import NOW, Place, Places
from gateway.clients import Params, Row, Services, UpstreamAway, UpstreamBroken

log = structlog.get_logger("gateway")

CHANGES_UNREACHABLE = rule(
    "changes_unreachable",
    vi="Không dịch vụ nào được hỏi trả lời ({services}); hãy thử lại.",
    en="None of the services asked does answer ({services}); try again.",
)


@dataclass(frozen=True, slots=True)
class Merged:
    """A page of merged changes; a service out of reach keeps its place and is named."""

    items: list[Row]
    next: Places
    head: Places
    unreachable: list[str]


class Puller:
    """Asks the services for their changes, and merges what they answer."""

    def __init__(self, services: Services, wanted: Params, limit: int, closing: asyncio.Event) -> None:
        self._services = services
        self._wanted = wanted
        self._limit = limit
        self._closing = closing

    async def pull(self, places: Places, wait: float) -> Merged:
        """A page of changes; when there is none yet, wait up to `wait` seconds for one.

        Raises:
            UpstreamProblem: a service refuses: a dead cursor, a token that does not hold.
            Unavailable: no service answers ("changes_unreachable").
        """
        until = asyncio.get_running_loop().time() + wait
        found = await asyncio.gather(*(self._ask(name, place, 0) for name, place in places.items()))
        pages = {name: page for name, page in zip(places, found, strict=True) if page is not None}
        if not pages:
            raise Unavailable(CHANGES_UNREACHABLE, services=", ".join(places), headers={"Retry-After": "1"})
        if not any(page["items"] for page in pages.values()):
            await self._wait_for_more(pages, until - asyncio.get_running_loop().time())
        return self._merge(places, pages)

    async def _ask(self, service: str, place: Place, wait: float) -> Row | None:
        """A page of one service; none: it is out of reach."""
        try:
            if place == NOW:
                head = (await self._page(service, {"limit": 1}))["head"]
                return {"items": [], "next": head, "head": head}
            after = place.cursor if place else None
            asked = {**self._wanted, "after": after, "limit": self._limit, "wait": f"{wait:.3f}"}
            return await self._page(service, asked)
        except (UpstreamAway, UpstreamBroken) as error:
            log.warning("upstream_away", service_asked=service, reason=str(error))
            return None

    async def _page(self, service: str, asked: Params) -> Row:
        return await self._services.page(service, f"/v1/{service}/changes", asked)

    async def _wait_for_more(self, pages: dict[str, Row], seconds: float) -> None:
        """Replace the pages by later ones until one of them has changes; who has not answered by then keeps its own."""
        if seconds <= 0:
            return
        asking = {
            asyncio.create_task(self._ask(name, decode_position(page["next"]), seconds)): name
            for name, page in pages.items()
        }
        closing = asyncio.create_task(self._closing.wait())
        finished: set[asyncio.Task[Row | None]] = set()
        try:
            while asking.keys() - finished and not closing.done():
                await asyncio.wait({*asking.keys() - finished, closing}, return_when=asyncio.FIRST_COMPLETED)
                news = [task for task in asking.keys() - finished if task.done()]
                finished.update(news)
                pages.update({asking[task]: page for task in news if (page := task.result())})
                if any(page["items"] for page in pages.values()):
                    return
        finally:
            for task in (*asking, closing):
                task.cancel()
            await asyncio.gather(*asking, closing, return_exceptions=True)

    def _merge(self, places: Places, pages: Mapping[str, Row]) -> Merged:
        """The oldest changes of all pages; whatever does not fit comes with the next page."""
        named = [[(name, item) for item in page["items"]] for name, page in pages.items()]
        taken = list(islice(merge(*named, key=_time), self._limit))
        counts = Counter(name for name, _ in taken)
        following = {name: _following(page, counts[name], places[name]) for name, page in pages.items()}
        return Merged(
            [item for _, item in taken],
            {**places, **following},
            {**places, **{name: decode_position(page["head"]) for name, page in pages.items()}},
            [name for name in places if name not in pages],
        )


def _time(named: tuple[str, Row]) -> datetime:
    return datetime.fromisoformat(named[1]["time"])


def beginning_of(page: Row) -> Position:
    """The position before the first change of a page; of an empty page, the one it leads to."""
    following = decode_position(page["next"])
    return following._replace(pos=int(page["items"][0]["sequence"]) - 1) if page["items"] else following


def _following(page: Row, taken: int, before: Place) -> Place:
    """Where to go on in one service after so many changes of its page."""
    items: list[Any] = page["items"]
    following = decode_position(page["next"])
    if taken == len(items):
        return following
    if taken:
        return following._replace(pos=int(items[taken - 1]["sequence"]))
    return before or beginning_of(page)
