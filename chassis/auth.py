"""Who is calling: `Caller`, and the types by which a handler says which scope it demands."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from fastapi import Depends, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from chassis.errors import Forbidden, Unauthenticated, rule
from chassis.settings import Settings

ALGORITHMS = ["EdDSA", "Ed25519", "ES256", "RS256"]

TOKEN_MISSING = rule("token_missing", vi="Cần mã truy cập (Authorization: Bearer …).", en="A bearer token is needed.")
TOKEN_INVALID = rule(
    "token_invalid", vi="Mã truy cập không hợp lệ hoặc đã hết hạn.", en="The token does not hold: {reason}."
)
SCOPE_MISSING = rule("scope_missing", vi="Mã truy cập thiếu quyền {scope}.", en="The token lacks the scope {scope}.")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="chitieu"'}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, with which scopes, for which units ("26491", "75" = all its communes, "*" = everywhere)."""

    client_id: str
    subject: str
    scopes: frozenset[str]
    admin_units: frozenset[str]
    is_anonymous: bool = False
    names_client: bool = True

    @property
    def announced_as(self) -> str | None:
        """The client as events name it; None where the token names its subject only, who may be a person."""
        return self.client_id if self.names_client else None

    def covers(self, code: str, province_code: str | None) -> bool:
        """Whether the caller may act for a unit: named itself, by its province, or everywhere."""
        return bool(self.admin_units & {"*", code, province_code})

    @property
    def unit_codes(self) -> list[str]:
        """The units as a sorted list, for SQL."""
        return sorted(self.admin_units)


ANONYMOUS = Caller("anonymous", "anonymous", frozenset(), frozenset(), is_anonymous=True)


def _no_good(reason: str) -> Unauthenticated:
    """A token that does not hold; why is said to programs and in English, for the words are those of libraries."""
    return Unauthenticated(TOKEN_INVALID, reason=reason, headers=_CHALLENGE, members={"reason": reason})


class Verifier:
    """Checks tokens against public keys from a file or URL, read again when they grow old."""

    def __init__(self, settings: Settings, keys: KeySet | None = None) -> None:
        self._settings = settings
        self._keys = keys
        self._read_at = time.monotonic() if keys else float("-inf")
        self._lock = asyncio.Lock()
        self._claims = jwt.JWTClaimsRegistry(
            leeway=5,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def verify(self, token: str) -> Caller:
        """The caller a token speaks for.

        Raises:
            Unauthenticated: unsigned, forged, expired, not yet valid, or for another audience ("token_invalid").
        """
        keys = await self._current_keys()
        try:
            decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
            self._claims.validate(decoded.claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            reason = getattr(error, "error", None) or type(error).__name__
            raise _no_good(reason) from error
        return self._caller(decoded.claims)

    def _caller(self, claims: dict[str, Any]) -> Caller:
        if claims.get("demo") and not self._settings.is_demo:
            raise _no_good("demo token in production")
        units = claims.get("admin_units", [])
        scope = claims.get("scope", "")
        if not isinstance(scope, str) or not isinstance(units, list) or not all(isinstance(u, str) for u in units):
            raise _no_good("malformed claims")
        subject = str(claims["sub"])
        client_id = claims.get("client_id")
        return Caller(
            str(client_id or subject),
            subject,
            frozenset(scope.split()),
            frozenset(units),
            names_client=bool(client_id),
        )

    async def _current_keys(self) -> KeySet:
        age = time.monotonic() - self._read_at
        if self._keys is None or age > self._settings.jwks_refresh_seconds:
            async with self._lock:
                if time.monotonic() - self._read_at > self._settings.jwks_refresh_seconds:
                    await self._read_keys()
        if self._keys is None:
            raise _no_good("no verification keys")
        return self._keys

    async def _read_keys(self) -> None:
        self._read_at = time.monotonic()
        if self._settings.jwks_file:
            self._keys = KeySet.import_key_set(_read_jwks(self._settings.jwks_file))
        elif self._settings.jwks_url:
            self._keys = KeySet.import_key_set(await _fetch_jwks(self._settings.jwks_url))


def _read_jwks(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


async def _fetch_jwks(url: str) -> Any:
    async with httpx2.AsyncClient(timeout=5) as client:
        response = await client.get(url)
        response.raise_for_status()
        return response.json()


async def identify(request: Request) -> Caller:
    """The caller of a request: the token's, or anonymous where public reading is on.

    Raises:
        Unauthenticated: no token where one is needed ("token_missing"), or one that does not hold.
    """
    known: Caller | None = getattr(request.state, "caller", None)
    if known is not None:
        return known
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        caller = ANONYMOUS
    elif not token.strip():
        raise _no_good("empty")
    elif scheme.lower() != "bearer":
        raise _no_good("scheme is not Bearer")
    else:
        verifier: Verifier = request.app.state.house.verifier
        caller = await verifier.verify(token.strip())
    request.state.caller = caller
    return caller


async def identify_again(request: Request) -> None:
    """Check once more that a token holds, for who is answered for long.

    Raises:
        Unauthenticated: it has expired meanwhile, or its key was withdrawn ("token_invalid").
    """
    request.state.caller = None
    await identify(request)


@dataclass(frozen=True, slots=True)
class Need:
    """What a route demands; the architecture test reads it from the route's dependencies."""

    scope: str
    is_public: bool

    async def __call__(self, request: Request) -> Caller:
        """Let the caller in, or say what is missing."""
        caller = await identify(request)
        if caller.is_anonymous:
            if self.is_public and request.app.state.house.settings.public_read:
                return caller
            raise Unauthenticated(TOKEN_MISSING, headers=_CHALLENGE)
        if self.scope not in caller.scopes:
            raise Forbidden(SCOPE_MISSING, scope=self.scope)
        return caller


def needs(scope: str, *, public: bool = False) -> Any:
    """A dependency that lets in callers with a scope; with `public`, anonymous readers of public rows too."""
    return Depends(Need(scope, public))
