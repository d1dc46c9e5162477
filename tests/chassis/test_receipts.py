"""Receipts: signed by the service, verified by its published keys, never taken for tokens."""

from __future__ import annotations

import json
import stat
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from joserfc.jwk import KeySet, OKPKey

from chassis.auth import Verifier
from chassis.errors import Unauthenticated
from chassis.keys import Signer, ensure_key, public_keys
from chassis.receipts import (
    Facts,
    KeyUnknown,
    ReceiptInvalid,
    Receipts,
    read_keys,
    sign_receipt,
    verify_receipt,
)
from chassis.settings import Settings
from tests.chassis.conftest import Desk

COUNTS = {"received": 3, "created": 1, "updated": 1, "unchanged": 1, "stale": 0, "duplicates": 0, "refused": 0}
AT = datetime(2026, 11, 22, 3, 4, 5, 678, tzinfo=UTC)
FACTS = Facts(UUID("019ab000-0000-7000-8000-000000000001"), b"\x01" * 32, COUNTS, "cursor-7", AT)


def receipts(folder: Path, **settings: object) -> Receipts:
    return Receipts(Settings(data_dir=folder / "data", **settings), "indicators")  # type: ignore[arg-type]


def keys_of(made: Receipts) -> KeySet:
    return read_keys(json.loads(json.dumps(made.public())))


def test_a_receipt_says_what_was_signed(tmp_path: Path) -> None:
    made = receipts(tmp_path)
    found = verify_receipt(made.sign(FACTS), keys_of(made))
    assert (found.issuer, found.service, found.import_id, found.sha256) == (
        "chitieu", "indicators", FACTS.import_id, "01" * 32,
    )  # fmt: skip
    assert (found.counts, found.cursor, found.at) == (COUNTS, "cursor-7", AT)


def test_nothing_written_is_a_receipt_without_import(tmp_path: Path) -> None:
    made = receipts(tmp_path)
    found = verify_receipt(made.sign(Facts(None, "ab" * 32, COUNTS, None)), keys_of(made))
    assert (found.import_id, found.sha256, found.cursor) == (None, "ab" * 32, None)


def test_a_changed_receipt_does_not_hold(tmp_path: Path) -> None:
    made = receipts(tmp_path)
    head, _, sign = made.sign(FACTS).split(".")
    other = made.sign(Facts(None, b"\x02" * 32, COUNTS, None)).split(".")[1]
    with pytest.raises(ReceiptInvalid, match="signature does not hold"):
        verify_receipt(f"{head}.{other}.{sign}", keys_of(made))


@pytest.mark.parametrize("text", ["", "a.b.c", "no receipt", "é", "e30.e30.e30"])
def test_what_is_no_receipt_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ReceiptInvalid):
        verify_receipt(text, keys_of(receipts(tmp_path)))


def test_a_receipt_of_other_keys_is_told_apart(tmp_path: Path) -> None:
    here, there = receipts(tmp_path / "here"), receipts(tmp_path / "there")
    with pytest.raises(KeyUnknown):
        verify_receipt(here.sign(FACTS), keys_of(there))


def test_an_unsigned_receipt_is_refused(tmp_path: Path) -> None:
    made = receipts(tmp_path)
    kid = made.keys.keys[0].kid
    head, body = (
        urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "none", "kid": kid, "typ": "chitieu-receipt+jwt"}, {"iss": "chitieu"})
    )
    with pytest.raises(ReceiptInvalid):
        verify_receipt(f"{head}.{body}.", keys_of(made))


async def test_neither_is_taken_for_the_other(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    key = ensure_key(settings)
    made = Receipts(settings, "indicators", key)
    with pytest.raises(Unauthenticated):
        await Verifier(settings, public_keys(key)).verify(made.sign(FACTS))
    with pytest.raises(ReceiptInvalid, match="not as a receipt"):
        verify_receipt(Signer(key, settings).mint("x", ["plans:read"], ["*"]), keys_of(made))


def test_the_local_key_signs_where_there_is_one_else_a_key_for_receipts_alone(tmp_path: Path) -> None:
    made = receipts(tmp_path)
    made.sign(FACTS)
    path = tmp_path / "data" / "receipt-key.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys_of(receipts(tmp_path)).keys[0].kid == keys_of(made).keys[0].kid
    local = ensure_key(Settings(data_dir=tmp_path / "data"))
    assert keys_of(receipts(tmp_path)).keys[0].kid == local.kid


def test_the_first_key_of_a_set_signs_and_all_verify(tmp_path: Path) -> None:
    old, new = (OKPKey.generate_key("Ed25519", private=True) for _ in range(2))
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(KeySet([old]).as_dict(private=True)))
    before = receipts(tmp_path, receipt_key_file=path).sign(FACTS)
    path.write_text(json.dumps({"keys": [new.as_dict(private=True), old.as_dict(private=False)]}))
    made = receipts(tmp_path, receipt_key_file=path)
    after = made.sign(FACTS)
    for receipt, key in ((before, old), (after, new)):
        assert verify_receipt(receipt, keys_of(made)).key_id == key.thumbprint()
    assert "d" not in {name for key in made.public()["keys"] for name in key}


def test_a_key_file_without_a_private_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(OKPKey.generate_key("Ed25519", private=True).as_dict(private=False)))
    with pytest.raises(ValueError, match="no private key"):
        receipts(tmp_path, receipt_key_file=path).sign(FACTS)


async def test_every_service_publishes_its_keys(desk: Desk, tmp_path: Path) -> None:
    desk.house.receipts = Receipts(Settings(data_dir=tmp_path), "plans")
    answer = await desk.client.get("/v1/plans/receipt-keys")
    receipt = sign_receipt(desk.house, FACTS)
    assert verify_receipt(receipt, read_keys(answer.json())).service == "plans"
    assert [sorted(key) for key in answer.json()["keys"]] == [["alg", "crv", "kid", "kty", "use", "x"]]
