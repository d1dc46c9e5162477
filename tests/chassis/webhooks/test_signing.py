"""Signatures are the standard's, secrets are sealed for one webhook, and keys can be changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from joserfc.jwk import OctKey
from standardwebhooks import Webhook, WebhookVerificationError

from chassis import clock
from chassis.errors import Refused, Unavailable
from chassis.keys import WEBHOOK_KEY_NAME
from chassis.settings import Settings
from chassis.webhooks.letters import Letter, Office
from chassis.webhooks.signing import SealBroken, Sealer, check_secret, make_secret, signed_headers

ONE, OTHER = UUID(int=1), UUID(int=2)
LETTER = Office("plans", None).ping(ONE, OTHER)


def sealer(folder: Path, **settings: object) -> Sealer:
    return Sealer(Settings(data_dir=folder, **settings))  # type: ignore[arg-type]


def test_a_signature_is_the_one_the_standard_shows() -> None:
    """The example of the standard's own libraries: the id there is no UUID, and the body is theirs."""
    letter = Letter("msg_p5jXN8AQM9LWM0D4loKWxJek", "", "", '{"test": 2432232314}')  # type: ignore[arg-type]
    at = datetime.fromtimestamp(1614265330, UTC)
    assert signed_headers(letter, [Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")], at) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_secrets_are_changed_either_of_them_verifies_and_no_third() -> None:
    new, old, third = make_secret(), make_secret(), make_secret()
    headers = signed_headers(LETTER, [Webhook(new), Webhook(old)], clock.now())
    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (new, old):
        assert Webhook(secret).verify(LETTER.body, headers) == json.loads(LETTER.body)
    with pytest.raises(WebhookVerificationError):
        Webhook(third).verify(LETTER.body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(LETTER.body + " ", headers)


def test_secrets_have_the_standards_form() -> None:
    made = make_secret()
    assert check_secret(made) == made
    assert len({make_secret() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "given",
    [
        "",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_" + "QUFB" * 22,
        "QUFB" * 8,
        "whsec_" + "QU!B" * 8,
        "whsec_" + "QUFB" * 7 + "Ã",
    ],
)
def test_a_secret_of_another_form_is_refused(given: str) -> None:
    with pytest.raises(Refused):
        check_secret(given)


def test_a_sealed_secret_opens_for_its_own_webhook_only(tmp_path: Path) -> None:
    secret = make_secret()
    sealed = sealer(tmp_path).seal(secret, ONE)
    assert secret not in sealed
    assert sealer(tmp_path).seal(secret, ONE) != sealed
    assert sealer(tmp_path).open(sealed, ONE) == secret
    for broken, owner in ((sealed, OTHER), (sealed[:-4] + "AAAA", ONE), ("", ONE), ("a.b.c.d.e", ONE)):
        with pytest.raises(SealBroken):
            sealer(tmp_path).open(broken, owner)


def test_the_key_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    assert sealer(tmp_path).keys.keys[0].kid == sealer(tmp_path).keys.keys[0].kid
    assert (tmp_path / WEBHOOK_KEY_NAME).stat().st_mode & 0o777 == 0o600


def test_a_new_key_seals_and_the_one_before_still_opens(tmp_path: Path) -> None:
    before = OctKey.generate_key(256).as_dict(private=True)
    after = OctKey.generate_key(256).as_dict(private=True)
    old, new, both = (tmp_path / name for name in ("old.json", "new.json", "both.json"))
    old.write_text(json.dumps(before))
    new.write_text(json.dumps(after))
    both.write_text(json.dumps({"keys": [after, before]}))
    by_old, by_both = sealer(tmp_path, webhook_key_file=old), sealer(tmp_path, webhook_key_file=both)
    assert by_both.open(by_old.seal("s", ONE), ONE) == "s"
    assert sealer(tmp_path, webhook_key_file=new).open(by_both.seal("s", ONE), ONE) == "s"
    with pytest.raises(SealBroken):
        by_old.open(by_both.seal("s", ONE), ONE)


@pytest.mark.parametrize("content", [None, "", "{}", '{"keys": []}', '{"kty": "OKP"}'])
def test_without_a_key_nothing_is_sealed(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(Unavailable):
        sealer(tmp_path, webhook_key_file=path).seal("s", ONE)
