"""What tests of indicators start from: units and a plan as they were heard of, a small catalogue, sound rows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.indicators.service import hearing
from tests.house import House

PLAN = "26491-2026-digital-transformation-state-agencies"
TARGETS = f"/v1/indicators/targets/{PLAN}"
ACTUALS = "/v1/indicators/actuals"
HISTORY = f"{ACTUALS}/history"
WRITTEN = ("actual", "actual_revision", "posting", "outbox", "event_log", "audit", "idempotency_key")
CATALOGUE = "/v1/indicators/catalogue"
REGIMES = "/v1/indicators/regimes"
SCORECARDS = "/v1/indicators/scorecards"
UNITS = (
    ("75", "Đồng Nai", "municipality", None, "2025-07-01"),
    ("37", "Ninh Bình", "province", None, "2025-07-01"),
    ("26491", "Đại Phước", "commune", "75", "2025-07-01"),
    ("26434", "Xuân Thành", "commune", "75", "2025-07-01"),
    ("25378", "Tân Lợi", "commune", "75", "2025-07-01"),
    ("14161", "Giao Minh", "commune", "37", "2025-07-01"),
    ("99999", "Mới Lập", "commune", "75", "2027-01-01"),
)


def unit(code: str, name: str, kind: str, province: str | None, since: str, **fields: Any) -> dict[str, Any]:
    """One validity of a unit as the plans service lists it."""
    row = {"code": code, "name_vi": name, "name_en": name, "type": kind, "province_code": province}
    return {**row, "valid_from": since, "valid_to": None, "version": 1, **fields}


def header(plan_key: str = PLAN, **fields: Any) -> dict[str, Any]:
    """The header of a plan as the plans service tells it."""
    told = {
        "plan_key": plan_key,
        "plan_id": UUID(int=int(plan_key[:5])),
        "admin_unit": plan_key[:5],
        "province": "75",
        "year": 2026,
        "kind": "digital_transformation_state_agencies",
        "revision": 1,
        "status": "issued",
        "title_vi": "Kế hoạch chuyển đổi số năm 2026",
        "issued_on": "2026-03-25",
        "version": 1,
    }
    told = {**told, **fields}
    is_draft = told["status"] == "draft"
    return {"public_from": None if is_draft else "2026-03-25T02:00:00Z", **told}


def entry(code: str = "VNEID_ACCOUNT_RATE", **fields: Any) -> dict[str, Any]:
    """A sound catalogue entry: a percent from numerator and denominator."""
    told = {
        "code": code,
        "name_vi": f"Tỷ lệ {code}",
        "name_en": f"Rate {code}",
        "pillar": "digital_society",
        "value_type": "percent",
        "measure_unit": "%",
        "scale": "0-100",
        "direction": "higher_is_better",
        "aggregation": "weighted_mean",
        "numerator_vi": "tử số",
        "denominator_vi": "mẫu số",
    }
    return {**told, **fields}


def other(code: str, value_type: str, direction: str = "higher_is_better", **fields: Any) -> dict[str, Any]:
    """An entry of another kind, without ratio."""
    bare = {"numerator_vi": None, "denominator_vi": None, "aggregation": "none", "scale": None, "measure_unit": None}
    return entry(code, **{**bare, "value_type": value_type, "direction": direction, **fields})


ENTRIES = [
    entry(),
    entry("CASHLESS_RATE", allows_above_100=True),
    entry("SCHOOL_RATE", name_vi="Tỷ lệ trường học phổ cập kỹ năng số"),
    other("DTI_SCORE", "index", scale="0-1", measure_unit="điểm 0-1"),
    other("DTI_PROVINCIAL_RANK", "rank", "lower_is_better", measure_unit="hạng"),
    other("INFOSEC_LEVEL", "level", "boolean", scale="1-5", measure_unit="cấp độ"),
    other("WIFI_POINTS", "count", measure_unit="điểm wifi"),
    other("LATE_COUNT", "count", "lower_is_better", measure_unit="hồ sơ"),
    other("MEETING_ROOM", "milestone", "boolean"),
    other("BUDGET_WORDS", "text"),
]
STATE = {
    "code": "state",
    "name_vi": "Chế độ báo cáo nhà nước",
    "name_en": "State reporting",
    "opens_on_day": 15,
    "period_types": ["month", "quarter", "half_year", "nine_months", "year"],
    "first_year": 2025,
    "last_year": 2027,
    "default_for": ["*"],
    "due_rules": [{"admin_unit": "26491", "period_type": "quarter", "day": 14}],
}
CALENDAR = {
    "code": "calendar",
    "name_vi": "Theo lịch",
    "name_en": "Calendar",
    "period_types": ["quarter", "year"],
    "first_year": 2026,
    "last_year": 2026,
}


def target(key: str = "III.19", **fields: Any) -> dict[str, Any]:
    """A sound target: more than 80 % have an account."""
    told = {
        "key": key,
        "plan_row": key,
        "indicator": "VNEID_ACCOUNT_RATE",
        "pillar": "digital_society",
        "name_vi": "Tỷ lệ người dân có tài khoản VNeID",
        "value_type": "percent",
        "measure_unit": "%",
        "comparator": "gt",
        "value": 80,
        "raw_target": "đạt trên 80%",
        "lead_offices": ["cong-an-xa"],
        "due": {"kind": "year", "value": "2026"},
        "source_refs": ["Phụ lục I, III, 19"],
        "source_lines": [281],
    }
    return {**told, **fields}


def row(**fields: Any) -> dict[str, Any]:
    """A sound row: Đại Phước's accounts in the third quarter."""
    return {"admin_unit": "26491", "indicator": "VNEID_ACCOUNT_RATE", "period": "2026-Q3", "value": 85.5, **fields}


