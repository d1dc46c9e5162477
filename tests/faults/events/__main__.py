"""The event log under every fault: `make faults`, or `python -m tests.faults.events --kills 500 --seed 7`.

Sixteen writers and several readers work on several processes of one service while things go wrong. Afterwards one
checker compares what the writers were told with the log, and what every reader heard with what stands there.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.faults.events.arena import arena
from tests.faults.events.cuts import cut
from tests.faults.events.disk import MIB
from tests.faults.events.frozen import frozen
from tests.faults.events.full import full
from tests.faults.events.held import held
from tests.faults.events.hooks import SETTINGS
from tests.faults.events.kills import killed
from tests.faults.events.nats_dies import nats_dies
from tests.faults.events.restored import restored
from tests.faults.events.retired import retired
from tests.faults.events.work import Scenario, Verdict, at_work


@dataclass(frozen=True, slots=True)
class Turn:
    """A scenario, and how many of its faults go with one kill of the first."""

    scenario: Scenario
    share: float


SCENARIOS: Mapping[str, Turn] = {
    "kills": Turn(killed, 1),
    "frozen": Turn(frozen, 0.02),
    "cuts": Turn(cut, 0.5),
    "held": Turn(held, 0.05),
    "full": Turn(full, 0.01),
    "nats": Turn(nats_dies, 0.02),
    "restored": Turn(restored, 0.01),
    "retired": Turn(retired, 0.1),
}


async def run(only: Sequence[str], kills: int, seed: int) -> bool:
    """Run the scenarios one after the other on one arena; says whether every promise was kept in each."""
    results = []
    async with arena(nodes=3, disk_bytes=2048 * MIB, **SETTINGS) as made, at_work(made, seed) as work:
        for name in only:
            turn = SCENARIOS[name]
            results.append(tell(await work.verdict(name, turn.scenario, max(1, round(kills * turn.share)))))
    return all(results)


def tell(verdict: Verdict) -> bool:
    """Print a scenario; says whether every promise was kept, and whether the checker could have seen otherwise."""
    canary = [] if verdict.lost_by_the_naive else ["the planted naive reader lost nothing: this run proves nothing"]
    broken = verdict.broken + canary
    sys.stdout.write("\n".join([str(verdict), *broken[:50], f"{len(broken)} promises broken", ""]))
    sys.stdout.flush()
    return not broken


def main() -> None:
    """Run from the command line; ends with 1 if a promise was broken."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=40)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", default=",".join(SCENARIOS), help="scenarios, separated by commas")
    given = options.parse_args()
    sys.exit(0 if asyncio.run(run(given.only.split(","), given.kills, given.seed)) else 1)


if __name__ == "__main__":
    main()
