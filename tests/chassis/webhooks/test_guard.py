"""Nothing inside is reached, however its address is written, and whatever a name says the second time."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from ipaddress import IPv4Address, ip_network
from uuid import UUID

import pytest
from aiohttp import AsyncResolver

from chassis.errors import Refused
from chassis.settings import Settings
from chassis.webhooks.guard import AddressRefused, Guard
from chassis.webhooks.letters import Letter
from chassis.webhooks.sending import Outcome, Postman, Result
from tests.chassis.webhooks.receiver import Receiver, receiving

LETTER = Letter(UUID(int=1), "t", "s", '{"type": "t"}')
PUBLIC = ("8.8.8.8", "203.162.4.190", "172.32.0.1", "192.0.1.1", "2001:4860:4860::8888", "2a00:1450::1")
HOSTILE = {
    "unspecified": ("0.0.0.0", "0.1.2.3", "::"),
    "loopback": ("127.0.0.1", "127.255.255.254", "::1"),
    "private": ("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "fc00::1", "fd00::1"),
    "shared": ("100.64.0.1", "100.127.255.254", "100.100.100.200"),
    "link-local": ("169.254.0.1", "fe80::1", "fe80::1%eth0", "febf::1"),
    "metadata": ("169.254.169.254", "169.254.170.2", "fd00:ec2::254", "fd20:ce::254", "168.63.129.16", "192.0.0.192"),
    "protocols": ("192.0.0.1", "192.0.0.170", "192.88.99.1", "192.31.196.1", "192.52.193.1", "192.175.48.1"),
    "documentation": ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"),
    "benchmarks": ("198.18.0.1", "198.19.255.255", "2001:2::1"),
    "multicast": ("224.0.0.1", "239.255.255.255", "ff02::1", "ff05::2"),
    "reserved": ("240.0.0.1", "255.255.255.255", "4000::1", "100::1", "5f00::1"),
    "mapped": ("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:a9fe:a9fe", "::ffff:0:127.0.0.1"),
    "compatible": ("::127.0.0.1", "::169.254.169.254"),
    "NAT64": ("64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::a00:1"),
    "6to4": ("2002:7f00:1::", "2002:a9fe:a9fe::1"),
    "Teredo": ("2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
    "ORCHID": ("2001:10::1", "2001:20::1"),
    "site-local": ("fec0::1",),
}
HOSTILE_ADDRESSES = [address for addresses in HOSTILE.values() for address in addresses]
HOSTILE_URLS = (
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://017700000001/",
    "http://127.1/", "http://127.0.1/", "http://0/", "http://0x0/", "http://127.0.0.1./", "http://１２７.０.０.１/",
    "http://[::ffff:127.0.0.1]/", "http://[::1]/", "http://[fe80::1%25eth0]/", "http://127.0.0.1.5/",
    "http://localhost/", "http://LOCALHOST./", "http://postgres/", "http://a.localhost/", "http://evil.com%00.local/",
    "http://-bad-.example/", "http://a..b/", "http://169.254.169.254/latest/meta-data/",
)  # fmt: skip


def code_of(url: str, guard: Guard) -> str:
    with pytest.raises(Refused) as refused:
        guard.check_url(url)
    return refused.value.rule.code


def test_the_list_is_long_enough() -> None:
    assert len(HOSTILE_ADDRESSES) >= 40
    assert len(set(HOSTILE_ADDRESSES)) == len(HOSTILE_ADDRESSES)


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_a_socket_for_a_hostile_address_is_never_made(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    place = (address, 443, 0, 0) if ":" in address else (address, 443)
    with pytest.raises(AddressRefused):
        Guard().socket_of((family, socket.SOCK_STREAM, 6, "", place))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_reached(address: str) -> None:
    assert Guard().allows(address, 443)


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_host_is_refused_as_soon_as_it_is_named(url: str) -> None:
    assert code_of(url, Guard(takes_http=True)) in ("webhook_url_host_refused", "webhook_url_invalid")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://a.example/", "webhook_url_insecure"),
        ("https://user@a.example/", "webhook_url_has_credentials"),
        ("https://:word@a.example/", "webhook_url_has_credentials"),
        ("https://a.example:22/", "webhook_url_port_refused"),
        ("https://a.example:25/", "webhook_url_port_refused"),
        ("https://a.example:5432/", "webhook_url_port_refused"),
        ("https://a.example:6379/", "webhook_url_port_refused"),
        ("https://a.example:0/", "webhook_url_port_refused"),
        ("https://a.example:99999/", "webhook_url_invalid"),
        ("ftp://a.example/", "webhook_url_invalid"),
        ("gopher://a.example/", "webhook_url_invalid"),
        ("file:///etc/passwd", "webhook_url_invalid"),
        ("//a.example/", "webhook_url_invalid"),
        ("https:///hook", "webhook_url_invalid"),
        ("https://a.example\\@b.example/", "webhook_url_invalid"),
        ("https://a.example/\r\nHost: b", "webhook_url_invalid"),
        ("https://a.example/ b", "webhook_url_invalid"),
        (f"https://a.example/{'x' * 2000}", "webhook_url_invalid"),
        (f"https://a.example/{'đ' * 700}", "webhook_url_invalid"),
        ("", "webhook_url_invalid"),
    ],
)
def test_a_url_is_refused_with_its_reason(url: str, code: str) -> None:
    assert code_of(url, Guard()) == code


def test_a_url_is_kept_in_the_form_it_is_used_in() -> None:
    assert Guard().check_url("https://Nhận.Example.VN:443/móc?a=b#part") == (
        "https://xn--nhn-6hz.example.vn/m%C3%B3c?a=b"
    )


def test_the_operator_may_let_own_networks_be_reached_but_never_the_house_itself() -> None:
    guard = Guard((ip_network("127.0.0.0/8"), ip_network("fd00::/8")), own_ports=frozenset({8000}), takes_http=True)
    assert guard.check_url("http://127.0.0.1:9000/hook") == "http://127.0.0.1:9000/hook"
    assert guard.check_url("http://ioc/hook") == "http://ioc/hook"
    assert code_of("http://127.0.0.1:8000/", guard) == "webhook_url_host_refused"
    assert code_of("http://10.0.0.1/", guard) == "webhook_url_host_refused"
    assert [guard.allows(a, 443) for a in ("127.9.9.9", "fd00::1", "::1", "::ffff:127.0.0.1")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_the_ports_of_the_house_are_those_of_its_settings() -> None:
    settings = Settings(
        port=8123,
        plans_database_url="postgresql://plans:x@db.example:6543/chitieu",  # type: ignore[arg-type]
        budget_url="http://budget.example:8003",
        webhook_allowed_networks="10.1.0.0/16, ::1/128",  # type: ignore[arg-type]
    )
    guard = Guard.of(settings, [4222])
    assert guard.own_ports >= {8123, 6543, 8003, 4222}
    assert [guard.allows(a, 443) for a in ("10.1.2.3", "10.2.0.1", "::1")] == [True, False, True]
    assert (guard.takes_http, Guard.of(settings.model_copy(update={"environment": "demo"})).takes_http) == (
        False,
        False,
    )


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


async def sent(postman: Postman, url: str) -> Outcome:
    async with postman:
        return await postman.send(url, LETTER, ())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "2130706433"])
async def test_a_receiver_inside_is_not_reached_even_when_its_url_was_taken(receiver: Receiver, host: str) -> None:
    outcome = await sent(Postman(Guard(), seconds=5), f"http://{host}:{receiver.port}/")
    assert outcome.result in (Result.FORBIDDEN, Result.UNREACHABLE)
    assert outcome.status is None
    assert receiver.requests == receiver.challenges == []


class Rebinding(asyncio.DatagramProtocol):
    """A name server whose names mean another address each time they are asked for."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.asked = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = data[12 : data.index(b"\0", 12) + 5]
        is_a = question[-4:-2] == b"\0\1"
        answer = b""
        if is_a:
            address = self.addresses[min(self.asked, len(self.addresses) - 1)]
            self.asked += 1
            answer = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 0, 4) + IPv4Address(address).packed
        header = data[:2] + struct.pack("!HHHHH", 0x8180, 1, int(is_a), 0, 0)
        self.transport.sendto(header + question + answer, addr)


async def test_a_name_that_turns_inwards_after_it_was_looked_at_is_not_followed(receiver: Receiver) -> None:
    """A resolver's check is passed by the first answer; the guard judges the address that is connected to."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: Rebinding("8.8.8.8", "127.0.0.1"), local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]

    def resolver() -> AsyncResolver:
        return AsyncResolver(nameservers=[f"127.0.0.1:{port}"], lookups="b")

    try:
        looked_at = await resolver().resolve("rebind.example", receiver.port, socket.AF_INET)
        assert [each["host"] for each in looked_at] == ["8.8.8.8"]
        assert Guard().allows("8.8.8.8", receiver.port)

        url = f"http://rebind.example:{receiver.port}/"
        outcome = await sent(Postman(Guard(), 5, resolver()), url)
        assert (outcome.result, server.asked) == (Result.FORBIDDEN, 2)
        assert receiver.requests == receiver.challenges == []

        # The same way does lead there once the operator allows the network: it was the guard that stood in it.
        allowing = Guard((ip_network("127.0.0.0/8"),), takes_http=True)
        await sent(Postman(allowing, 5, resolver()), url)
        assert len(receiver.requests) == 1
    finally:
        transport.close()
