"""Owners manage their webhooks; secrets are shown once; whoever else asks sees nothing."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from chassis.feed import encode_position
from chassis.webhooks.signing import make_secret
from tests.chassis.conftest import NOTE_TYPE
from tests.chassis.webhooks.conftest import SCOPES, Desk
from tests.chassis.webhooks.receiver import status

Made = dict[str, Any]
ACTS = ("pause", "resume", "rotate", "test")


async def test_a_webhook_is_made_and_read(desk: Desk) -> None:
    response = await desk.call(
        "POST",
        "",
        json={
            "url": "https://IOC.example.vn:443/hook",
            "types": [NOTE_TYPE],
            "province": ["75"],
            "commune": ["26491"],
            "ordering": "none",
            "description": "IOC Đồng Nai",
        },
    )
    made = response.json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"/v1/plans/webhooks/{made['id']}"
    assert made["secret"].startswith("whsec_")
    found = await desk.call("GET", f"/{made['id']}")
    assert found.headers["ETag"].startswith('"v1-')
    assert "secret" not in found.json()
    assert {**found.json(), "created_at": "", "changed_at": "", "id": ""} == {
        "id": "",
        "url": "https://ioc.example.vn/hook",
        "types": [NOTE_TYPE],
        "province": ["75"],
        "commune": ["26491"],
        "ordering": "none",
        "description": "IOC Đồng Nai",
        "state": "pending",
        "paused_because": None,
        "client_id": "ioc",
        "admin_units": ["*"],
        "version": 1,
        "created_at": "",
        "changed_at": "",
        "activated_at": None,
        "old_secret_until": None,
        "failing_since": None,
        "behind_events": 0,
        "held_keys": 0,
        "replays": 0,
    }
    assert (await desk.call("GET", "")).json()["items"] == [found.json()]


async def test_a_retry_gets_the_same_webhook_and_secret_and_nothing_stored_tells_it(desk: Desk) -> None:
    key, body = uuid.uuid4().hex, {"url": desk.receiver.url}
    first = await desk.call("POST", "", key=key, json=body)
    again = await desk.call("POST", "", key=key, json=body)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.json() == first.json()
    secret = first.json()["secret"]
    tables = ("webhook", "idempotency_key", "audit")
    kept = [str(row) for table in tables for row in await desk.rows(f"SELECT t.*, t::text FROM {table} t")]
    assert kept
    assert not [row for row in kept if secret in row or secret.removeprefix("whsec_")[:16] in row]

    await desk.execute("UPDATE webhook SET secret_made_at = clock_timestamp() - interval '11 minutes'")
    assert (await desk.call("POST", "", key=key, json=body)).json()["secret"] is None
    await desk.execute("UPDATE webhook SET secret_made_at = clock_timestamp(), secret = 'sealed by a key that is gone'")
    assert (await desk.call("POST", "", key=key, json=body)).json()["secret"] is None
    assert (await desk.call("POST", "", json=body)).json()["id"] != first.json()["id"]


async def test_an_own_secret_is_taken(desk: Desk) -> None:
    secret = make_secret()
    assert (await desk.subscribe(secret=secret))["secret"] == secret
    await desk.step()
    assert desk.receiver.challenges[0].verified(secret)


async def test_what_is_wrong_is_refused_and_nothing_is_written(desk: Desk) -> None:
    url = {"url": "https://a.example/"}
    for body, code in (
        ({}, "field_missing"),
        ({"url": "http://10.0.0.1/"}, "webhook_url_host_refused"),
        ({"url": "https://u:p@a.example/"}, "webhook_url_has_credentials"),
        ({**url, "types": ["nonsense"]}, "event_type_unknown"),
        ({**url, "province": ["7"]}, "field_invalid"),
        ({**url, "commune": ["264910"]}, "field_invalid"),
        ({**url, "commune": ["２６４９１"]}, "field_invalid"),
        ({**url, "ordering": "some"}, "field_invalid"),
        ({**url, "secret": "whsec_kurz"}, "webhook_secret_invalid"),
        ({**url, "after": "nonsense"}, "feed_cursor_invalid"),
        ({**url, "header": "x"}, "field_unknown"),
    ):
        response = await desk.call("POST", "", json=body)
        problem = response.json()
        assert response.status_code == 422
        assert [each["code"] for each in problem.get("errors", [problem])] == [code]
    assert await desk.rows("SELECT count(*) FROM webhook") == [(0,)]


async def test_a_cursor_beyond_the_log_is_gone(desk: Desk) -> None:
    for cursor in (encode_position("1.5"), encode_position("2.0")):
        response = await desk.call("POST", "", json={"url": desk.receiver.url, "after": cursor})
        assert (response.status_code, response.json()["code"]) == (410, "feed_rewound")


@pytest.mark.parametrize("first", [3, 4], ids=["its beginning", "all of it"])
async def test_a_cursor_the_log_no_longer_reaches_is_gone(desk: Desk, first: int) -> None:
    await desk.write("a", "b", "c")
    await desk.delete_log_before(first)
    body = {"url": desk.receiver.url, "after": encode_position("1.1")}
    response = await desk.call("POST", "", json=body)
    assert (response.status_code, response.json()["code"]) == (410, "cursor_expired")
    feed = await desk.client.get("/v1/plans/changes", params={"after": body["after"]}, headers=desk.headers())
    told = ("code", "oldest", "archives", "lists")
    assert {name: response.json()[name] for name in told} == {name: feed.json()[name] for name in told}
    made = await desk.call("POST", "", json={**body, "after": response.json()["oldest"]})
    assert made.status_code == 201


async def test_production_takes_https_only(desk: Desk) -> None:
    desk.house.settings = desk.house.settings.model_copy(update={"environment": "production"})
    response = await desk.call("POST", "", json={"url": desk.receiver.url})
    assert response.json()["code"] == "webhook_url_insecure"


async def test_who_may_do_what(desk: Desk) -> None:
    made = await desk.subscribe(headers=desk.headers(["75"], client_id="mine"))
    mine, other, operator = (desk.headers(u, client_id=c) for u, c in ((["75"], "mine"), (["75"], "x"), (["*"], "y")))
    path = f"/{made['id']}"
    for headers, code in ((mine, 200), (other, 404), (operator, 200)):
        assert (await desk.call("GET", path, headers=headers)).status_code == code
        assert (await desk.call("GET", f"{path}/deliveries", headers=headers)).status_code == code
        assert len((await desk.call("GET", "", headers=headers)).json()["items"]) == (code == 200)
    for act in ACTS:
        assert (await desk.call("POST", f"{path}/{act}", headers=other)).status_code == 404
    assert (await desk.call("PATCH", path, headers=other, json={})).status_code == 404
    assert (await desk.call("DELETE", path, headers=other)).status_code == 404
    assert (await desk.call("POST", f"{path}/replay", headers=other, json={"from": "x"})).status_code == 404


async def test_every_route_asks_for_its_scope(desk: Desk) -> None:
    routes = [
        ("GET", ""), ("POST", ""), ("GET", "/{id}"), ("PATCH", "/{id}"), ("DELETE", "/{id}"),
        ("GET", "/{id}/deliveries"), *(("POST", f"/{{id}}/{act}") for act in (*ACTS, "replay")),
    ]  # fmt: skip
    for method, path in routes:
        url = f"/v1/plans/webhooks{path.format(id=uuid.uuid4())}"
        scope = "webhooks:read" if method == "GET" else "webhooks:write"
        assert (await desk.client.request(method, url)).status_code == 401
        lacking = desk.headers(scopes=SCOPES.replace(scope, ""))
        response = await desk.client.request(method, url, headers=lacking)
        assert (response.status_code, response.json()["code"]) == (403, "scope_missing")


async def test_without_changes_read_it_hears_what_anybody_may_or_is_refused(desk: Desk) -> None:
    headers = desk.headers(["75"], "webhooks:write")
    assert (await desk.call("POST", "", headers=headers, json={"url": desk.receiver.url})).status_code == 201
    assert await desk.rows("SELECT admin_units FROM webhook") == [([],)]
    desk.house.settings = desk.house.settings.model_copy(update={"public_read": False})
    response = await desk.call("POST", "", headers=headers, json={"url": desk.receiver.url})
    assert (response.status_code, response.json()["code"]) == (403, "scope_missing")


async def test_a_client_has_so_many_and_no_more(desk: Desk) -> None:
    desk.house.settings = desk.house.settings.model_copy(update={"webhook_max_per_client": 2})
    for _ in range(2):
        await desk.subscribe()
    response = await desk.call("POST", "", json={"url": desk.receiver.url})
    assert (response.status_code, response.json()["code"]) == (409, "webhooks_too_many")
    await desk.subscribe(headers=desk.headers(client_id="another"))


async def test_a_change_names_the_version_it_is_of(desk: Desk, webhook: Made) -> None:
    tag = (await desk.call("GET", f"/{webhook['id']}")).headers["ETag"]
    headers = {**desk.headers(), "If-Match": tag}
    changed = await desk.call(
        "PATCH", f"/{webhook['id']}", headers=headers, json={"description": None, "types": [NOTE_TYPE]}
    )
    assert (changed.json()["types"], changed.json()["version"], changed.json()["state"]) == ([NOTE_TYPE], 3, "active")
    for method, body in (("PATCH", {"json": {}}), ("DELETE", {})):
        response = await desk.call(method, f"/{webhook['id']}", headers=headers, **body)
        assert (response.status_code, response.json()["code"]) == (412, "stale_version")
    assert (await desk.call("DELETE", f"/{webhook['id']}", headers={**headers, "If-Match": '"v3"'})).status_code == 204
    assert (await desk.call("GET", f"/{webhook['id']}")).status_code == 404
    await desk.write("a")
    await desk.step()
    assert desk.receiver.requests == []


async def test_a_new_url_has_to_answer_first(desk: Desk, webhook: Made) -> None:
    await desk.write("a")
    await desk.step()
    url = f"http://127.0.0.1:{desk.receiver.port}/new"
    desk.receiver.answer_challenge = status(500)
    changed = await desk.call("PATCH", f"/{webhook['id']}", json={"url": url})
    assert (changed.json()["state"], changed.json()["activated_at"]) == ("pending", None)
    await desk.write("b")
    await desk.step()
    assert (desk.receiver.subjects, len(desk.receiver.challenges)) == (["a"], 2)
    desk.receiver.get_well()
    await desk.call("POST", f"/{webhook['id']}/resume")
    await desk.step()
    assert (desk.receiver.subjects, len(desk.receiver.challenges)) == (["a", "b"], 3)


async def test_what_its_owner_changes_hears_what_the_owner_may_hear_now(desk: Desk) -> None:
    made = await desk.subscribe(headers=desk.headers(["*"]))
    await desk.call("PATCH", f"/{made['id']}", headers=desk.headers(["75"]), json={})
    assert (await desk.get(made))["admin_units"] == ["75"]
    operator = desk.headers(["*"], client_id="operator")
    await desk.call("PATCH", f"/{made['id']}", headers=operator, json={})
    assert (await desk.get(made))["admin_units"] == ["75"]
    rights = [
        (old["admin_units"], new["admin_units"])
        for old, new in await desk.rows("SELECT old, new FROM audit WHERE action = 'webhook.changed' ORDER BY id")
    ]
    assert rights == [(["*"], ["75"]), (["75"], ["75"])]


async def test_who_paused_it_for_a_right_taken_away_is_not_outwitted(desk: Desk) -> None:
    made = await desk.subscribe(headers=desk.headers(["*"]))
    await desk.step()
    await desk.call("POST", f"/{made['id']}/pause", headers=desk.headers(["*"], client_id="operator"))
    await desk.call("POST", f"/{made['id']}/resume", headers=desk.headers(["75"]))
    await desk.write("a", province="37", is_public=False)
    await desk.write("b", province="75", is_public=False)
    await desk.step()
    assert desk.receiver.subjects == ["b"]


async def test_while_a_secret_is_changed_both_sign(desk: Desk, webhook: Made) -> None:
    response = await desk.call("POST", f"/{webhook['id']}/rotate", params={"overlap_seconds": 60})
    rotated = response.json()
    assert rotated["secret"] != webhook["secret"]
    until = datetime.fromisoformat(rotated["old_secret_until"])
    assert timedelta(seconds=50) < until - datetime.now(UTC) <= timedelta(seconds=60)
    await desk.write("a")
    await desk.step()
    (heard,) = desk.receiver.requests
    assert heard.verified(rotated["secret"]) == heard.verified(webhook["secret"])

    desk.ahead += 61
    await desk.write("b")
    await desk.step()
    late = desk.receiver.requests[-1]
    assert late.verified(rotated["secret"])
    with pytest.raises(WebhookVerificationError):
        Webhook(webhook["secret"]).verify(late.body, dict(late.headers))


async def test_pausing_and_resuming_lose_nothing(desk: Desk, webhook: Made) -> None:
    assert (await desk.call("POST", f"/{webhook['id']}/pause")).json()["paused_because"] == "asked"
    await desk.write("a", "b")
    await desk.step()
    assert desk.receiver.requests == []
    assert (await desk.get(webhook))["behind_events"] == 2
    await desk.call("POST", f"/{webhook['id']}/resume")
    await desk.step()
    assert desk.receiver.subjects == ["a", "b"]


@pytest.mark.parametrize("state", ["active", "paused"])
async def test_a_ping_tries_the_receiver_whatever_the_state(desk: Desk, webhook: Made, state: str) -> None:
    if state == "paused":
        await desk.call("POST", f"/{webhook['id']}/pause")
    response = await desk.call("POST", f"/{webhook['id']}/test")
    assert response.status_code == 202
    await desk.step()
    await desk.step()
    (heard,) = desk.receiver.requests
    event = heard.verified(webhook["secret"])
    assert (event["id"], event["type"]) == (response.json()["event_id"], "vn.chitieu.plans.webhook.pinged.v1")
    shown = await desk.client.get(response.headers["Location"], headers=desk.headers())
    assert [item["outcome"] for item in shown.json()["items"]] == ["delivered"]
    assert (await desk.get(webhook))["state"] == state


async def test_a_ping_that_arrives_ends_the_pause_after_failures(desk: Desk, webhook: Made) -> None:
    desk.receiver.answer = status(500)
    await desk.write(*(f"k{number}" for number in range(9)))
    await desk.step()
    assert len(desk.receiver.requests) == 5
    desk.receiver.get_well()
    await desk.call("POST", f"/{webhook['id']}/test")
    await desk.step()
    assert len(desk.receiver.requests) == 5 + 1 + 9


async def test_every_act_is_in_the_audit_without_a_secret(desk: Desk, webhook: Made) -> None:
    await desk.write("a")
    await desk.step()
    for act in ACTS:
        await desk.call("POST", f"/{webhook['id']}/{act}")
    await desk.call("POST", f"/{webhook['id']}/replay", json={"from": encode_position("1.0")})
    await desk.call("PATCH", f"/{webhook['id']}", json={"description": "new"})
    await desk.call("DELETE", f"/{webhook['id']}")
    subject = f"webhook:{webhook['id']}"
    items = (await desk.client.get("/v1/plans/audit", params={"subject": subject}, headers=desk.headers())).json()[
        "items"
    ]
    assert [item["action"].removeprefix("webhook.") for item in items] == [
        "created", "paused", "resumed", "secret_rotated", "pinged", "replayed", "changed", "removed",
    ]  # fmt: skip
    assert "whsec_" not in json.dumps(items)
    assert (items[1]["old"]["state"], items[1]["new"]["state"]) == ("active", "paused")


async def test_posts_need_a_key_and_a_dry_run_keeps_nothing(desk: Desk) -> None:
    response = await desk.client.post("/v1/plans/webhooks", json={"url": desk.receiver.url}, headers=desk.headers())
    assert (response.status_code, response.json()["code"]) == (400, "idempotency_key_missing")
    response = await desk.call("POST", "", json={"url": desk.receiver.url}, params={"dry_run": "true"})
    assert response.status_code == 201
    assert await desk.rows("SELECT count(*) FROM webhook") == [(0,)]


async def test_a_list_costs_one_statement_whatever_its_length(desk: Desk) -> None:
    for number in range(5):
        await desk.subscribe(description=str(number))
    seen: list[str] = []
    stop = desk.database.listen(seen)
    try:
        items = (await desk.call("GET", "", params={"fields": "description"})).json()["items"]
    finally:
        stop()
    assert [item["description"] for item in items] == ["0", "1", "2", "3", "4"]
    assert len(seen) == 1
