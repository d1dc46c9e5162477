"""Bulk posts under kill -9: `python -m tests.faults.bulk --kills 200 --seed 7` (make faults-bulk).

Retrying clients post separate and overlapping rows to a real service process while it, PostgreSQL, or both are
killed at random moments. Afterwards every promise is checked against the clients' own journal.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from benchmarks.stage import Stage, staged
from benchmarks.world import World, settle
from tests.faults.checker import violations
from tests.faults.clients import Client, Load
from tests.faults.journal import Journal
from tests.faults.snapshot import Snapshot, take

VICTIMS = ("service", "postgres", "both")
FORMS = ("csv", "ndjson", "json", "parquet", "xlsx")
SAID_CHARACTERS = 20_000
# Whoever takes over an import of the dead need not wait long for it here.
SETTINGS = {"CHITIEU_IMPORT_LEASE_SECONDS": "3", "CHITIEU_IMPORT_POLL_SECONDS": "0.1"}


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: how much of everything."""

    kills: int
    seed: int = 1
    clients: int = 16
    most_rows: int = 1000
    communes: int = 60
    indicators: int = 48
    longest_life: float = 1.5
    forms: tuple[str, ...] = FORMS
    victims: tuple[str, ...] = VICTIMS
    shared: float = 0.6  # of the postings write the few keys that everybody writes
    imports: float = 0.15  # of the postings are sent as imports, in pieces
    calm: int = 0  # postings are answered before the first death


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was seen of a run."""

    journal: Journal
    kept: Snapshot
    kills: int
    seconds: float
    said: str = ""  # by the service, of faults that it did not foresee

    @property
    def broken(self) -> list[str]:
        """Every promise that was broken."""
        return violations(self.journal, self.kept)

    def __str__(self) -> str:
        """The run in numbers."""
        journal, kept = self.journal, self.kept
        lost = [posting for posting in journal.postings if not posting.replies]
        too_often = sum(posting.was_given_up for posting in journal.postings)
        return (
            f"{self.kills} kills in {self.seconds:.0f} s; {len(journal.postings)} postings with"
            f" {sum(len(posting.rows) for posting in journal.postings)} rows, {len(journal.acknowledged)} answered,"
            f" {len(lost)} given up by clients, {too_often} by the service;"
            f" attempts {dict(sorted(journal.statuses.items()))};"
            f" kept: {len(kept.postings)} imports, {len(kept.versions)} versions, {len(kept.events)} events"
        )


async def run(plan: Plan, report: Callable[[str], None] = lambda _line: None) -> Verdict:
    """The whole of it, on a stage of its own."""
    async with staged(**SETTINGS) as stage:
        world = World.of(plan.communes, plan.indicators)
        await settle(stage, world)
        return await perform(stage, world, plan, report)


async def perform(
    stage: Stage, world: World, plan: Plan, report: Callable[[str], None] = lambda _line: None
) -> Verdict:
    """Post and kill, come to rest, ask some keys again, and look."""
    started, journal = time.monotonic(), Journal()
    load = Load(stage, world, journal, plan.seed, plan.most_rows, plan.forms, plan.shared, plan.imports)
    clients = [Client(load, number) for number in range(plan.clients)]
    work = [asyncio.create_task(client.run()) for client in clients]
    try:
        await _progress(journal, plan.calm)
        await _kill(stage, plan, journal, report)
    finally:
        load.is_over = True
        await asyncio.gather(*work)
    await _ask_again(load, clients)
    kept = await take(stage, [client.name for client in clients])
    return Verdict(journal, kept, plan.kills, time.monotonic() - started, stage.indicators.said(SAID_CHARACTERS))


async def _kill(stage: Stage, plan: Plan, journal: Journal, report: Callable[[str], None]) -> None:
    random = Random(plan.seed)
    for number in range(1, plan.kills + 1):
        await _progress(journal)
        await asyncio.sleep(random.uniform(0, plan.longest_life))
        victim = plan.victims[number % len(plan.victims)]
        await asyncio.to_thread(_STRIKES[victim], stage)
        report(f"{number}. {victim} killed; {len(journal.acknowledged)} postings answered")
    await _progress(journal)


async def _progress(journal: Journal, postings: int = 1, patience: float = 60.0, pause: float = 0.02) -> None:
    """Wait until so many more postings were answered, so that every death meets work under way."""
    wanted = len(journal.acknowledged) + postings
    for _ in range(int(patience / pause)):
        if len(journal.acknowledged) >= wanted:
            return
        await asyncio.sleep(pause)
    raise AssertionError(f"nothing was answered for {patience} s: {journal.statuses}")


def _kill_service(stage: Stage) -> None:
    stage.indicators.restart()


def _kill_postgres(stage: Stage) -> None:
    stage.kill_server()


def _kill_both(stage: Stage) -> None:
    stage.indicators.stop()
    stage.kill_server()
    stage.indicators.start()


_STRIKES: dict[str, Callable[[Stage], None]] = {
    "service": _kill_service,
    "postgres": _kill_postgres,
    "both": _kill_both,
}


async def _ask_again(load: Load, clients: list[Client], most: int = 200) -> None:
    """Send answered postings once more: the same key has the same answer after all those deaths."""
    keyed = [posting for posting in load.journal.acknowledged if posting.has_key]
    chosen = Random(load.seed).sample(keyed, min(most, len(keyed)))
    parts = {client: [posting for posting in chosen if posting.client == client.name] for client in clients}
    await asyncio.gather(*(client.ask_again(part) for client, part in parts.items()))


def main() -> None:
    """Run from the command line; ends with 1 if a promise was broken."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--clients", type=int, default=16)
    options.add_argument("--most-rows", type=int, default=1000)
    options.add_argument("--forms", default=",".join(FORMS))
    options.add_argument("--victims", default=",".join(VICTIMS))
    given = options.parse_args()
    forms, victims = (tuple(words.split(",")) for words in (given.forms, given.victims))
    plan = Plan(given.kills, given.seed, given.clients, given.most_rows, forms=forms, victims=victims)
    verdict = asyncio.run(run(plan, lambda line: sys.stdout.write(line + "\n")))
    broken = verdict.broken
    said = [verdict.said] if broken else []
    sys.stdout.write("\n".join([str(verdict), *said, *broken[:50], f"{len(broken)} promises broken", ""]))
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
