"""One try: a letter goes out, an outcome comes back. Never a redirect, never more of a reply than is worth reading."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from standardwebhooks import Webhook
from yarl import URL

from chassis import clock
from chassis.event_types import CLOUD_EVENT
from chassis.webhooks.guard import AddressRefused, Guard
from chassis.webhooks.letters import Letter
from chassis.webhooks.schedule import asked_wait
from chassis.webhooks.signing import signed_headers

MOST_REPLY_BYTES = 64 * 1024  # of more the connection is given up, with the rest unread
EXCERPT_CHARACTERS = 500
REPLY_SECONDS = 2.0  # the status is the answer; a body that drips is not waited for
IDLE_SECONDS = 30.0
_HEADERS = {
    "Content-Type": CLOUD_EVENT,
    "Accept-Encoding": "identity",
    "User-Agent": f"chitieu-webhooks/{metadata.version('chitieu')}",
}


class Result(StrEnum):
    """How a try ended. Only `delivered` is success."""

    DELIVERED = "delivered"
    REJECTED = "rejected"  # any status but 2xx
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    FORBIDDEN = "forbidden"  # the address is not reached from here
    UNANSWERED = "unanswered"  # a challenge, taken in but not answered
    EXPIRED = "expired"  # the log no longer holds the event


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a try; `asked` is the wait in seconds that the receiver asked for."""

    result: Result
    seconds: float
    status: int | None = None
    reply: bytes = b""
    detail: str | None = None
    asked: float | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver has it."""
        return self.result is Result.DELIVERED

    @property
    def excerpt(self) -> str | None:
        """The beginning of the reply, as text that can be kept and shown."""
        text = self.reply[: 4 * EXCERPT_CHARACTERS].decode("utf-8", "replace")
        shown = "".join(sign if sign.isprintable() or sign in "\n\t" else "�" for sign in text)
        return shown[:EXCERPT_CHARACTERS] or None


class Postman:
    """Sends letters over connections that are kept open, to addresses the guard allows."""

    def __init__(self, guard: Guard, seconds: float, resolver: AbstractResolver | None = None) -> None:
        connector = aiohttp.TCPConnector(
            limit=0,  # each receiver has its own limit
            socket_factory=guard.socket_of,
            resolver=resolver or aiohttp.AsyncResolver(),
            keepalive_timeout=IDLE_SECONDS,
            ssl=ssl.create_default_context(),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=_HEADERS,
            timeout=aiohttp.ClientTimeout(total=seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        """Ready to send."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Done with it."""
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def send(self, url: str, letter: Letter, keys: Sequence[Webhook]) -> Outcome:
        """Send a letter, signed by every key; whatever goes wrong is an outcome too."""
        began = time.monotonic()
        headers = signed_headers(letter, keys, clock.now())
        body = letter.body.encode()
        place = URL(url, encoded=True)  # as the guard wrote it, not quoted once more
        try:
            async with self._session.post(place, data=body, headers=headers, allow_redirects=False) as got:
                reply = await _read(got)
                spent = time.monotonic() - began
                if 200 <= got.status < 300:
                    return Outcome(Result.DELIVERED, spent, got.status, reply)
                asked = asked_wait(got.status, got.headers.get("Retry-After"), clock.now())
                return Outcome(Result.REJECTED, spent, got.status, reply, asked=asked)
        except TimeoutError:
            return Outcome(Result.TIMED_OUT, time.monotonic() - began)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            result, detail = _why(error)
            return Outcome(result, time.monotonic() - began, detail=detail)


async def _read(got: aiohttp.ClientResponse) -> bytes:
    """The beginning of a reply; where that is not all of it, the connection is closed."""
    found = bytearray()
    with contextlib.suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(REPLY_SECONDS):
            async for piece in got.content.iter_any():
                found += piece
                if len(found) > MOST_REPLY_BYTES:
                    break
    if not got.content.at_eof():
        got.close()
    return bytes(found[:MOST_REPLY_BYTES])


def _why(error: Exception) -> tuple[Result, str]:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AddressRefused):
            return Result.FORBIDDEN, str(cause)
        cause = cause.__cause__
    if AddressRefused.WORDS in str(error):  # one of several addresses, told in one error
        return Result.FORBIDDEN, AddressRefused.WORDS
    return Result.UNREACHABLE, f"{type(error).__name__}: {error}"[:EXCERPT_CHARACTERS]


def answers(outcome: Outcome, word: str) -> bool:
    """Whether a reply answers a challenge: the same word, as `{"challenge": word}` or alone."""
    if not outcome.is_delivered:
        return False
    with contextlib.suppress(ValueError):
        found = json.loads(outcome.reply)
        return found == word or (isinstance(found, dict) and found.get("challenge") == word)
    return outcome.reply.strip() == word.encode()
