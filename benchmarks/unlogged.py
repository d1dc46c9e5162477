"""The command without an event log: `python -m benchmarks.unlogged serve indicators`, to measure what the log costs.

Everything else is the service as it is: the same transactions with the same locks, rows, history and audit. Only
what they would announce is neither put together nor written, and nothing is given a position.
"""

from __future__ import annotations

import asyncio
from typing import Any

from chassis.outbox import Event
from chassis.sequencer import Sequencer
from chitieu.__main__ import start
from services.indicators.service import actuals


def _say_nothing(*_what: Any) -> list[Event]:
    return []


async def _sleep(_sequencer: Sequencer) -> None:
    await asyncio.Event().wait()


if __name__ == "__main__":
    actuals.events_of = _say_nothing  # type: ignore[attr-defined]  # the name the module has imported
    Sequencer.run = _sleep  # type: ignore[method-assign]
    start()
