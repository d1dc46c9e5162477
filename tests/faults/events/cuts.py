"""Connections cut between commit and reply: of writers and sequencers to PostgreSQL, of clients to the service."""

from __future__ import annotations

import contextlib
from random import Random

from sqlalchemy import make_url

from tests.chitieu.proxies import SWALLOW, THROUGH, Proxy, proxied
from tests.faults.events.arena import Arena
from tests.faults.events.cutter import Cutter, cutting
from tests.faults.events.work import Work

SHARE = 0.004  # of the answers of PostgreSQL are lost
SWALLOWED = 0.2  # of the answers of the service
WRITES = 40


async def cut(work: Work, times: int) -> str:
    """Work goes on through proxies until so many connections to PostgreSQL have been cut."""
    arena, random = work.arena, Random(work.seed)
    async with cutting(arena.socket_folder, work.seed) as cutter:
        with contextlib.ExitStack() as stack:
            proxies = [stack.enter_context(proxied(url)) for url in arena.urls]
            work.load.urls = [proxy.url for proxy in proxies]
            go_by(arena, through(arena.login_url, cutter))
            try:
                async with work.going_on():
                    cutter.share = SHARE
                    while cutter.cuts < times:
                        _plan(proxies, random)
                        await work.progress(WRITES // 4)
                    cutter.share = 0
                    await work.progress(WRITES)
            finally:
                work.load.urls = list(arena.urls)
                go_by(arena, "")
        return f"{cutter.cuts} connections to PostgreSQL cut"


def through(url: str, cutter: Cutter) -> str:
    return make_url(url).set(query={"host": str(cutter.folder)}).render_as_string(hide_password=False)


def go_by(arena: Arena, url: str) -> None:
    """Let writers and lone sequencers reach the database by this way (none: their own)."""
    arena.writers_url = url
    for sequencer in arena.sequencers:
        sequencer.url = url or arena.login_url
        sequencer.restart()


def _plan(proxies: list[Proxy], random: Random) -> None:
    """What happens to the next connections of clients."""
    for proxy in proxies:
        proxy.plans += [SWALLOW if random.random() < SWALLOWED else THROUGH for _ in range(WRITES)]
        del proxy.plans[: -WRITES * 2]
