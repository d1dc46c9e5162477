"""Tokens from the local key: what they may do, how long, and that production refuses the demo's."""

from __future__ import annotations

from pathlib import Path

import pytest
from joserfc.jwk import OKPKey
from typer.testing import CliRunner

from chassis.auth import Caller, Verifier
from chassis.errors import Unauthenticated
from chassis.keys import Signer, ensure_key, public_keys
from chassis.settings import Environment, Settings
from chitieu.cli import app
from chitieu.operating import check_scopes, read_ttl
from chitieu.tokens import DEMO_CALLERS, EVERY_SCOPE, demo_token, operator_headers, verification_key
from chitieu.troubles import Trouble


def verifier(settings: Settings, key: OKPKey) -> Verifier:
    return Verifier(settings, public_keys(key))


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("8h", 28800), ("30d", 2592000)])
def test_a_lifetime_has_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert read_ttl(text) == seconds


@pytest.mark.parametrize("text", ["", "0h", "8", "h", "-1h", "1w", "1h30m", "9999999s"])
def test_what_is_no_lifetime_is_refused(text: str) -> None:
    with pytest.raises(Trouble, match="is not a lifetime: write 90s, 15m, 8h or 30d"):
        read_ttl(text)


def test_a_misspelt_scope_gets_a_suggestion() -> None:
    with pytest.raises(Trouble) as refusal:
        check_scopes(["plans:read", "actual:write"])
    assert str(refusal.value) == "There is no scope actual:write. Did you mean actuals:write?"


async def test_the_demo_has_four_callers_with_their_own_rights(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, environment=Environment.DEMO)
    key = ensure_key(settings)
    callers = [await verifier(settings, key).verify(demo_token(Signer(key, settings), who)) for who in DEMO_CALLERS]
    assert [sorted(caller.admin_units) for caller in callers] == [["75"], ["26491"], ["75"], ["*"]]
    assert callers[0].scopes == {"plans:read", "indicators:read", "budget:read", "changes:read"}
    assert "actuals:write" in callers[1].scopes
    assert callers[3].scopes == set(EVERY_SCOPE)


async def test_production_refuses_demo_tokens(tmp_path: Path) -> None:
    key = ensure_key(Settings(data_dir=tmp_path))
    token = demo_token(Signer(key, Settings(data_dir=tmp_path)), DEMO_CALLERS[3])
    with pytest.raises(Unauthenticated):
        await verifier(Settings(data_dir=tmp_path, environment=Environment.PRODUCTION), key).verify(token)


def test_a_token_is_made_for_scopes_and_units(tmp_path: Path) -> None:
    command = ["token", "--scope", "plans:read actuals:write", "--admin-unit", "26491", "--ttl", "1h"]
    made = CliRunner().invoke(app, [*command, "--data-dir", str(tmp_path)])
    assert made.exit_code == 0
    assert made.stdout.count(".") == 2
    assert (tmp_path / "signing-key.json").exists()


def test_without_a_local_key_a_token_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"A token is needed \(--token or CHITIEU_TOKEN\)"):
        operator_headers(Settings(data_dir=tmp_path))


def test_nothing_is_served_without_keys_to_verify_with(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="There are no keys to verify tokens with"):
        verification_key(Settings(data_dir=tmp_path))


def test_a_key_set_alone_is_enough_to_serve(tmp_path: Path) -> None:
    assert verification_key(Settings(data_dir=tmp_path, jwks_url="https://sso.example/jwks")) is None


async def test_what_keys_prints_lets_other_machines_verify_our_tokens(tmp_path: Path) -> None:
    runner = CliRunner()
    folder = ["--data-dir", str(tmp_path)]
    key_set = tmp_path / "jwks.json"
    key_set.write_text(runner.invoke(app, ["keys", *folder]).stdout)
    made = runner.invoke(app, ["token", "--scope", "plans:read", "--admin-unit", "75", "--subject", "ioc", *folder])

    caller = await Verifier(Settings(jwks_file=key_set)).verify(made.stdout.strip())

    assert caller == Caller("ioc", "ioc", frozenset({"plans:read"}), frozenset({"75"}))
    assert '"d"' not in key_set.read_text()
