"""Signatures by Standard Webhooks 1.0, and the secrets they are made with: sealed in the database, shown once."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey
from standardwebhooks import Webhook

from chassis.errors import Refused, Unavailable
from chassis.keys import ensure_webhook_key
from chassis.settings import Settings
from chassis.webhooks.rules import KEY_MISSING, SECRET_INVALID

if TYPE_CHECKING:
    from chassis.webhooks.letters import Letter

PREFIX = "whsec_"
SECRET_BYTES, FEWEST_BYTES, MOST_BYTES = 32, 24, 64
_ALGORITHMS = ["dir", "A256GCM"]


class SealBroken(Exception):
    """A sealed secret that none of our keys opens."""


def make_secret() -> str:
    """A new secret, as it is shown to its receiver."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def check_secret(given: str) -> str:
    """A secret that its receiver chose.

    Raises:
        Refused: it is not of the standard's form ("webhook_secret_invalid").
    """
    with contextlib.suppress(binascii.Error, ValueError):
        key = base64.b64decode(given.removeprefix(PREFIX), validate=True)
        if given.startswith(PREFIX) and FEWEST_BYTES <= len(key) <= MOST_BYTES:
            return given
    raise Refused(SECRET_INVALID)


def signed_headers(letter: Letter, keys: Sequence[Webhook], now: datetime) -> dict[str, str]:
    """The headers of one try: the id stays over all tries, the moment and signatures are this one's."""
    name = str(letter.event_id)
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(key.sign(name, now, letter.body) for key in keys),
    }


class Sealer:
    """Seals secrets by a key that the database does not hold (JWE, AES-256-GCM), each for its own webhook.

    The file holds one key, or a set: the first seals, all open.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def keys(self) -> KeySet:
        """The keys, read or made when first needed.

        Raises:
            Unavailable: there is none, and none can be made ("webhook_key_missing").
        """
        try:
            return _read(ensure_webhook_key(self._settings))
        except (OSError, ValueError, JoseError, KeyError) as error:
            raise Unavailable(KEY_MISSING) from error

    def seal(self, secret: str, webhook_id: UUID) -> str:
        """A secret as the database keeps it."""
        key = self.keys.keys[0]
        header = {"alg": "dir", "enc": "A256GCM", "kid": key.kid}
        return jwe.encrypt_compact(header, json.dumps([str(webhook_id), secret]), key, algorithms=_ALGORITHMS)

    def open(self, sealed: str, webhook_id: UUID) -> str:
        """A secret as it was.

        Raises:
            SealBroken: sealed by a key we do not have, for another webhook, or changed since.
        """
        try:
            opened = jwe.decrypt_compact(sealed, self.keys, algorithms=_ALGORITHMS)
            owner, secret = json.loads(opened.plaintext or b"")
        except (JoseError, ValueError) as error:
            raise SealBroken from error
        if owner != str(webhook_id):
            raise SealBroken
        return str(secret)


def _read(path: Path) -> KeySet:
    found = json.loads(path.read_text(encoding="utf-8"))
    keys = KeySet([OctKey.import_key(each) for each in found.get("keys", [found])])
    if not keys.keys:
        raise ValueError(f"{path} holds no key")
    for key in keys:
        key.ensure_kid()
    return keys
