"""A bell: wakes everybody in this process who waits for news."""

from __future__ import annotations

import asyncio
import contextlib


class Bell:
    """Rings for whoever listens. Who listens first and looks then misses nothing."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Wake everybody who listens now."""
        rung, self._next = self._next, asyncio.Event()
        rung.set()

    def listen(self) -> asyncio.Event:
        """What the next ring sets."""
        return self._next


async def heard(ring: asyncio.Event, seconds: float) -> bool:
    """Wait for a ring, at most so long; answers whether it came."""
    # Not `wait_for`: on Python 3.11 it swallows a cancellation that meets the bell, and the process never ends.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await ring.wait()
    return ring.is_set()
