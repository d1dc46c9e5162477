"""An import is taken back as a whole, by an import of its own: history keeps both."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from chassis.errors import Conflict, Forbidden
from services.indicators.service import reverting
from tests.house import House
from tests.indicators.given import ACTUALS, HISTORY, items, post, row
from tests.indicators.importing import IMPORTS, acted, counted, key, lines, look, run, run_import

WHY = {"reason": "Gửi nhầm tệp"}


async def revert(house: House, import_id: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Take an import back, and look at the import that did it."""
    response = await acted(house, import_id, "revert", WHY, headers)
    assert response.status_code == 202, response.text
    made = response.json()
    assert (made["state"], made["reverts"]) == ("queued", import_id)
    assert response.headers["Location"] == f"{IMPORTS}/{made['import_id']}"
    assert await run(house) == 1
    return await look(house, made["import_id"], headers)


async def versions(house: House, **wanted: Any) -> list[tuple[int, Any, bool]]:
    """Version, value and whether it is a withdrawal, oldest first."""
    return [(each["version"], each["value"], each["is_withdrawn"]) for each in await items(house, HISTORY, **wanted)]


async def test_figures_an_import_created_are_withdrawn(stocked: House) -> None:
    done = await run_import(stocked, lines(row(), row(indicator="CASHLESS_RATE", value=70)))
    reverted = await revert(stocked, done["import_id"])
    assert (reverted["state"], counted(reverted["result"])) == ("done", {"received": 2, "updated": 2})
    assert (reverted["content_type"], reverted["result"]["warnings_total"]) == (None, 0)
    assert await items(stocked, ACTUALS) == []
    assert await versions(stocked, indicator="CASHLESS_RATE") == [(1, 70, False), (2, None, True)]
    last = (await items(stocked, HISTORY, indicator="CASHLESS_RATE"))[-1]
    assert (last["reason"], last["recorded_by"]) == ("Gửi nhầm tệp", "tester")
    assert (await look(stocked, done["import_id"]))["reverted_by"] == reverted["import_id"]


async def test_figures_an_import_changed_get_their_former_values(stocked: House) -> None:
    before = row(value=60, note="Theo báo cáo", source="Công an xã", measured_on="2026-09-01", data_status="official")
    await post(stocked, before)
    done = await run_import(stocked, lines(row(value=65, numerator=13, denominator=20, measured_on="2026-09-10")))
    assert counted(done["result"]) == {"received": 1, "updated": 1}
    await revert(stocked, done["import_id"])
    (figure,) = await items(stocked, ACTUALS)
    said = ("value", "note", "source", "measured_on", "data_status", "numerator", "version")
    assert [figure[name] for name in said] == [60, "Theo báo cáo", "Công an xã", "2026-09-01", "official", None, 3]
    assert await versions(stocked) == [(1, 60, False), (2, 65, False), (3, 60, False)]


async def test_figures_an_import_withdrew_are_there_again(stocked: House) -> None:
    await post(stocked, row(value=60))
    done = await run_import(stocked, lines(row(value=None, action="withdraw", reason="Sai")))
    await revert(stocked, done["import_id"])
    assert await versions(stocked) == [(1, 60, False), (2, None, True), (3, 60, False)]


async def test_figures_an_import_set_anew_after_a_withdrawal_are_withdrawn_again(stocked: House) -> None:
    await post(stocked, row(value=60))
    await post(stocked, row(value=None, action="withdraw", reason="Sai"))
    done = await run_import(stocked, lines(row(value=61)))
    await revert(stocked, done["import_id"])
    assert [withdrawn for _, _, withdrawn in await versions(stocked)] == [False, True, False, True]


async def test_figures_that_changed_since_are_left_and_told(stocked: House) -> None:
    done = await run_import(stocked, lines(row(), row(admin_unit="26434")))
    await post(stocked, row(value=90))
    reverted = await revert(stocked, done["import_id"])
    assert counted(reverted["result"]) == {"received": 2, "updated": 1, "stale": 1}
    assert reverted["result"]["warnings_total"] == 1
    (warning,) = reverted["result"]["warnings"]
    assert (warning["code"], warning["value"]) == ("changed_since_import", "VNEID_ACCOUNT_RATE")
    assert "26491" in warning["message"]
    assert [(each["admin_unit"], each["value"]) for each in await items(stocked, ACTUALS)] == [("26491", 90)]


