"""A made-up country for measurements and fault tests: communes, indicators, a regime, plans; all through the API."""

from __future__ import annotations

import asyncio
import csv
import io
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from benchmarks.stage import Stage

FIRST_YEAR, LAST_YEAR = 2015, 2026
PROVINCES = ("90", "91", "92", "93")
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class World:
    """The codes that figures can be posted for."""

    communes: Sequence[str]
    indicators: Sequence[str]

    @staticmethod
    def of(communes: int, indicators: int) -> World:
        """So many communes and indicators; every second indicator is a ratio, the others are counts."""
        kinds = ("RATE", "COUNT")
        return World(
            [f"{40_000 + 7 * number:05d}" for number in range(communes)],
            [f"BENCH_{number:03d}_{kinds[number % 2]}" for number in range(indicators)],
        )


def months(year: int) -> list[str]:
    """The codes of a year's months."""
    return [f"{year}-{month:02d}" for month in range(1, 13)]


def is_ratio(indicator: str) -> bool:
    """Whether an indicator is posted by numerator and denominator."""
    return indicator.endswith("_RATE")


async def settle(stage: Stage, world: World) -> None:
    """Load the world through the services' own doors, and wait until the indicators service has heard of it."""
    async with stage.client() as client:
        await _put(client, f"{stage.plans.url}/v1/plans/admin-units", _units(world), "text/csv; charset=utf-8")
        await _put(client, "/v1/indicators/catalogue", {"indicators": [_indicator(code) for code in world.indicators]})
        await _put(client, "/v1/indicators/regimes", {"regimes": [_regime()]})
    await _heard(stage, len(world.communes) + len(PROVINCES))


async def _heard(stage: Stage, units: int) -> None:
    connection = await stage.connect()
    for _ in range(int(PATIENCE_SECONDS / PAUSE_SECONDS)):
        if await connection.fetchval("SELECT count(*) FROM admin_unit") == units:
            break
        await asyncio.sleep(PAUSE_SECONDS)
    await connection.close()


async def plan_targets(stage: Stage, world: World, communes: int) -> None:
    """Issue a plan with a target for every indicator in so many communes, for scorecards to be read."""
    async with stage.client() as client:
        for commune in world.communes[:communes]:
            key = f"{commune}-2026-digital-transformation"
            plan = f"{stage.plans.url}/v1/plans/{key}"
            await _put(client, plan, {"title_vi": f"Kế hoạch {commune}", "title_en": f"Plan {commune}", **_ISSUED})
            targets = [_target(number, code) for number, code in enumerate(world.indicators, start=1)]
            await _put(client, f"/v1/indicators/targets/{key}", {"targets": targets}, patience=PATIENCE_SECONDS)
            issued = await client.post(f"{plan}/issue", json={}, headers={"Idempotency-Key": str(uuid.uuid4())})
            issued.raise_for_status()


_ISSUED = {"document_number": "5/KH-UBND", "issued_on": "2026-03-01", "issuing_body": "UBND xã"}


async def _put(
    client: httpx2.AsyncClient, url: str, body: Any, content_type: str = "application/json", patience: float = 0
) -> None:
    """A declarative write; what has not been heard of yet (422, 404) is asked again for a while."""
    sent = {"content": body} if isinstance(body, bytes) else {"json": body}
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        answer = await client.put(url, headers={"Content-Type": content_type}, **sent)
        is_too_early = answer.status_code in (404, 422) and asyncio.get_running_loop().time() < deadline
        if not is_too_early:
            break
        await asyncio.sleep(0.2)
    if answer.is_error:
        raise RuntimeError(f"{url}: {answer.status_code} {answer.text[:1000]}")


def _units(world: World) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["code", "name_vi", "name_en", "type", "province_code", "valid_from", "valid_to"])
    for code in PROVINCES:
        rows.writerow([code, f"Tỉnh {code}", f"Province {code}", "province", "", f"{FIRST_YEAR}-01-01", ""])
    for number, code in enumerate(world.communes):
        province = PROVINCES[number % len(PROVINCES)]
        rows.writerow([code, f"Xã {code}", f"Commune {code}", "commune", province, f"{FIRST_YEAR}-01-01", ""])
    return text.getvalue().encode()


def _indicator(code: str) -> dict[str, Any]:
    told = {
        "code": code,
        "name_vi": f"Chỉ tiêu {code}",
        "name_en": f"Indicator {code}",
        "pillar": "digital_society",
        "direction": "higher_is_better",
    }
    if is_ratio(code):
        parts = {"numerator_vi": "số hồ sơ trực tuyến", "denominator_vi": "tổng số hồ sơ"}
        return {
            **told,
            **parts,
            "value_type": "percent",
            "measure_unit": "%",
            "scale": "0-100",
            "aggregation": "weighted_mean",
        }
    return {**told, "value_type": "count", "measure_unit": "hồ sơ", "aggregation": "sum"}


def _regime() -> dict[str, Any]:
    return {
        "code": "calendar",
        "name_vi": "Theo lịch",
        "name_en": "Calendar",
        "period_types": ["month", "quarter", "year"],
        "first_year": FIRST_YEAR,
        "last_year": LAST_YEAR,
        "default_for": ["*"],
    }


def _target(number: int, code: str) -> dict[str, Any]:
    value_type, unit = ("percent", "%") if is_ratio(code) else ("count", "hồ sơ")
    return {
        "key": f"III.{number}",
        "plan_row": f"III.{number}",
        "indicator": code,
        "pillar": "digital_society",
        "name_vi": f"Chỉ tiêu {code}",
        "value_type": value_type,
        "measure_unit": unit,
        "comparator": "gt",
        "value": 80,
        "raw_target": "đạt trên 80%",
        "due": {"kind": "year", "value": "2026"},
    }
