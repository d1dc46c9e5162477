"""Tokens that do not hold: nobody gets in, nobody is told why beyond need, and nothing is written."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from tests.bad_input.refusals import BUDGET, READS, WRITES, refused
from tests.house import EVERY_SCOPE, House

CLAIMS = {
    "iss": "chitieu",
    "aud": "chitieu",
    "sub": "intruder",
    "scope": EVERY_SCOPE,
    "admin_units": ["*"],
}


def b64(content: Any) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(key: OKPKey, *, alg: str = "Ed25519", kid: str | None = None, **claims: Any) -> str:
    now = int(time.time())
    header = {"alg": alg, "kid": kid or key.kid}
    return jwt.encode(header, {**CLAIMS, "iat": now, "nbf": now, "exp": now + 600, **claims}, key, algorithms=[alg])


def forged(key: OKPKey) -> str:
    """Signed by somebody else's key under our key's name."""
    stranger = OKPKey.generate_key("Ed25519", private=True)
    return signed(stranger, kid=key.kid)


def unsigned(_key: OKPKey, alg: str = "none") -> str:
    return f"{b64({'alg': alg, 'typ': 'JWT'})}.{b64({**CLAIMS, 'exp': int(time.time()) + 600})}."


def symmetric(key: OKPKey) -> str:
    """Signed with our public key as a shared secret: the classic confusion of algorithms."""
    public = json.dumps(key.as_dict(private=False)).encode()
    secret = OctKey.import_key(public)
    claims = {**CLAIMS, "exp": int(time.time()) + 600}
    return jwt.encode({"alg": "HS256", "kid": key.kid}, claims, secret, algorithms=["HS256"])


def with_other_payload(key: OKPKey) -> str:
    """A valid signature under claims that were widened afterwards."""
    header, _, signature = signed(key, scope="budget:read", admin_units=[]).split(".")
    return f"{header}.{b64({**CLAIMS, 'exp': int(time.time()) + 600})}.{signature}"


TOKENS = {
    "expired": lambda key: signed(key, exp=int(time.time()) - 60, nbf=0),
    "not yet valid": lambda key: signed(key, nbf=int(time.time()) + 600),
    "without an end": lambda key: signed(key, exp=None),
    "for another audience": lambda key: signed(key, aud="somebody-else"),
    "of another issuer": lambda key: signed(key, iss="somebody-else"),
    "without a subject": lambda key: signed(key, sub=None),
    "forged": forged,
    "under an unknown key": lambda key: signed(OKPKey.generate_key("Ed25519", private=True), kid="unknown"),
    "none algorithm": unsigned,
    "NONE algorithm": lambda key: unsigned(key, "NONE"),
    "symmetric": symmetric,
    "widened": with_other_payload,
    "scopes as a list": lambda key: signed(key, scope=EVERY_SCOPE.split()),
    "units as a text": lambda key: signed(key, admin_units="*"),
    "units as numbers": lambda key: signed(key, admin_units=[25345]),
    "cut off": lambda key: signed(key)[:-5],
    "two parts": lambda key: signed(key).rsplit(".", 1)[0],
    "not a token": lambda key: "abc",
    "not base64": lambda key: "!!!.???.***",
    "a number": lambda key: f"{b64(1)}.{b64(2)}.{b64(b'3')}",
    "very long": lambda key: "a" * 6000,
}


@pytest.mark.parametrize("make", TOKENS.values(), ids=TOKENS.keys())
async def test_a_token_that_does_not_hold_is_refused(five_plans: House, signing_key: OKPKey, make: Any) -> None:
    headers = {"Authorization": f"Bearer {make(signing_key)}"}
    await refused(five_plans, "PUT", BUDGET, status=401, code="token_invalid", headers=headers, json={"lines": []})
    response = await five_plans.client.get(BUDGET, headers=headers)
    assert response.status_code == 401, "a bad token is not an anonymous caller"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        ("Bearer", "empty"),
        ("Basic dXNlcjpwYXNz", "scheme is not Bearer"),
        ("Bearer a.b.c", "decode_error"),
    ],
)
async def test_why_a_token_does_not_hold_is_said_to_programs_and_in_english(
    five_plans: House, authorization: str, reason: str
) -> None:
    headers = {"Authorization": authorization}
    vi, en = await refused(
        five_plans, "PUT", BUDGET, status=401, code="token_invalid", headers=headers, json={"lines": []}
    )
    assert (vi["detail"], vi["reason"]) == ("Mã truy cập không hợp lệ hoặc đã hết hạn.", reason)
    assert (en["detail"], en["reason"]) == (f"The token does not hold: {reason}.", reason)


@pytest.mark.parametrize("scheme", ["Basic dXNlcjpwYXNz", "Digest abc", "bearer-token abc"])
async def test_other_schemes_are_refused(five_plans: House, scheme: str) -> None:
    headers = {"Authorization": scheme}
    await refused(five_plans, "PUT", BUDGET, status=401, code="token_invalid", headers=headers, json={"lines": []})


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_nobody_writes_without_a_token(five_plans: House, method: str, path: str) -> None:
    headers = {"Authorization": ""}
    await refused(five_plans, method, path, status=401, code="token_missing", headers=headers, json={})


@pytest.mark.parametrize("path", READS)
async def test_an_expired_token_reads_nothing(five_plans: House, signing_key: OKPKey, path: str) -> None:
    token = signed(signing_key, exp=int(time.time()) - 60, nbf=0)
    response = await five_plans.client.get(path, headers={"Authorization": f"Bearer {token}"})
    assert (response.status_code, response.json()["code"]) == (401, "token_invalid")


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_a_readers_token_writes_nothing(five_plans: House, method: str, path: str) -> None:
    scopes = "plans:read indicators:read budget:read changes:read audit:read"
    vi, en = await refused(
        five_plans, method, path, status=403, code="scope_missing", headers=five_plans.headers(scopes), json={}
    )
    assert ":write" in vi["detail"]
    assert ":write" in en["detail"]