async def test_an_import_is_reverted_once(stocked: House) -> None:
    done = await run_import(stocked, lines(row()))
    first = await acted(stocked, done["import_id"], "revert", WHY)
    waiting = await acted(stocked, done["import_id"], "revert", WHY)
    assert (first.status_code, waiting.status_code) == (202, 409)
    assert await run(stocked) == 1
    again = await acted(stocked, done["import_id"], "revert", WHY)
    assert (again.status_code, again.json()["code"]) == (409, "import_reverted_already")


async def test_of_two_reverts_at_once_one_is_taken(stocked: House) -> None:
    done = await run_import(stocked, lines(row()))
    answered = await asyncio.gather(*(acted(stocked, done["import_id"], "revert", WHY) for _ in range(3)))
    assert sorted(response.status_code for response in answered) == [202, 409, 409]


async def test_a_revert_that_was_cancelled_may_be_asked_for_again(stocked: House) -> None:
    done = await run_import(stocked, lines(row()))
    first = (await acted(stocked, done["import_id"], "revert", WHY)).json()["import_id"]
    assert (await acted(stocked, first, "cancel")).json()["state"] == "cancelled"
    assert (await revert(stocked, done["import_id"]))["state"] == "done"


async def test_a_post_made_at_once_is_reverted(stocked: House) -> None:
    posted = (await post(stocked, row())).json()["import_id"]
    assert counted((await revert(stocked, posted))["result"]) == {"received": 1, "updated": 1}
    assert await items(stocked, ACTUALS) == []


async def test_a_revert_is_reverted_like_any_import(stocked: House) -> None:
    done = await run_import(stocked, lines(row(value=85)))
    reverted = await revert(stocked, done["import_id"])
    await revert(stocked, reverted["import_id"])
    assert await versions(stocked) == [(1, 85, False), (2, None, True), (3, 85, False)]


async def test_what_wrote_nothing_cannot_be_reverted(stocked: House) -> None:
    await post(stocked, row())
    unchanged = await run_import(stocked, lines(row()))
    refused = await run_import(stocked, lines(row(value=1000)))
    for import_id in (unchanged["import_id"], refused["import_id"]):
        response = await acted(stocked, import_id, "revert", WHY)
        assert (response.status_code, response.json()["code"]) == (409, "nothing_to_revert")


async def test_only_who_acts_for_every_unit_may_revert(stocked: House) -> None:
    both = stocked.headers("actuals:write", ["26491", "26434"], client_id="phong")
    done = await run_import(stocked, lines(row(), row(admin_unit="26434")), both)
    one = stocked.headers("actuals:write", ["26491"], client_id="phong")
    response = await acted(stocked, done["import_id"], "revert", WHY, one)
    assert (response.status_code, response.json()["code"]) == (403, "unit_not_covered")
    other = stocked.headers("actuals:write", ["26491"], client_id="other")
    assert (await acted(stocked, done["import_id"], "revert", WHY, other)).status_code == 404
    province = stocked.headers("actuals:write", ["75"], client_id="so")
    assert (await acted(stocked, done["import_id"], "revert", WHY, province)).status_code == 202


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x", "why": "y"}])
async def test_a_revert_has_a_reason(stocked: House, body: dict[str, str]) -> None:
    done = await run_import(stocked, lines(row()))
    response = await acted(stocked, done["import_id"], "revert", body)
    assert response.status_code == 422
    bare = await stocked.client.post(f"{IMPORTS}/{done['import_id']}/revert", json=WHY, headers=stocked.admin)
    assert (bare.status_code, bare.json()["code"]) == (400, "idempotency_key_missing")


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (" \u00a0\n", "revert_reason_blank"),
        ("Gửi\u0007nhầm", "text_control_sign"),
        ("Göi nhÇm tÖp cña quý tr­íc; ®Þa ph­¬ng ®· b¸o c¸o", "text_old_font"),
        ("x" * 4001, "field_invalid"),
    ],
)
async def test_a_reason_is_held_to_the_rules_of_texts(stocked: House, reason: str, code: str) -> None:
    done = await run_import(stocked, lines(row()))
    response = await acted(stocked, done["import_id"], "revert", {"reason": reason})
    assert response.status_code == 422
    assert [(each["code"], each["pointer"]) for each in response.json()["errors"]] == [(code, "/reason")]


