"""Edits of something that moved on meanwhile: refused with both versions, nothing overwritten unseen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bad_input.refusals import BUDGET, PLAN, refused
from tests.house import House

TARGETS = f"/v1/indicators/targets/{PLAN}"
PLANS = f"/v1/plans/{PLAN}"
TAGGED = {BUDGET: {"lines": []}, TARGETS: {"targets": []}, PLANS: None}


async def content_of(house: House, path: str) -> Any:
    if path == PLANS:
        response = await house.client.get(path, headers=house.admin)
        document = response.json()
        return {name: document[name] for name in ("title_vi", "title_en", "issuing_body")}
    return TAGGED[path]


@pytest.mark.parametrize("path", list(TAGGED))
async def test_an_edit_of_a_version_that_is_gone_is_refused(five_plans: House, path: str) -> None:
    tag = (await five_plans.client.get(path, headers=five_plans.admin)).headers["ETag"]
    current = int(tag.strip('"').removeprefix("v").split("-")[0])
    content = await content_of(five_plans, path)
    vi, en = await refused(
        five_plans, "PUT", path, status=412, code="stale_version", headers={"If-Match": '"v999"'}, json=content
    )
    assert vi["detail"] == f"Bản ghi đã ở phiên bản {current}, không còn là 999; hãy đọc lại rồi sửa."
    assert en["detail"] == f"The record is at version {current}, no longer 999; read it again, then edit."
    assert current > 0


@pytest.mark.parametrize("path", list(TAGGED))
@pytest.mark.parametrize("tag", ["v1", "1", '"abc"', '"v-1"', '"v1"x', '"v1", "v2"', '"v99999999999999999999"', "ü"])
async def test_a_tag_of_another_form_never_matches(five_plans: House, path: str, tag: str) -> None:
    content = await content_of(five_plans, path)
    response = await five_plans.client.put(
        path, json=content, headers={**five_plans.admin, b"If-Match": tag.encode("latin-1")}
    )
    assert response.status_code == 412
    assert response.json()["code"] in ("if_match_invalid", "stale_version")


MISSING = "25378-2031-digital-transformation"


@pytest.mark.parametrize(
    "path", [f"/v1/plans/{MISSING}", f"/v1/indicators/targets/{MISSING}", f"/v1/budget/lines/{MISSING}"]
)
async def test_any_version_of_what_is_not_there_yet_never_matches(five_plans: House, path: str) -> None:
    content = (
        await content_of(five_plans, PLANS) if path.startswith("/v1/plans") else TAGGED[path.replace(MISSING, PLAN)]
    )
    before = {name: await five_plans.rows(name) for name in ("plans", "indicators", "budget")}
    response = await five_plans.client.put(path, json=content, headers={**five_plans.admin, "If-Match": "*"})
    assert (response.status_code, response.json()["code"]) == (412, "if_match_invalid")
    assert {name: await five_plans.rows(name) for name in before} == before
