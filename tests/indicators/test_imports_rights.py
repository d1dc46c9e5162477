"""Who may do and see what of an import: those who sent it all, others its outline at most."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey
from sqlalchemy import text

from tests.house import House
from tests.indicators.given import ACTUALS, items, row
from tests.indicators.importing import IMPORTS, acted, counted, lines, look, opened, queued, run, run_import, send

BOTH = lines(row(), row(admin_unit="26434"))
# The second row is another commune's, and refused.
PARTLY = lines(row(), row(admin_unit="26434", value=101, note="chưa công bố"))
Person = Callable[..., dict[str, str]]


@pytest.fixture
def person(stocked: House, signing_key: OKPKey) -> Person:
    """Makes the header of somebody who uses the client "phong"."""

    def make(
        subject: str, *units: str, scope: str = "actuals:write indicators:read", client_id: str = "phong"
    ) -> dict[str, str]:
        now = int(time.time())
        claims = {
            "iss": stocked.settings.issuer, "aud": stocked.settings.audience, "sub": subject, "client_id": client_id,
            "iat": now, "nbf": now, "exp": now + 600, "scope": scope, "admin_units": list(units),
        }  # fmt: skip
        token = jwt.encode({"alg": "Ed25519", "kid": signing_key.kid}, claims, signing_key, algorithms=["Ed25519"])
        return {"Authorization": f"Bearer {token}"}

    return make


async def test_only_who_opened_an_import_sends_its_pieces(stocked: House, person: Person) -> None:
    import_id = (await opened(stocked, person("lan", "26491", "26434")))["import_id"]
    for other in (person("minh", "26491"), person("lan", "26491", client_id="other"), stocked.admin):
        for is_last in (False, True):
            response = await send(stocked, import_id, BOTH, 0, is_last=is_last, headers=other)
            assert (response.status_code, response.json()["code"]) == (404, "import_unknown")
    found = await look(stocked, import_id, person("lan", "26491"))
    assert (found["state"], found["received_bytes"]) == ("receiving", 0)


@pytest.mark.parametrize(
    ("before", "now", "kept", "written"),
    [
        (["26491", "26434"], ["26491"], ["26491"], ["26491"]),
        (["26491"], ["26491", "26434"], ["26491"], ["26491"]),
        (["*"], ["26434"], ["26434"], ["26434"]),
        (["26434"], ["*"], ["26434"], ["26434"]),
        (["75"], ["25378", "26491", "14161"], ["25378", "26491"], ["26491"]),
        (["26491"], ["75"], ["26491"], ["26491"]),
        (["75"], ["75"], ["75"], ["26434", "26491"]),
        (["26491"], ["26434"], [], []),
        (["26491"], [], [], []),
    ],
)
async def test_an_import_keeps_the_rights_its_sender_has_at_every_piece(
    stocked: House, person: Person, before: list[str], now: list[str], kept: list[str], written: list[str]
) -> None:
    import_id = (await opened(stocked, person("lan", *before), mode="partial"))["import_id"]
    response = await send(stocked, import_id, BOTH, 0, is_last=True, headers=person("lan", *now))
    assert response.status_code == 204
    async with stocked.database("indicators").read() as db:
        assert await db.scalar(text("SELECT admin_units FROM import")) == kept
    assert await run(stocked) == 1
    assert sorted(each["admin_unit"] for each in await items(stocked, ACTUALS)) == written


async def test_rights_lost_for_one_piece_do_not_come_back_with_the_last(stocked: House, person: Person) -> None:
    wide = person("lan", "26491", "26434", scope="actuals:write audit:read")
    import_id = (await opened(stocked, wide, mode="partial"))["import_id"]
    await send(stocked, import_id, BOTH[:20], 0, is_last=False, headers=person("lan", "26491"))
    await send(stocked, import_id, BOTH[20:], 20, is_last=True, headers=wide)
    async with stocked.database("indicators").read() as db:
        assert (await db.execute(text("SELECT scopes, admin_units FROM import"))).one() == (
            ["actuals:write"],
            ["26491"],
        )
    assert await run(stocked) == 1
    assert counted((await look(stocked, import_id, wide))["result"]) == {"received": 2, "created": 1, "refused": 1}


async def test_who_covers_what_was_written_sees_the_outline_of_an_import(stocked: House, person: Person) -> None:
    own = person("lan", "26491", "26434")
    full = await run_import(stocked, PARTLY, own, mode="partial", name="quy-3.ndjson")
    assert counted(full["result"]) == {"received": 2, "created": 1, "refused": 1}
    assert (full["name"], full["client_id"], len(full["result"]["errors"])) == ("quy-3.ndjson", "phong", 1)
    assert full["result"]["receipt"] is not None

    commune = person("dai-phuoc", "26491", client_id="dai-phuoc")
    seen = await look(stocked, full["import_id"], commune)
    hidden = dict.fromkeys(("errors", "warnings", "receipt"))
    assert seen["result"] == {**full["result"], **hidden}
    differing: dict[str, Any] = {name: seen[name] for name in full if seen[name] != full[name]}
    assert differing == {"name": None, "sha256": None, "client_id": None, "result": seen["result"]}
    colleague = await look(stocked, full["import_id"], person("minh", "26491"))
    assert colleague == seen
    assert await look(stocked, full["import_id"], stocked.admin) == full


async def test_refused_rows_are_for_who_sent_them_and_who_acts_everywhere(stocked: House, person: Person) -> None:
    own = person("lan", "26491", "26434")
    import_id = (await run_import(stocked, PARTLY, own, mode="partial"))["import_id"]
    path = f"{IMPORTS}/{import_id}/errors"
    for accept in ("application/json", "text/csv"):
        for headers, status in (
            (own, 200),
            (stocked.admin, 200),
            (person("minh", "26491", "26434"), 404),
            (person("dai-phuoc", "26491", client_id="dai-phuoc"), 404),
            (person("so", "75", client_id="dong-nai"), 404),
        ):
            response = await stocked.client.get(path, headers={**headers, "Accept": accept})
            assert response.status_code == status
            assert ("chưa công bố" in response.text) is (status == 200)


async def test_a_post_made_at_once_names_its_client_to_itself(stocked: House, person: Person) -> None:
    own = person("lan", "26491")
    posted = (await stocked.client.post(ACTUALS, json=[row()], headers=own)).json()["import_id"]
    seen = {
        who: (await look(stocked, posted, headers))["client_id"]
        for who, headers in {"own": own, "commune": person("minh", "26491"), "operator": stocked.admin}.items()
    }
    assert seen == {"own": "phong", "commune": None, "operator": "phong"}


async def test_imports_are_listed_and_cancelled_by_who_sent_them(stocked: House, person: Person) -> None:
    lan, minh, operator = person("lan", "26491"), person("minh", "26491"), person("chi", "*")
    hers, his = await queued(stocked, BOTH, lan), await queued(stocked, BOTH, minh)
    listed = {
        who: [each["import_id"] for each in await items(stocked, IMPORTS, headers)]
        for who, headers in {"lan": lan, "minh": minh, "operator": operator, "another client": stocked.admin}.items()
    }
    assert listed == {"lan": [hers], "minh": [his], "operator": [hers, his], "another client": []}
    for headers in (minh, operator):
        response = await acted(stocked, hers, "cancel", headers=headers)
        assert (response.status_code, response.json()["code"]) == (404, "import_unknown")
    assert (await acted(stocked, hers, "cancel", headers=lan)).json()["state"] == "cancelled"


@pytest.mark.parametrize(("client_id", "announced"), [("phong", "phong"), ("", None)])
async def test_an_import_is_announced_with_its_client_and_trace_never_with_a_person(
    stocked: House, person: Person, client_id: str, announced: str | None
) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers = {**person("nguyen-thi-lan", "26491", client_id=client_id), "traceparent": trace}
    assert (await run_import(stocked, lines(row()), headers))["state"] == "done"
    await stocked.sequence()
    (told,) = await items(stocked, "/v1/indicators/changes", types="vn.chitieu.indicators.actuals.posted.v1")
    assert (told["data"]["client_id"], told["traceparent"]) == (announced, trace)
    assert "nguyen-thi-lan" not in str(told)
