"""Nodes and relays are killed: the stream stays a beginning of the log, and ends equal to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from joserfc.jwk import OKPKey

from chassis.jetstream.connection import connected
from chassis.jetstream.streams import Outcome, Prepared, prepare
from tests.chassis.jetstream.conftest import Copied, copying
from tests.chassis.jetstream.kills import Trouble
from tests.nats import Nats, nats

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nats]:
    with nats(count=3) as started:
        yield started


@pytest.fixture
async def copied_to_three(admin_url: str, signing_key: OKPKey, cluster: Nats) -> AsyncIterator[Copied]:
    async with copying(admin_url, signing_key, cluster) as made:
        yield made


async def test_three_nodes_take_three_replicas(copied_to_three: Copied) -> None:
    async with connected(copied_to_three.house.settings, "test") as client:
        prepared = await prepare(client.jetstream(), "plans", None)
    assert prepared == Prepared("chitieu-plans", Outcome.UNCHANGED, 3)


async def test_kills_of_nodes_and_relays_leave_the_stream_a_beginning_of_the_log(
    copied_to_three: Copied, cluster: Nats
) -> None:
    trouble = Trouble(copied_to_three, cluster, seed=4)
    await trouble.run(rounds=4)
    assert sorted(trouble.done) == ["_kill_all", "_kill_node", "_kill_relay", "_stop_node"]


async def test_kills_of_the_only_server(copied: Copied) -> None:
    trouble = Trouble(copied, copied.server, seed=1)
    await trouble.run(rounds=4)


async def test_a_lost_store_is_filled_again_when_the_stream_is_made_anew(
    copied_to_three: Copied, cluster: Nats
) -> None:
    await copied_to_three.write(30)
    async with copied_to_three.relaying():
        await copied_to_three.equal()
        cluster.kill()
        cluster.lose_stores()
        cluster.start()
        async with connected(copied_to_three.house.settings, "test") as client:
            assert (await prepare(client.jetstream(), "plans", None)).outcome is Outcome.MADE
        await copied_to_three.equal()
    assert await copied_to_three.ids() == await copied_to_three.expected()


async def test_a_stream_that_is_no_beginning_of_the_log_is_caught(copied: Copied) -> None:
    await copied.write(2)
    (_, first), _ = await copied.log()
    async with connected(copied.house.settings, "test") as client:
        for message_id in ("1:1", "1:2"):
            body = f'{{"id":"{first}"}}'.encode()
            await client.jetstream().publish("ev._.plans.note._.written.v1", body, headers={"Nats-Msg-Id": message_id})
    with pytest.raises(AssertionError):
        await Trouble(copied, copied.server, seed=1).is_a_beginning()