async def test_a_reason_is_trimmed(stocked: House) -> None:
    done = await run_import(stocked, lines(row()))
    reason = {"reason": " Gửi\u00a0nhầm tệp\n"}
    assert (await acted(stocked, done["import_id"], "revert", reason)).status_code == 202
    assert await run(stocked) == 1
    assert (await items(stocked, HISTORY))[-1]["reason"] == "Gửi nhầm tệp"


async def test_a_revert_is_announced_and_audited(stocked: House) -> None:
    await post(stocked, row(value=60))
    done = await run_import(stocked, lines(row(value=65), row(admin_unit="26434", value=50)))
    reverted = await revert(stocked, done["import_id"])
    await stocked.sequence()
    changes = await items(stocked, "/v1/indicators/changes", types="vn.chitieu.indicators.actuals.posted.v1")
    told = [each["data"] for each in changes if each["data"]["import_id"] == reverted["import_id"]]
    assert [(each["admin_unit"], each["version"]) for each in told] == [("26434", 2), ("26491", 3)]
    (change,) = told[1]["changes"]
    assert (change["action"], change["old"]["value"], change["new"]["value"], change["version"]) == ("set", 65, 60, 3)
    (change,) = told[0]["changes"]
    assert (change["action"], change["new"]) == ("withdraw", None)
    audited = await items(stocked, "/v1/indicators/audit", subject="26491")
    assert audited[-1]["action"] == "actuals.reverted"
    assert audited[-1]["new"]["reason"] == "Gửi nhầm tệp"


async def test_the_same_request_twice_reverts_once(stocked: House) -> None:
    done = await run_import(stocked, lines(row()))
    sent = {**stocked.admin, **key()}
    path = f"{IMPORTS}/{done['import_id']}/revert"
    first = await stocked.client.post(path, json=WHY, headers=sent)
    again = await stocked.client.post(path, json=WHY, headers=sent)
    assert (again.status_code, again.json()) == (202, first.json())


async def test_a_large_import_is_reverted_some_units_at_a_time(stocked: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reverting, "AT_ONCE", 2)
    codes = ("26491", "26434", "25378", "14161")
    rows = [
        row(admin_unit=code, indicator=indicator) for code in codes for indicator in ("SCHOOL_RATE", "CASHLESS_RATE")
    ]
    done = await run_import(stocked, lines(*rows, row()))
    reverted = await revert(stocked, done["import_id"])
    assert counted(reverted["result"]) == {"received": 9, "updated": 9}
    assert reverted["progress"] == {"rows_read": 9, "rows_checked": 9, "rows_written": 9}
    assert await items(stocked, ACTUALS) == []
    assert (await stocked.rows("indicators"))["posting"] == 2


async def test_rights_are_judged_again_when_a_revert_is_run(stocked: House) -> None:
    done = await run_import(stocked, lines(row()))
    asked = reverting.Revert(UUID(int=1), UUID(done["import_id"]), "x")
    for caller, refusal in ((stocked.caller(admin_units=["26434"]), Forbidden), (stocked.caller(), Conflict)):
        if refusal is Conflict:
            asked = reverting.Revert(UUID(int=1), UUID(int=2), "x")
        with pytest.raises(refusal):
            async with stocked.database("indicators").write() as db:
                await reverting.revert(db, caller, asked, nothing)


async def nothing(_progress: Any) -> None:
    """Nobody is told."""