async def hear(house: House, *plans: dict[str, Any]) -> None:
    """The indicators service hears of units, an office, and plans."""
    office = {
        "admin_unit": "26491",
        "slug": "cong-an-xa",
        "name_vi": "Công an xã",
        "level": "commune",
        "aliases": [],
        "version": 1,
    }
    await house.follow()  # what is heard from here on comes after the lists
    async with house.database("indicators").write() as db:
        await hearing.hear_listed_units(db, [unit(*told) for told in UNITS])
        await hearing.hear_offices(db, [office])
        await hearing.hear_plans(db, list(plans) or [header()])


async def stock(house: House) -> None:
    """A catalogue, the regimes, a plan and its one target."""
    await hear(house)
    await put(house, CATALOGUE, {"indicators": ENTRIES})
    await put(house, REGIMES, {"regimes": [STATE, CALENDAR]})
    await put(house, TARGETS, {"targets": [target()]})


async def put(house: House, path: str, body: Any, **params: Any) -> dict[str, Any]:
    """A declarative write by the administrator, which succeeds."""
    response = await house.client.put(path, json=body, headers=house.admin, params=params)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def post(house: House, *rows: Any, headers: dict[str, str] | None = None, **params: Any) -> Any:
    """A post of rows, by the administrator unless said otherwise."""
    asked = {"Accept-Language": "en", **(headers or house.admin)}
    return await house.client.post(ACTUALS, json=list(rows), headers=asked, params=params)


async def items(house: House, path: str, headers: dict[str, str] | None = None, **params: Any) -> list[dict[str, Any]]:
    """The rows of a list."""
    response = await house.client.get(path, headers=house.admin if headers is None else headers, params=params)
    assert response.status_code == 200, response.text
    return list(response.json()["items"])


def faults(response: Any) -> list[tuple[int | None, str | None, str]]:
    """Row, column and code of every fault of a reply."""
    return [(each.get("row"), each.get("column"), each["code"]) for each in response.json()["errors"]]


def counts(response: Any) -> dict[str, int]:
    """What became of the rows of a post, without zeros; the numbers add up."""
    body = response.json()
    names = ("received", "created", "updated", "unchanged", "stale", "duplicates", "refused")
    found = {name: body[name] for name in names}
    assert found["received"] == sum(found[name] for name in names[1:])
    return {name: number for name, number in found.items() if number}


async def written(house: House) -> dict[str, int]:
    """How many rows the tables have that a post writes."""
    rows = await house.rows("indicators")
    return {name: rows[name] for name in WRITTEN}
