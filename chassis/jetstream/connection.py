"""A connection to NATS by the settings; it ends when it is cut, and its holder opens another."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import nats
import nats.errors
from nats.aio.client import Client

from chassis.settings import Settings

CONNECT_SECONDS = 2
# The largest event has 48 KiB of data; with its envelope and headers it must fit into one message.
LEAST_PAYLOAD = 128 * 1024


class NatsTrouble(Exception):
    """What keeps NATS from being used, in one sentence."""


@contextlib.asynccontextmanager
async def connected(settings: Settings, name: str) -> AsyncIterator[Client]:
    """A connection to one of the servers while the block lasts.

    It never reconnects by itself: a message half sent before a cut must not follow after it.

    Raises:
        NatsTrouble: no server answers, they refuse us, a file of the settings cannot be read, or messages are too
            small there.
    """
    client = await _connect(settings, name)
    try:
        if client.max_payload < LEAST_PAYLOAD:
            raise NatsTrouble(f"max_payload is {client.max_payload} bytes at NATS; events need {LEAST_PAYLOAD}.")
        yield client
    finally:
        with contextlib.suppress(nats.errors.Error, OSError):
            await client.close()


async def _connect(settings: Settings, name: str) -> Client:
    client = Client()
    reasons: list[str] = []

    async def note(error: Exception) -> None:
        reasons.append(str(error) or type(error).__name__)

    servers, tls, credentials = servers_of(settings), _tls(settings), _credentials(settings)
    try:
        await client.connect(
            servers,
            name=name,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=CONNECT_SECONDS,
            error_cb=note,
            tls=tls,
            user_credentials=credentials,
        )
    except (nats.errors.Error, OSError) as error:
        told = "; ".join(dict.fromkeys(reasons)) or str(error) or type(error).__name__
        await client.close()
        raise NatsTrouble(f"NATS does not let us in: {told.removesuffix('.')}.") from error
    return client


def servers_of(settings: Settings) -> list[str]:
    """The addresses of the servers.

    Raises:
        NatsTrouble: none is set, or one is no address; it is not repeated, since a password may be in it.
    """
    given = settings.nats_url.get_secret_value() if settings.nats_url else ""
    servers = [server.strip() for server in given.split(",") if server.strip()]
    if not servers:
        raise NatsTrouble("CHITIEU_NATS_URL names no NATS server.")
    for number, server in enumerate(servers, 1):
        if not _is_address(server):
            raise NatsTrouble(f"Server {number} of CHITIEU_NATS_URL is no address like nats://host:4222.")
    return servers


def _is_address(server: str) -> bool:
    try:
        place = urlsplit(server if "://" in server else f"nats://{server}")
        return bool(place.hostname) and place.port != 0 and not (place.path.strip("/") or place.query or place.fragment)
    except ValueError:
        return False


def _credentials(settings: Settings) -> str | None:
    if settings.nats_credentials_file is None:
        return None
    try:
        settings.nats_credentials_file.read_bytes()
    except OSError as error:
        raise NatsTrouble(f"The credentials file for NATS cannot be read: {error}.") from error
    return str(settings.nats_credentials_file)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not (settings.nats_ca_file or settings.nats_certificate_file):
        return None
    try:
        context = ssl.create_default_context(cafile=settings.nats_ca_file)
        if settings.nats_certificate_file:
            context.load_cert_chain(settings.nats_certificate_file, settings.nats_key_file)
    except (OSError, ssl.SSLError) as error:
        raise NatsTrouble(f"A certificate file for NATS cannot be read: {error}.") from error
    return context
