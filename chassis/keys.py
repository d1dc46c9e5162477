"""The local signing key: for machines without an SSO, for demo tokens, and for the house's own followers."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, OKPKey

from chassis.settings import Settings

KEY_NAME = "signing-key.json"
WEBHOOK_KEY_NAME = "webhook-key.json"


def key_path(settings: Settings) -> Path:
    """Where the private key lies: the setting, else the data folder."""
    return settings.signing_key_file or settings.data_dir / KEY_NAME


def ensure_key(settings: Settings) -> OKPKey:
    """Read the private key, making it (readable by its owner only) where there is none."""
    path = key_path(settings)
    if not path.exists():
        make_key(path)
    return read_key(path)


def make_key(path: Path) -> None:
    """Make a private key at a path, readable by its owner only; where there is one, it stays."""
    made = OKPKey.generate_key("Ed25519", private=True)
    made.ensure_kid()
    write_once(path, made.as_dict(private=True))


def write_once(path: Path, document: Mapping[str, object]) -> None:
    """Write a file that its owner only may read; where there is one, it stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        with contextlib.suppress(FileExistsError):
            os.link(file.name, path)  # two processes that start at once have the same key, and never half of one


def ensure_webhook_key(settings: Settings) -> Path:
    """Where the key lies that seals webhooks' secrets: the setting, else the data folder, where it is made."""
    if settings.webhook_key_file is not None:
        return settings.webhook_key_file
    path = settings.data_dir / WEBHOOK_KEY_NAME
    if not path.exists():
        key = OctKey.generate_key(256, private=True)
        key.ensure_kid()
        write_once(path, key.as_dict(private=True))
    return path


def read_key(path: Path) -> OKPKey:
    """Read a private key from a JWK file."""
    return OKPKey.import_key(json.loads(path.read_text(encoding="utf-8")))


def public_keys(key: OKPKey) -> KeySet:
    """The public half as the key set that services verify with."""
    return KeySet([OKPKey.import_key(key.as_dict(private=False))])


class Signer:
    """Issues short-lived tokens from the local key."""

    def __init__(self, key: OKPKey, settings: Settings) -> None:
        self._key = key
        self._settings = settings

    def mint(
        self,
        subject: str,
        scopes: Iterable[str],
        admin_units: Iterable[str],
        *,
        seconds: int = 3600,
        is_demo: bool = False,
    ) -> str:
        """A token for `subject` with scopes for units, that ends after so many seconds."""
        issued = int(time.time())
        claims: dict[str, object] = {
            "iss": self._settings.issuer,
            "aud": self._settings.audience,
            "sub": subject,
            "client_id": subject,
            "iat": issued,
            "nbf": issued,
            "exp": issued + seconds,
            "scope": " ".join(sorted(scopes)),
            "admin_units": sorted(admin_units),
        }
        if is_demo:
            claims["demo"] = True
        header = {"alg": "Ed25519", "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=["Ed25519"])
