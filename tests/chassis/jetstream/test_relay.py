"""The stream is the log: in its order, each event once, whatever is killed and however many relays run."""

from __future__ import annotations

from tests.chassis.jetstream.conftest import Copied


async def test_the_stream_becomes_the_log(copied: Copied) -> None:
    await copied.write(1)
    async with copied.relaying():
        await copied.equal()
        await copied.write(1)
        await copied.equal()
        await copied.write(950)
        await copied.equal()
    assert await copied.ids() == await copied.expected()
