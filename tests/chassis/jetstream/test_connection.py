"""A connection to NATS says in one sentence what keeps it from us; what is not durable is said loudly."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from chassis.jetstream.check import ask_sync_always
from chassis.jetstream.connection import NatsTrouble, connected
from chassis.settings import Settings
from tests.nats import Nats, free_ports, nats

ROOT = Path(__file__).resolve().parents[3]


def settings(url: str | None, **more: Any) -> Settings:
    return Settings(nats_url=SecretStr(url) if url else None, **more)


async def refusal(told: Settings) -> str:
    with pytest.raises(NatsTrouble) as caught:
        async with connected(told, "test"):
            pass
    return str(caught.value)


async def test_the_first_server_that_answers_is_taken(server: Nats) -> None:
    nobody = f"nats://127.0.0.1:{free_ports(1)[0]}"
    async with connected(settings(f"{nobody}, {server.url},{nobody}"), "test") as client:
        assert client.is_connected


async def test_nobody_there_is_one_sentence(tmp_path: Path) -> None:
    nobody = f"nats://127.0.0.1:{free_ports(1)[0]}"
    assert "NATS does not let us in: " in await refusal(settings(nobody))
    assert await refusal(settings(" , ")) == "CHITIEU_NATS_URL names no NATS server."
    missing = await refusal(settings(nobody, nats_ca_file=tmp_path / "ca.pem"))
    assert missing.startswith("A certificate file for NATS cannot be read: ")
    missing = await refusal(settings(nobody, nats_credentials_file=tmp_path / "x.creds"))
    assert missing.startswith("The credentials file for NATS cannot be read: ")


async def test_a_password_is_asked_for_and_never_told() -> None:
    with nats("authorization { user: relay, password: open-sesame }") as guarded:
        wrong = guarded.url.replace("nats://", "nats://relay:mistaken@")
        told = await refusal(settings(wrong))
        assert "Authorization Violation" in told
        assert "mistaken" not in told
        async with connected(settings(guarded.url.replace("nats://", "nats://relay:open-sesame@")), "test") as client:
            assert client.is_connected


@pytest.mark.parametrize(
    "odd",
    ["nats://relay:open/sesame@host:4222", "nats://relay:open#sesame@host:4222", "nats://u:sesame@[::1",
     "nats://u:sesame@host:99999", "nats://u:sesame@host:4222x", "nats://u:sesame@host:0", "nats://",
     "nats://host:4222/sesame"],
)  # fmt: skip
async def test_what_is_no_address_is_said_without_its_password(odd: str) -> None:
    told = await refusal(settings(f"nats://127.0.0.1:{free_ports(1)[0]},{odd}"))
    assert told == "Server 2 of CHITIEU_NATS_URL is no address like nats://host:4222."


async def test_messages_too_small_for_our_events_are_refused() -> None:
    with nats("max_payload: 64KB") as small:
        assert await refusal(settings(small.url)) == "max_payload is 65536 bytes at NATS; events need 131072."


async def test_sync_always_is_read_from_every_server(server: Nats) -> None:
    nobody = f"http://127.0.0.1:{free_ports(1)[0]}"
    with nats(sync="2m") as lazy:
        asked = [
            ask_sync_always(settings(server.url, nats_monitor_url=urls))
            for urls in (
                [server.monitor_url],
                [server.monitor_url, lazy.monitor_url],
                [server.monitor_url, nobody],
                [nobody, lazy.monitor_url],
                [],
            )
        ]
        assert await asyncio.gather(*asked) == [True, False, None, False, None]


def test_without_a_url_nothing_of_it_is_loaded() -> None:
    """Only the relay and the command import the client library, and only `run` and the command import them."""
    uses = re.compile(r"^\s*(?:import|from) (?:nats|chassis\.jetstream\.\w+)\b", re.MULTILINE)
    folders = ("chassis", "chitieu", "gateway", "services")
    loading = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if uses.search(path.read_text(encoding="utf-8"))
    }
    assert "chassis/jetstream/relay.py" in loading
    assert "chassis/jetstream/__init__.py" not in loading
    assert {path.split("/")[1] for path in loading} == {"jetstream"}
