"""Large posts: sent in pieces, run in one transaction, seen only by those they concern."""

from __future__ import annotations

import gzip
import hashlib
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from chassis.receipts import read_keys, verify_receipt
from services.indicators.schemas.imports import ImportBody
from services.indicators.service import imports as service
from tests.house import House, open_house
from tests.indicators.given import ACTUALS, items, row
from tests.indicators.importing import (
    IMPORTS,
    PARTIAL,
    acted,
    counted,
    key,
    lines,
    look,
    opened,
    queued,
    run,
    run_import,
    send,
    table,
)
from tests.indicators.runners import THREE


async def test_rows_sent_in_pieces_are_in_once_the_import_is_run(stocked: House) -> None:
    content = gzip.compress(lines(*THREE))
    made = await opened(stocked, content_encoding="gzip", name="quy-3.ndjson.gz", size_bytes=len(content))
    assert (made["state"], made["received_bytes"], made["result"]) == ("receiving", 0, None)
    import_id = made["import_id"]
    for start in range(0, len(content), 40):
        piece = content[start : start + 40]
        response = await send(stocked, import_id, piece, start, is_last=start + 40 >= len(content))
        assert (response.status_code, response.headers["Upload-Offset"]) == (204, str(start + len(piece)))
    assert (await look(stocked, import_id))["state"] == "queued"
    assert await items(stocked, ACTUALS) == []

    assert await run(stocked) == 1

    done = await look(stocked, import_id)
    assert done["state"] == "done"
    assert counted(done["result"]) == {"received": 3, "created": 3}
    assert done["result"]["import_id"] == import_id
    assert done["sha256"] == hashlib.sha256(content).hexdigest()
    assert len(await items(stocked, ACTUALS)) == 3
    assert (await stocked.rows("indicators"))["import_chunk"] == 0


async def test_head_says_what_is_held(stocked: House) -> None:
    content = lines(*THREE)
    import_id = (await opened(stocked))["import_id"]
    await send(stocked, import_id, content[:50], 0, is_last=False)
    held = await stocked.client.head(f"{IMPORTS}/{import_id}", headers=stocked.admin)
    assert (held.headers["Upload-Offset"], held.headers["Upload-Complete"], held.content) == ("50", "?0", b"")
    await send(stocked, import_id, content[50:], 50, is_last=True)
    held = await stocked.client.head(f"{IMPORTS}/{import_id}", headers=stocked.admin)
    assert (held.headers["Upload-Offset"], held.headers["Upload-Complete"]) == (str(len(content)), "?1")


async def test_a_piece_from_elsewhere_is_refused_with_the_place_to_go_on(stocked: House) -> None:
    content = lines(*THREE)
    import_id = (await opened(stocked))["import_id"]
    await send(stocked, import_id, content[:50], 0, is_last=False)
    for offset in (0, 49, 51):
        response = await send(stocked, import_id, content[offset:], offset, is_last=True)
        assert (response.status_code, response.json()["code"]) == (409, "upload_offset_mismatch")
        assert response.headers["Upload-Offset"] == "50"
    await send(stocked, import_id, content[50:], 50, is_last=True)
    assert await run(stocked) == 1
    assert counted((await look(stocked, import_id))["result"]) == {"received": 3, "created": 3}


