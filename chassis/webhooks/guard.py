"""Where nothing is sent: judged when a URL is given, and again on the very address that is connected to.

Names are not trusted: what a name meant a moment ago it need not mean now. So the socket itself is made here, for the
address it will connect to, or not made. Refused is whatever is not plainly a host of the public internet (IANA's
registries of special addresses, read 2026-11), with every form in which one address hides in another.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import make_url
from yarl import URL

from chassis.errors import Fault, Refused, Rule
from chassis.settings import SERVICES, Settings
from chassis.webhooks.rules import (
    URL_HAS_CREDENTIALS,
    URL_HOST_REFUSED,
    URL_INSECURE,
    URL_INVALID,
    URL_PORT_REFUSED,
)

if TYPE_CHECKING:  # whoever only takes a URL in need not wait for the client's library
    from aiohttp import AddrInfoType

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST_URL = 2000
_SPECIAL_V4 = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
    "168.63.129.16/32",  # the host of a machine in Azure, from within
)  # fmt: skip
# Outside of the global unicast range nothing is reached: so mapped, compatible and translated (NAT64) forms of IPv4
# addresses are out, and unique local, link-local and multicast ones. Within it: Teredo, benchmarks, ORCHID, 6to4 and
# documentation.
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
_SPECIAL_V6 = ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
_SPECIAL = tuple(ipaddress.ip_network(each) for each in (*_SPECIAL_V4, *_SPECIAL_V6))
_PLAIN_PORTS = frozenset({80, 443})
# Above 1023: what speaks line by line and may take a request for its own, databases, brokers and cluster managers.
_DEAF_PORTS = frozenset({
    1433, 1521, 1719, 1720, 1723, 2049, 2375, 2376, 2379, 2380, 3306, 3659, 4045, 4190, 4222, 5060, 5061, 5432, 5672,
    6000, 6222, 6379, 6432, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 8222, 9042, 9092, 9200, 9300, 10080,
    10250, 11211, 26379, 27017,
})  # fmt: skip
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


class AddressRefused(OSError):
    """A connection to an address that is not reached from here."""

    WORDS = "the address is not reached from here"

    def __init__(self) -> None:
        super().__init__(self.WORDS)


@dataclass(frozen=True, slots=True)
class Guard:
    """What this installation lets webhooks reach."""

    allowed: tuple[Network, ...] = ()
    own_ports: frozenset[int] = frozenset()
    takes_http: bool = False

    @classmethod
    def of(cls, settings: Settings, ports: Iterable[int] = ()) -> Guard:
        """The guard of an installation; `ports` are more of the house's own."""
        return cls(
            tuple(settings.webhook_allowed_networks),
            frozenset({settings.port, *_ports_of(settings), *ports}),
            settings.is_demo,
        )

    def allows(self, address: str, port: int) -> bool:
        """Whether a connection to an address is made."""
        found = _parsed(address)
        if found is None or (found.is_loopback and port in self.own_ports):
            return False
        if any(found in network for network in self.allowed if network.version == found.version):
            return True
        return _is_public(found)

    def socket_of(self, info: AddrInfoType) -> socket.socket:
        """A socket for an address that is about to be connected to.

        Raises:
            AddressRefused: not for this one.
        """
        family, kind, proto, _, place = info
        host, port = str(place[0]), int(place[1])
        if not self.allows(host, port):
            raise AddressRefused
        return socket.socket(family, kind, proto)

    def check_url(self, text: str) -> str:
        """A URL in the form it will be used in.

        Raises:
            Refused: it is no whole URL ("webhook_url_invalid"), not https ("webhook_url_insecure"), holds a name or
                password ("webhook_url_has_credentials"), or names a port or host that nothing is sent to
                ("webhook_url_port_refused", "webhook_url_host_refused").
        """
        url = _read(text)
        if url.scheme != "https" and not self.takes_http:
            raise _refusal(URL_INSECURE)
        if url.user is not None or url.password is not None:
            raise _refusal(URL_HAS_CREDENTIALS)
        port = url.port or 0
        if port not in _PLAIN_PORTS and (port < 1024 or port in _DEAF_PORTS):
            raise _refusal(URL_PORT_REFUSED, port=port)
        host = (url.raw_host or "").rstrip(".")
        if not self._takes_host(host, port):
            raise _refusal(URL_HOST_REFUSED, host=host)
        return str(url)

    def _takes_host(self, host: str, port: int) -> bool:
        if _parsed(host) is not None:
            return self.allows(host, port)
        last = host.rsplit(".", 1)[-1]
        # 127.1, 0x7f000001 and 2130706433 are addresses to some libraries; a name never ends in a number.
        if not _NAME.fullmatch(host) or _NUMBER.fullmatch(last):
            return False
        # A name without a dot is one of the operator's own network.
        return bool(self.allowed) or ("." in host and last != "localhost")


def _refusal(broken: Rule, **values: Any) -> Refused:
    return Refused(broken, faults=[Fault(broken, values, pointer="/url")], **values)


def _read(text: str) -> URL:
    try:
        url = URL(text)
        is_whole = url.scheme in ("http", "https") and bool(url.host) and url.port is not None
    except ValueError as error:
        raise _refusal(URL_INVALID) from error
    if not is_whole or len(str(url)) > LONGEST_URL or not text.isprintable() or "\\" in text or " " in text:
        raise _refusal(URL_INVALID)
    return url.with_fragment(None)


def _parsed(address: str) -> Address | None:
    try:
        return ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _is_public(address: Address) -> bool:
    if address.version == 6 and address not in _GLOBAL_V6:
        return False
    return not any(address in network for network in _SPECIAL if network.version == address.version)


def _ports_of(settings: Settings) -> Iterable[int]:
    """The ports of the house's own services and databases, as far as the settings name them."""
    for name in SERVICES:
        for place in (settings.database_url_of(name), settings.admin_url_of(name), settings.url_of(name)):
            if place is not None:
                yield make_url(place).port or 0
