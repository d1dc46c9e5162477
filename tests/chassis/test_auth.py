"""Who gets in: signed, current, for us, with the scope; nobody else, and nothing is written."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey

from chassis.auth import Caller
from chassis.keys import Signer, ensure_key
from chassis.settings import Settings
from tests.chassis.conftest import Desk

NOTE = {"subject": "a", "text": "b"}


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    sound = {
        "iss": "chitieu",
        "aud": "chitieu",
        "sub": "tester",
        "iat": now,
        "nbf": now,
        "exp": now + 60,
        "scope": "plans:write",
        "admin_units": ["*"],
    }
    return {name: value for name, value in {**sound, **changes}.items() if value is not None}


async def post(desk: Desk, token: str) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
    return await desk.client.post("/v1/plans/notes", json=NOTE, headers=headers)


def sign(key: Any, alg: str = "Ed25519", **changes: Any) -> str:
    return jwt.encode({"alg": alg}, claims(**changes), key, algorithms=[alg])


BAD = {
    "expired": {"exp": 1_000_000_000},
    "not yet valid": {"nbf": 4_000_000_000},
    "another issuer": {"iss": "elsewhere"},
    "another audience": {"aud": "elsewhere"},
    "no end": {"exp": None},
    "nobody": {"sub": None},
    "scopes as a list": {"scope": ["plans:write"]},
    "units as text": {"admin_units": "*"},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
async def test_claims_that_do_not_hold(desk: Desk, signing_key: OKPKey, changes: dict[str, Any]) -> None:
    before = await desk.whole.rows("plans")
    response = await post(desk, sign(signing_key, **changes))
    assert (response.status_code, response.json()["code"]) == (401, "token_invalid")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert await desk.whole.rows("plans") == before


async def test_forged_none_and_foreign_algorithms(desk: Desk, signing_key: OKPKey) -> None:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    unsigned = f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims())}."
    public = OctKey.import_key(signing_key.as_dict(private=False)["x"])
    sound = sign(signing_key)
    tampered = f"{sound.split('.')[0]}.{part(claims(admin_units=['*'], sub='root'))}.{sound.split('.')[2]}"
    forged = {
        "none": unsigned,
        "another key": sign(OKPKey.generate_key("Ed25519", private=True)),
        "another kind of key": sign(ECKey.generate_key("P-256", private=True), "ES256"),
        "public key as secret": sign(public, "HS256"),
        "tampered": tampered,
        "not a token": "abc",
    }
    before = await desk.whole.rows("plans")
    for name, token in forged.items():
        response = await post(desk, token)
        assert (response.status_code, response.json()["code"]) == (401, "token_invalid"), name
    assert await desk.whole.rows("plans") == before
    assert (await post(desk, sound)).status_code == 201


async def test_a_missing_token_and_a_missing_scope_are_named(desk: Desk) -> None:
    anonymous = await desk.client.post("/v1/plans/notes", json=NOTE, headers={"Idempotency-Key": "k"})
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "token_missing")
    headers = {**desk.whole.headers("plans:read"), "Idempotency-Key": "k"}
    short = await desk.client.post("/v1/plans/notes", json=NOTE, headers=headers)
    assert (short.status_code, short.json()["code"]) == (403, "scope_missing")
    assert "plans:write" in short.json()["detail"]
    basic = await desk.client.get("/v1/plans/notes/a", headers={"Authorization": "Basic YTpi"})
    assert (basic.status_code, basic.json()["code"]) == (401, "token_invalid")


async def test_nobody_unknown_makes_us_read_a_body_or_wait(desk: Desk) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(10):
            read += 1
            yield b" " * 1000

    headers = {"Content-Type": "application/json", "X-Min-Version": "x"}
    response = await desk.client.post("/v1/plans/notes", content=body(), headers=headers)
    assert (response.status_code, response.json()["code"], read) == (401, "token_missing", 0)
    empty = await desk.client.get("/v1/plans/notes/a", headers={"Authorization": "Bearer "})
    assert (empty.status_code, empty.json()["code"]) == (401, "token_invalid")


async def test_public_reading_is_a_switch(desk: Desk) -> None:
    assert (await desk.client.get("/v1/plans/notes/a")).status_code == 200
    desk.house.settings = desk.house.settings.model_copy(update={"public_read": False})
    closed = await desk.client.get("/v1/plans/notes/a")
    assert (closed.status_code, closed.json()["code"]) == (401, "token_missing")


@pytest.mark.parametrize(
    ("changes", "client_id", "announced"),
    [
        ({"client_id": "ioc-75"}, "ioc-75", "ioc-75"),
        ({"client_id": "tester"}, "tester", "tester"),
        ({}, "tester", None),
        ({"client_id": ""}, "tester", None),
    ],
)
async def test_events_name_a_client_never_a_subject(
    desk: Desk, signing_key: OKPKey, changes: dict[str, str], client_id: str, announced: str | None
) -> None:
    caller = await desk.house.verifier.verify(sign(signing_key, **changes))
    assert (caller.client_id, caller.subject, caller.announced_as) == (client_id, "tester", announced)


async def test_production_refuses_demo_tokens(desk: Desk, signing_key: OKPKey) -> None:
    token = Signer(signing_key, desk.house.settings).mint("demo", ["plans:write"], ["*"], is_demo=True)
    assert (await post(desk, token)).status_code == 201
    production = desk.house.settings.model_copy(update={"environment": "production"})
    desk.house.verifier._settings = production
    refused = await post(desk, token)
    assert (refused.status_code, refused.json()["code"]) == (401, "token_invalid")


def test_a_caller_covers_its_units() -> None:
    commune = Caller("c", "c", frozenset(), frozenset({"26491"}))
    province = Caller("c", "c", frozenset(), frozenset({"75"}))
    everywhere = Caller("c", "c", frozenset(), frozenset({"*"}))
    assert [c.covers("26491", "75") for c in (commune, province, everywhere)] == [True, True, True]
    assert [c.covers("25378", "75") for c in (commune, province, everywhere)] == [False, True, True]
    assert [c.covers("14161", "37") for c in (commune, province, everywhere)] == [False, False, True]
    assert not Caller("c", "c", frozenset(), frozenset()).covers("01", None)


def test_the_local_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Any) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    made = ensure_key(settings)
    path = tmp_path / "data" / "signing-key.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert ensure_key(settings).as_dict() == made.as_dict()
