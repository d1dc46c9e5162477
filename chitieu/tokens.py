"""Tokens from the local key: for the operator, for machines without an SSO, and the four demo callers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from joserfc.jwk import OKPKey

from chassis.keys import Signer, ensure_key, key_path, read_key
from chassis.settings import Settings
from chitieu.troubles import Trouble

READING = ("plans:read", "indicators:read", "budget:read", "changes:read")
WRITING = ("plans:write", "targets:write", "actuals:write", "budget:write")
WEBHOOKS = ("webhooks:read", "webhooks:write")
EVERY_SCOPE = (*READING, *WRITING, *WEBHOOKS, "admin_units:write", "catalogue:write", "audit:read")
DEMO_SECONDS = 30 * 24 * 3600
OPERATOR_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True)
class DemoCaller:
    """Somebody the demo has a token for, with a request to try."""

    title: str
    client_id: str
    scopes: Sequence[str]
    admin_units: Sequence[str]
    curl: str


DEMO_CALLERS = (
    DemoCaller(
        "Provincial IOC, reads Đồng Nai (75)",
        "demo-ioc-75",
        READING,
        ["75"],
        "curl -H 'Authorization: Bearer {token}' '{url}/v1/indicators/scorecards?province=75&year=2026'",
    ),
    DemoCaller(
        "Commune writer, Đại Phước (26491)",
        "demo-writer-26491",
        (*READING, *WRITING),
        ["26491"],
        "curl -X POST -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \\\n"
        "    -d '{body}' '{url}/v1/indicators/actuals'",
    ),
    DemoCaller(
        "Provincial approver, Đồng Nai (75)",
        "demo-approver-75",
        (*READING, *WRITING, "audit:read"),
        ["75"],
        "curl -H 'Authorization: Bearer {token}' '{url}/v1/plans/missing?province=75&year=2026'",
    ),
    DemoCaller(
        "Administrator (*)",
        "demo-admin",
        EVERY_SCOPE,
        ["*"],
        "curl -H 'Authorization: Bearer {token}' '{url}/v1/plans/audit?limit=5'",
    ),
)


def verification_key(settings: Settings) -> OKPKey | None:
    """The local signing key; None where keys come from a key set or an SSO and there is no local one.

    Raises:
        Trouble: there is nothing to verify tokens with.
    """
    path = key_path(settings)
    if path.exists():
        return read_key(path)
    if settings.jwks_file is None and settings.jwks_url is None:
        raise Trouble(
            f"There are no keys to verify tokens with: set CHITIEU_JWKS_FILE or CHITIEU_JWKS_URL, "
            f"or make a local key ({path}) with `chitieu keys`."
        )
    return None


def operator_headers(settings: Settings) -> Mapping[str, str]:
    """The Authorization header of who holds the local key: everything, everywhere, for a quarter of an hour.

    Raises:
        Trouble: there is no local key.
    """
    path = key_path(settings)
    if not path.exists():
        raise Trouble(f"A token is needed (--token or CHITIEU_TOKEN): there is no local key at {path}.")
    token = Signer(read_key(path), settings).mint("operator", EVERY_SCOPE, ["*"], seconds=OPERATOR_SECONDS)
    return {"Authorization": f"Bearer {token}"}


def demo_token(signer: Signer, caller: DemoCaller) -> str:
    """A token that production refuses."""
    return signer.mint(caller.client_id, caller.scopes, caller.admin_units, seconds=DEMO_SECONDS, is_demo=True)


def local_signer(settings: Settings) -> Signer:
    """The signer of the local key, which is made when there is none."""
    return Signer(ensure_key(settings), settings)
