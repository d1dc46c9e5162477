"""Receipts: what a post recorded, signed by the service, so that its sender can show it and send again what is lost.

A receipt is a compact JWS (RFC 7515, Ed25519) of type `chitieu-receipt+jwt`; the keys that verify it stand at
`GET /v1/<service>/receipt-keys`. A handler signs one so:

    receipt = sign_receipt(request.app.state.house, Facts(
        import_id=result.import_id,      # UUID, or None where nothing was written
        sha256=digest,                   # 32 bytes or 64 hex digits: of the body as it was sent, packed or not
        counts=result.counts,            # received, created, updated, unchanged, stale, duplicates, refused
        cursor=result.write_token,
        at=result.at,                    # None: now
    ))

A dry run gets no receipt. Keys: the file named by CHITIEU_RECEIPT_KEY_FILE (one private JWK, or a set of which the
first signs and all verify: so keys are changed without making old receipts void), else the local signing key, else
`receipt-key.json` in the data folder, made where it is missing. A receipt is no token: it has neither audience nor
subject nor end, and tokens are not taken for receipts, since their type differs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import Key, KeySet, OKPKey
from pydantic import BaseModel, Field

from chassis import clock
from chassis.keys import key_path, make_key
from chassis.settings import Settings

TYPE = "chitieu-receipt+jwt"
KEY_NAME = "receipt-key.json"
COUNTS = ("received", "created", "updated", "unchanged", "stale", "duplicates", "refused")
_ALGORITHMS = ["Ed25519"]
_UNREADABLE = (JoseError, UnicodeError, KeyError, TypeError, AttributeError, json.JSONDecodeError)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a post came to."""

    import_id: UUID | None
    sha256: bytes | str
    counts: Mapping[str, int]
    cursor: str | None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt whose signature holds."""

    issuer: str
    service: str
    import_id: UUID | None
    sha256: str
    counts: Mapping[str, int]
    cursor: str | None
    at: datetime
    key_id: str


class PublicKey(BaseModel):
    """The public half of a key, as a JWK."""

    kty: str = Field(examples=["OKP"])
    crv: str = Field(examples=["Ed25519"])
    x: str
    kid: str = Field(description="Named in the header of every receipt it signed.")
    alg: str = Field(examples=["Ed25519"])
    use: str = Field(examples=["sig"])


class PublicKeys(BaseModel):
    """The keys that verify receipts (JWKS); the first signs now."""

    keys: list[PublicKey]


class ReceiptInvalid(ValueError):
    """A text that is no receipt, or not one of these keys."""


class KeyUnknown(ReceiptInvalid):
    """The key that signed the receipt is not among those given."""


class Receipts:
    """Signs the receipts of one service; its keys are read or made when first needed."""

    def __init__(self, settings: Settings, service: str, key: OKPKey | None = None) -> None:
        self._settings = settings
        self._service = service
        self._local = key

    @cached_property
    def keys(self) -> KeySet:
        """The private keys; the first signs.

        Raises:
            OSError: the key file can neither be read nor made.
            ValueError: it holds no private key.
        """
        given = self._settings.receipt_key_file
        if given is None and self._local is not None:
            return KeySet([self._local])
        path = given or self._own_path()
        if not path.exists():
            make_key(path)
        keys = _read(path)
        if not keys.keys or not keys.keys[0].is_private:
            raise ValueError(f"{path} holds no private key to sign receipts with")
        return keys

    def _own_path(self) -> Path:
        """The local signing key where there is one; else a key for receipts alone, which cannot make tokens."""
        local = key_path(self._settings)
        return local if local.exists() else self._settings.data_dir / KEY_NAME

    def public(self) -> dict[str, Any]:
        """The keys that verify receipts, as a key set."""
        return {"keys": [_public(key) for key in self.keys.keys]}

    def sign(self, facts: Facts) -> str:
        """Sign what a post came to."""
        digest = facts.sha256.hex() if isinstance(facts.sha256, bytes) else facts.sha256
        claims = {
            "iss": self._settings.issuer,
            "service": self._service,
            "import_id": str(facts.import_id) if facts.import_id else None,
            "sha256": digest,
            **{name: facts.counts[name] for name in COUNTS},
            "cursor": facts.cursor,
            "at": (facts.at or clock.now()).isoformat().replace("+00:00", "Z"),
        }
        key = self.keys.keys[0]
        header = {"alg": "Ed25519", "kid": key.kid, "typ": TYPE}
        return jws.serialize_compact(header, json.dumps(claims), key, algorithms=_ALGORITHMS)


class Signing(Protocol):
    """What signs: the house of a service."""

    receipts: Receipts


def sign_receipt(house: Signing, facts: Facts) -> str:
    """Sign what a post came to, by the service's key."""
    return house.receipts.sign(facts)


def verify_receipt(text: str, keys: KeySet) -> Receipt:
    """What a receipt says, once its signature holds.

    Raises:
        KeyUnknown: it was signed by a key that is not among these.
        ReceiptInvalid: it is no receipt, or was changed after it was signed.
    """
    try:
        header = jws.extract_compact(text.encode()).headers()
        key_id = str(header.get("kid"))
        if header.get("typ") != TYPE:
            raise ReceiptInvalid("it is signed, but not as a receipt")
        if key_id not in {key.kid for key in keys}:
            raise KeyUnknown(f"its key {key_id} is not known")
        signed = jws.deserialize_compact(text.encode(), keys.get_by_kid(key_id), algorithms=_ALGORITHMS)
        return _receipt(json.loads(signed.payload), key_id)
    except BadSignatureError as error:
        raise ReceiptInvalid("its signature does not hold") from error
    except _UNREADABLE as error:
        raise ReceiptInvalid("it cannot be read as a receipt") from error


def read_keys(document: Mapping[str, Any]) -> KeySet:
    """Public keys from the key set of `GET /v1/<service>/receipt-keys`.

    Raises:
        ReceiptInvalid: it is none.
    """
    try:
        return KeySet([OKPKey.import_key(each) for each in document["keys"]])
    except (JoseError, KeyError, TypeError, ValueError) as error:
        raise ReceiptInvalid("it is no key set") from error


def _receipt(claims: dict[str, Any], key_id: str) -> Receipt:
    return Receipt(
        issuer=claims["iss"],
        service=claims["service"],
        import_id=UUID(claims["import_id"]) if claims["import_id"] else None,
        sha256=claims["sha256"],
        counts={name: claims[name] for name in COUNTS},
        cursor=claims["cursor"],
        at=datetime.fromisoformat(claims["at"]),
        key_id=key_id,
    )


def _read(path: Path) -> KeySet:
    found = json.loads(path.read_text(encoding="utf-8"))
    try:
        return KeySet([OKPKey.import_key(each) for each in found.get("keys", [found])])
    except (JoseError, AttributeError, TypeError) as error:
        raise ValueError(f"{path} holds no key") from error


def _public(key: Key) -> dict[str, Any]:
    key.ensure_kid()
    return {**key.as_dict(private=False), "alg": "Ed25519", "use": "sig"}