async def test_what_came_of_a_piece_before_the_sender_left_is_kept(stocked: House) -> None:
    content = lines(*THREE)
    import_id = (await opened(stocked))["import_id"]
    messages = iter(
        [
            {"type": "http.request", "body": content[:30], "more_body": True},
            {"type": "http.request", "body": content[30:70], "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> dict[str, object]:
        return dict(next(messages))

    async def send_nowhere(_message: object) -> None:
        return None

    told = {"Content-Type": PARTIAL, "Upload-Offset": "0", "Upload-Complete": "?1"}
    sent = {**stocked.admin, **told}
    scope = {
        "type": "http", "method": "PATCH", "path": f"{IMPORTS}/{import_id}", "raw_path": b"", "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()], "http_version": "1.1",
        "scheme": "http", "server": ("door", 80), "client": ("here", 1), "root_path": "",
    }  # fmt: skip
    await stocked.composition.door(scope, receive, send_nowhere)

    found = await look(stocked, import_id)
    assert (found["state"], found["received_bytes"]) == ("receiving", 70)
    await send(stocked, import_id, content[70:], 70, is_last=True)
    assert await run(stocked) == 1
    assert (await look(stocked, import_id))["state"] == "done"


async def test_more_or_less_than_declared_is_refused(stocked: House) -> None:
    content = lines(*THREE)
    import_id = (await opened(stocked, size_bytes=len(content)))["import_id"]
    response = await send(stocked, import_id, content + b"\n", 0, is_last=True)
    assert (response.status_code, response.json()["code"]) == (422, "upload_too_long")
    response = await send(stocked, import_id, content[:-1], 0, is_last=True)
    assert (response.status_code, response.json()["code"]) == (422, "upload_incomplete")
    assert response.headers["Upload-Offset"] == "0"
    empty = (await opened(stocked))["import_id"]
    response = await send(stocked, empty, b"", 0, is_last=True)
    assert (response.status_code, response.json()["code"]) == (422, "upload_empty")


async def test_nothing_is_added_to_what_has_been_sent(stocked: House) -> None:
    import_id = await queued(stocked, lines(*THREE))
    response = await send(stocked, import_id, b"{}\n", 0, is_last=True)
    assert (response.status_code, response.json()["code"]) == (409, "import_not_receiving")
    assert response.headers["Upload-Complete"] == "?1"


async def test_bytes_changed_on_the_way_are_refused(stocked: House) -> None:
    found = await run_import(stocked, lines(*THREE), sha256=hashlib.sha256(b"other").hexdigest())
    assert (found["state"], found["problem"]["code"], found["problem"]["status"]) == ("refused", "sha256_mismatch", 422)
    assert await items(stocked, ACTUALS) == []
    sound = await run_import(stocked, lines(*THREE), sha256=hashlib.sha256(lines(*THREE)).hexdigest().upper())
    assert sound["state"] == "done"


async def test_what_cannot_be_read_is_refused(stocked: House) -> None:
    broken = await run_import(stocked, gzip.compress(lines(*THREE))[:-9], content_encoding="gzip")
    assert (broken["state"], broken["problem"]["code"]) == ("refused", "content_encoding_broken")
    unknown = await run_import(stocked, b"a,b\n1,2\n", content_type="text/csv")
    assert unknown["state"] == "refused"


@pytest.mark.parametrize("kind", ["image/png", "text/csv; charset=koi8-r", "text/tab-separated-values; charset="])
async def test_what_will_not_be_read_is_refused_before_its_bytes_come(stocked: House, kind: str) -> None:
    asked = {"content_type": kind}
    response = await stocked.client.post(IMPORTS, json=asked, headers={**stocked.admin, **key()})
    assert (response.status_code, response.json()["code"]) == (415, "media_unsupported")


async def test_a_dry_run_says_the_same_and_keeps_no_figure(stocked: House) -> None:
    found = await run_import(stocked, lines(*THREE), dry_run=True)
    assert (found["state"], found["dry_run"], found["result"]["import_id"]) == ("done", True, None)
    assert counted(found["result"]) == {"received": 3, "created": 3}
    assert (found["result"]["write_token"], found["result"]["receipt"]) == (None, None)
    assert await items(stocked, ACTUALS) == []


async def test_files_of_other_forms_are_read(stocked: House) -> None:
    found = await run_import(stocked, table(THREE), content_type="text/csv")
    assert counted(found["result"]) == {"received": 3, "created": 3}
    again = await run_import(stocked, table(THREE), content_type="text/csv; charset=utf-8")
    assert counted(again["result"]) == {"received": 3, "unchanged": 3}


async def test_the_same_request_twice_opens_one_import(stocked: House) -> None:
    sent = {**stocked.admin, **key()}
    asked = {"content_type": "text/csv"}
    first = await stocked.client.post(IMPORTS, json=asked, headers=sent)
    second = await stocked.client.post(IMPORTS, json=asked, headers=sent)
    assert second.json() == first.json()
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (await stocked.rows("indicators"))["import"] == 1


async def test_an_import_has_the_rights_its_sender_had(stocked: House) -> None:
    own = stocked.headers("actuals:write indicators:read", ["26491"], client_id="dai-phuoc")
    found = await run_import(stocked, lines(*THREE), own, mode="partial")
    assert counted(found["result"]) == {"received": 3, "created": 2, "refused": 1}
    assert [each["code"] for each in found["result"]["errors"]] == ["unit_not_covered"]


async def test_an_import_is_seen_by_its_client_and_by_who_acts_for_its_units(stocked: House) -> None:
    own = stocked.headers("actuals:write indicators:read", ["26491"], client_id="dai-phuoc")
    found = await run_import(stocked, lines(row()), own)
    path = f"{IMPORTS}/{found['import_id']}"
    seen = {
        "another commune": stocked.headers("actuals:write", ["26434"], client_id="xuan-thanh"),
        "the same commune": stocked.headers("actuals:write", ["26491"], client_id="other"),
        "its province": stocked.headers("actuals:write", ["75"], client_id="dong-nai"),
        "another province": stocked.headers("actuals:write", ["37"], client_id="ninh-binh"),
    }
    answered = {who: (await stocked.client.get(path, headers=headers)).status_code for who, headers in seen.items()}
    assert answered == {"another commune": 404, "the same commune": 200, "its province": 200, "another province": 404}


async def test_while_it_waits_an_import_is_seen_by_its_client_alone(stocked: House) -> None:
    own = stocked.headers("actuals:write", ["26491"], client_id="dai-phuoc")
    import_id = await queued(stocked, lines(row()), own)
    other = stocked.headers("actuals:write", ["26491"], client_id="other")
    assert (await send(stocked, import_id, b"x", 0, is_last=False, headers=other)).status_code == 404
    for path in ("", "/errors", "/progress"):
        response = await stocked.client.get(f"{IMPORTS}/{import_id}{path}", headers=other)
        assert (response.status_code, response.json()["code"]) == (404, "import_unknown")
    assert (await acted(stocked, import_id, "cancel", headers=other)).status_code == 404
    assert (await acted(stocked, import_id, "revert", {"reason": "x"}, headers=other)).status_code == 404


async def test_a_clients_imports_are_listed(stocked: House) -> None:
    own = stocked.headers("actuals:write indicators:read", ["26491"], client_id="dai-phuoc")
    done = await run_import(stocked, lines(row()), own, name="a.ndjson")
    waiting = await queued(stocked, lines(row()), own)
    await opened(stocked)
    listed = await items(stocked, IMPORTS, own)
    assert [(each["import_id"], each["state"]) for each in listed] == [
        (done["import_id"], "done"),
        (waiting, "queued"),
    ]
    assert listed[0]["counts"] == {**dict.fromkeys(listed[0]["counts"], 0), "received": 1, "created": 1}
    assert listed[0]["progress"] == done["progress"]
    assert [each["import_id"] for each in await items(stocked, IMPORTS, own, state="queued")] == [waiting]
    first = await stocked.client.get(IMPORTS, headers=own, params={"limit": 1})
    second = await stocked.client.get(IMPORTS, headers=own, params={"limit": 1, "cursor": first.json()["next"]})
    assert [each["import_id"] for each in second.json()["items"]] == [waiting]


async def test_a_client_may_have_twenty_imports_open(stocked: House) -> None:
    for _ in range(20):
        await opened(stocked)
    asked = {"content_type": "text/csv"}
    response = await stocked.client.post(IMPORTS, json=asked, headers={**stocked.admin, **key()})
    assert (response.status_code, response.json()["code"]) == (429, "imports_too_many")


async def test_a_post_made_at_once_is_found_by_its_id(stocked: House) -> None:
    answered = await stocked.client.post(ACTUALS, json=[row()], headers=stocked.admin)
    posted = answered.json()
    found = await look(stocked, posted["import_id"])
    assert (found["state"], found["expires_at"], found["content_type"]) == ("done", None, None)
    assert counted(found["result"]) == {"received": 1, "created": 1}
    assert found["result"]["errors"] is None
    errors = await stocked.client.get(f"{IMPORTS}/{posted['import_id']}/errors", headers=stocked.admin)
    assert (errors.status_code, errors.json()["code"]) == (404, "import_errors_not_kept")


@pytest.mark.parametrize("size", [10, 100, 10_000], ids=["many pieces", "a few pieces", "one piece"])
async def test_a_body_sent_at_once_becomes_an_import(stocked: House, size: int) -> None:
    settings = stocked.settings.model_copy(update={"max_import_piece_bytes": size})
    asked = ImportBody(content_type="application/x-ndjson")
    async with stocked.database("indicators").write() as db:
        import_id = await service.accept(db, stocked.caller(), asked, lines(*THREE), settings)
    assert await run(stocked) == 1
    assert counted((await look(stocked, str(import_id)))["result"]) == {"received": 3, "created": 3}


@pytest.mark.parametrize("offset", ["-1", "x", ""])
async def test_an_offset_that_is_none_is_refused(stocked: House, offset: str) -> None:
    import_id = (await opened(stocked))["import_id"]
    sent = {**stocked.admin, "Content-Type": PARTIAL, "Upload-Offset": offset}
    response = await stocked.client.patch(f"{IMPORTS}/{import_id}", content=b"{}", headers=sent)
    assert (response.status_code, response.json()["code"]) == (422, "body_invalid")


async def test_a_piece_says_what_it_is(stocked: House) -> None:
    import_id = (await opened(stocked))["import_id"]
    for told in ({"Content-Type": "text/csv"}, {"Content-Type": PARTIAL, "Content-Encoding": "gzip"}):
        sent = {**stocked.admin, "Upload-Offset": "0", **told}
        response = await stocked.client.patch(f"{IMPORTS}/{import_id}", content=b"{}", headers=sent)
        assert (response.status_code, response.json()["code"]) == (415, "media_unsupported")


async def test_pieces_and_imports_have_limits(admin_url: str, signing_key: OKPKey, stocked_template: str) -> None:
    limits = {"max_import_piece_bytes": 100, "max_import_bytes": 250, "max_import_rows": 2}
    async with open_house(admin_url, signing_key, template=stocked_template, **limits) as house:
        import_id = (await opened(house))["import_id"]
        for size, offset, status in ((101, 0, 413), (100, 0, 204), (100, 100, 204), (51, 200, 413), (50, 200, 204)):
            response = await send(house, import_id, b"x" * size, offset, is_last=False)
            assert response.status_code == status
        asked = {"content_type": "text/csv", "size_bytes": 251}
        response = await house.client.post(IMPORTS, json=asked, headers={**house.admin, **key()})
        assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
        short = [{"commune": "26491", "period": "2026-Q3"}] * 3
        content = gzip.compress(lines(*short))
        found = await run_import(house, content, content_encoding="gzip")
        assert (found["state"], found["problem"]["code"], found["problem"]["status"]) == (
            "refused",
            "rows_too_many",
            413,
        )


async def test_a_bomb_is_noticed_while_it_is_unpacked(
    admin_url: str, signing_key: OKPKey, stocked_template: str
) -> None:
    limits = {"max_import_bytes": 100_000}
    async with open_house(admin_url, signing_key, template=stocked_template, **limits) as house:
        content = gzip.compress(b"\n" * 50_000_000)
        assert len(content) < 100_000
        found = await run_import(house, content, content_encoding="gzip")
        assert (found["state"], found["problem"]["code"]) == ("refused", "unpacked_too_large")


async def respond_async(house: House, content: bytes, headers: dict[str, str] | None = None, **params: str) -> Any:
    """A post that is answered before it is done."""
    told = {"Content-Type": "application/x-ndjson", "Prefer": "respond-async, wait=10", "Accept-Language": "en"}
    return await house.client.post(
        ACTUALS, content=content, headers={**house.admin, **told, **(headers or {})}, params=params
    )


async def test_a_post_may_be_answered_before_it_is_done(stocked: House) -> None:
    content = gzip.compress(lines(*THREE, row(period="2026-13")))
    response = await respond_async(stocked, content, {"Content-Encoding": "gzip"}, mode="partial")
    made = response.json()
    assert (response.status_code, made["state"], made["mode"]) == (202, "queued", "partial")
    assert response.headers["Location"] == f"{IMPORTS}/{made['import_id']}"
    assert response.headers["Preference-Applied"] == "respond-async"
    assert await items(stocked, ACTUALS) == []
    assert await run(stocked) == 1
    found = await look(stocked, made["import_id"])
    assert counted(found["result"]) == {"received": 4, "created": 3, "refused": 1}
    assert found["sha256"] == hashlib.sha256(content).hexdigest()


async def test_a_post_for_later_has_one_effect_under_its_key(stocked: House) -> None:
    sent = key()
    first = await respond_async(stocked, lines(*THREE), sent)
    again = await respond_async(stocked, lines(*THREE), sent)
    assert (again.status_code, again.json()["import_id"]) == (202, first.json()["import_id"])
    other = await respond_async(stocked, lines(row()), sent)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert (await stocked.rows("indicators"))["import"] == 1


async def test_a_dry_run_for_later_is_an_import_that_keeps_no_figure(stocked: House) -> None:
    response = await respond_async(stocked, lines(*THREE), dry_run="true")
    assert (response.status_code, response.json()["dry_run"]) == (202, True)
    assert await run(stocked) == 1
    found = await look(stocked, response.json()["import_id"])
    assert (found["state"], counted(found["result"])) == ("done", {"received": 3, "created": 3})
    assert await items(stocked, ACTUALS) == []


async def test_what_cannot_be_read_later_is_refused_now(stocked: House) -> None:
    for told in (
        {"Content-Type": "image/png"},
        {"Content-Type": "text/csv; charset=koi8-r"},
        {"Content-Encoding": "br"},
    ):
        response = await respond_async(stocked, lines(*THREE), told)
        assert (response.status_code, response.json()["code"]) == (415, "media_unsupported")
    empty = await respond_async(stocked, b"")
    assert (empty.status_code, empty.json()["code"]) == (422, "upload_empty")
    assert (await stocked.rows("indicators"))["import"] == 0


async def test_who_opens_and_cancels_an_import_is_audited(stocked: House) -> None:
    import_id = (await opened(stocked, name="a.ndjson"))["import_id"]
    await acted(stocked, import_id, "cancel")
    audited = await items(stocked, "/v1/indicators/audit", subject=import_id)
    assert [(each["action"], each["client_id"]) for each in audited] == [
        ("import.opened", "tester"),
        ("import.cancelled", "tester"),
    ]
    assert audited[0]["new"]["name"] == "a.ndjson"


async def test_an_import_is_receipted_for_the_bytes_as_they_were_sent(stocked: House) -> None:
    content = gzip.compress(lines(*THREE))
    found = await run_import(stocked, content, content_encoding="gzip")
    keys = read_keys((await stocked.client.get("/v1/indicators/receipt-keys", headers=stocked.admin)).json())
    receipt = verify_receipt(found["result"]["receipt"], keys)
    assert (str(receipt.import_id), receipt.sha256) == (found["import_id"], hashlib.sha256(content).hexdigest())
    assert (receipt.counts["created"], receipt.cursor) == (3, found["result"]["write_token"])


async def test_rows_of_a_form_that_were_not_filled_in_are_left_out_when_asked(stocked: House) -> None:
    rows = [row(value=50), row(admin_unit="26434", value=None)]
    refused = await run_import(stocked, table(rows), content_type="text/csv")
    assert (refused["state"], refused["on_blank"]) == ("refused", "refuse")
    found = await run_import(stocked, table(rows), content_type="text/csv", on_blank="skip")
    assert (found["on_blank"], found["result"]["left_blank"]) == ("skip", 1)
    assert counted(found["result"]) == {"received": 1, "created": 1}
    later = await respond_async(stocked, table(rows), {"Content-Type": "text/csv"}, on_blank="skip")
    assert later.json()["on_blank"] == "skip"
