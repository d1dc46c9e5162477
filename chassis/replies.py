"""Replies: one JSON encoder (exact decimals as numbers, UTC with Z), versions in ETags, and `If-Match`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request
from starlette.datastructures import MutableHeaders
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.errors import PreconditionFailed, rule

IF_MATCH_INVALID = rule(
    "if_match_invalid",
    vi="If-Match không phải ETag của nơi này.",
    en="If-Match is not an ETag of this place.",
)

WRITE_BYTES = 256 * 1024
_encoder = msgspec.json.Encoder(decimal_format="number")
encode = _encoder.encode
VARY = "Authorization, Accept, Accept-Language, Accept-Encoding"
# Headers between a handler and EntityTags only: the aggregate's version, and what a page's tag is made of.
MARKS = ("Entity-Version", "Entity-Digest")


def preferred(header: str) -> list[str]:
    """What an Accept or Accept-Language header asks for, best first; what it excludes (q=0) is left out."""
    weighed = []
    for part in header.split(","):
        name, _, rest = part.partition(";")
        quality = re.search(r"(?:^|;)\s*q\s*=\s*([0-9.]+)", rest)
        weighed.append((_weight(quality[1]) if quality else 1.0, name.strip().lower()))
    return [name for weight, name in sorted(weighed, key=lambda item: -item[0]) if weight > 0 and name]


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def reply(
    body: Any,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    version: int | None = None,
    media_type: str = "application/json",
) -> Response:
    """A JSON reply. `version` becomes part of the ETag, which `If-Match` then names."""
    response = Response(encode(body), status_code=status, media_type=media_type, headers=dict(headers or {}))
    if version is not None:
        response.headers["Entity-Version"] = str(version)
    return response


def in_pieces(pieces: Sequence[bytes], headers: Mapping[str, str], media_type: str) -> Response:
    """A reply whose body is there in pieces: a long one is sent few at a time, without a copy of the whole."""
    length = sum(map(len, pieces))
    if length <= WRITE_BYTES:
        return Response(b"".join(pieces), headers=dict(headers), media_type=media_type)
    sized = {**headers, "Content-Length": str(length)}
    return StreamingResponse(_joined(pieces), headers=sized, media_type=media_type)


async def _joined(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    """Pieces of the size of a write."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= WRITE_BYTES:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def _if_match(request: Request) -> int | None:
    asked = request.headers.get("If-Match")
    if asked is None:
        return None
    match = re.fullmatch(r'"v(\d{1,18})(?:-[0-9a-f]+)?"', asked.strip())
    if match is None:
        raise PreconditionFailed(IF_MATCH_INVALID)
    return int(match[1])


IfMatch = Annotated[int | None, Depends(_if_match)]


class EntityTags:
    """Gives every bounded GET reply an ETag and answers 304 where the caller has it already.

    It stands inside the compressor, so the tag is of body and negotiated encoding together. The tag is strong,
    but for a page with a next one: its cursor carries the feed's head, which moves while the rows do not.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold back one bounded 200 reply, tag it, and send it or 304; a HEAD is answered like a GET, bodiless."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, _Stripper(send) if scope["type"] == "http" else send)
            return
        await self.app({**scope, "method": "GET"}, receive, _Tagger(scope, send))


class _Stripper:
    """Takes the mark of a version off replies that carry no ETag."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            for name in MARKS:
                del headers[name]
        await self._send(message)


class _Tagger:
    def __init__(self, scope: Scope, send: Send) -> None:
        self._asked = {k.decode().lower(): v.decode("latin-1") for k, v in scope["headers"]}
        self._send = _without_body(send) if scope["method"] == "HEAD" else send
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            self._start = message
            return
        start, self._start = self._start, None
        if start is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        headers = MutableHeaders(raw=start["headers"])
        if message.get("more_body") or headers.get("Cache-Control") == "no-store":
            await self._send(start)
            await self._send(message)
            return
        await self._send_tagged(start, headers, message)

    async def _send_tagged(self, start: Message, headers: MutableHeaders, message: Message) -> None:
        headers["ETag"] = tag = self._tag(headers, message.get("body", b""))
        for name in MARKS:
            del headers[name]
        headers["Vary"] = VARY
        headers.setdefault("Cache-Control", "private, no-cache")
        known = {_opaque(each) for each in self._asked.get("if-none-match", "").split(",")}
        if not known & {_opaque(tag), "*"}:
            await self._send(start)
            await self._send(message)
            return
        del headers["Content-Length"]
        await self._send({**start, "status": 304})
        await self._send({"type": "http.response.body", "body": b""})

    def _tag(self, headers: MutableHeaders, body: bytes) -> str:
        stable = headers.get("Entity-Digest")
        digest = hashlib.sha256(stable.encode() if stable else body)
        digest.update(_coding(self._asked.get("accept-encoding", "")).encode())
        version = headers.get("Entity-Version")
        if version:
            return f'"v{version}-{digest.hexdigest()[:24]}"'
        return f'{"W/" if stable else ""}"{digest.hexdigest()[:32]}"'


def _opaque(tag: str) -> str:
    return tag.strip().removeprefix("W/")


def _coding(accepted: str) -> str:
    names = preferred(accepted)
    return next((name for name in ("zstd", "gzip") if name in names), "*" if "*" in names else "identity")


def _without_body(send: Send) -> Send:
    async def strip(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return strip
