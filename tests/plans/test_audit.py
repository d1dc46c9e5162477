"""What the audit tells of writes: what was said before and is said now, found by who answers for the unit."""

from __future__ import annotations

from typing import Any

from chassis.audit import MAX_BYTES
from tests.house import House
from tests.plans.calls import act, get, put_plan, writer
from tests.plans.factories import AMENDMENT, PLAN_KEY, make_plan, make_province, make_task, make_unit


async def noted(house: House, *units: str, **params: Any) -> list[dict[str, Any]]:
    """The audit as an auditor of some units reads it."""
    found = await get(house, "/audit", house.headers("audit:read", units), limit=1000, **params)
    return list(found["items"])


def told(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(each["action"], each["subject"], each["province"], each["commune"]) for each in rows]


async def put_units(house: House, *units: dict[str, Any], **params: Any) -> None:
    response = await house.client.put(
        "/v1/plans/admin-units", json={"admin_units": list(units)}, params=params, headers=house.admin
    )
    assert response.status_code == 200, response.text


async def test_a_provinces_auditor_sees_what_was_done_to_its_communes(house: House) -> None:
    other = make_province(code="37", name_vi="Ninh Bình", name_en="Ninh Binh")
    await put_units(house, make_province(), other, make_unit(), make_unit(code="14161", province_code="37"))
    await put_units(house, make_unit(name_vi="Đại Phước Mới"))
    seen = await noted(house, "75")
    assert told(seen) == [
        ("admin_units.put", "75", "75", None),
        ("admin_units.put", "26491", "75", "26491"),
        ("admin_units.put", "26491", "75", "26491"),
    ]
    assert (seen[1]["old"], seen[1]["new"][0]["name_vi"]) == (None, "Đại Phước")
    assert (seen[2]["old"][0]["name_vi"], seen[2]["new"][0]["name_vi"]) == ("Đại Phước", "Đại Phước Mới")
    assert told(await noted(house, "14161")) == [("admin_units.put", "14161", "37", "14161")]


async def test_a_removed_unit_is_noted_with_what_it_was(house: House) -> None:
    await put_units(house, make_province(), make_unit())
    await put_units(house, make_province(), prune="true")
    last = (await noted(house, "26491"))[-1]
    assert (last["subject"], last["province"], last["old"][0]["code"], last["new"]) == ("26491", "75", "26491", None)


async def test_offices_are_noted_with_what_they_said(units: House) -> None:
    own = {"slug": "to-cds", "name_vi": "Tổ chuyển đổi số", "name_en": "Team", "level": "commune"}
    path, before = "/v1/plans/offices/25378", len(await noted(units, "75", subject="25378"))
    for name in ("Tổ chuyển đổi số", "Tổ CĐS"):
        body = {"offices": [{**own, "name_vi": name}]}
        assert (await units.client.put(path, json=body, headers=units.admin)).status_code == 200
    first, second = (await noted(units, "75", subject="25378"))[before:]
    assert told([first, second]) == [("offices.put", "25378", "75", "25378")] * 2
    assert (first["old"], first["new"]["to-cds"]["name_vi"]) == ({"to-cds": None}, "Tổ chuyển đổi số")
    assert (second["old"]["to-cds"]["name_vi"], second["new"]["to-cds"]["name_vi"]) == ("Tổ chuyển đổi số", "Tổ CĐS")


async def test_a_plan_is_noted_with_the_values_that_changed(units: House) -> None:
    await put_plan(units, headers=writer(units))
    changed = make_plan(title_en="Other", tasks=[make_task(title_vi="Việc khác")], recipients=[])
    await put_plan(units, changed, headers=writer(units), prune="true")
    first, second = await noted(units, "75", subject=PLAN_KEY)
    assert told([second]) == [("plan.record", PLAN_KEY, "75", "25378")]
    assert first["old"] is None
    assert first["new"]["header"]["document_number"] == "5/KH-UBND"
    assert first["new"]["tasks"]["III.1"]["title_vi"] == "Nâng cấp mạng nội bộ"
    assert second["old"]["header"] == {"title_en": make_plan()["title_en"]}
    assert second["new"]["header"] == {"title_en": "Other"}
    titles = [side["tasks"]["III.1"]["title_vi"] for side in (second["old"], second["new"])]
    assert titles == ["Nâng cấp mạng nội bộ", "Việc khác"]
    assert (sorted(second["old"]["recipients"]), second["new"]["recipients"]) == (["NN1", "NN2"], {})
    assert set(second["new"]) == {"reason", "header", "tasks", "recipients"}


async def test_an_amendment_is_noted_with_its_reason_and_values(units: House) -> None:
    await put_plan(units)
    await act(units, "issue")
    await act(units, "amend", {"amendment": AMENDMENT, "plan": make_plan(title_en="Second")})
    last = (await noted(units, "75", subject=PLAN_KEY))[-1]
    assert (last["action"], last["new"]["reason"]) == ("plan.amend", AMENDMENT["reason_vi"])
    assert (last["old"]["header"]["revision"], last["new"]["header"]["revision"]) == (1, 2)
    assert last["new"]["header"]["title_en"] == "Second"


async def test_very_much_is_noted_by_its_keys(units: House) -> None:
    tasks = [make_task(key=f"T{number}", note="việc " * 600) for number in range(100)]
    assert (await put_plan(units, make_plan(tasks=tasks))).status_code == 200
    [row] = await noted(units, "75", subject=PLAN_KEY)
    assert row["new"]["is_shortened"] is True
    assert row["new"]["tasks"] == sorted(each["key"] for each in tasks)
    assert len(str(row["new"])) < MAX_BYTES
