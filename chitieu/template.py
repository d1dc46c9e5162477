"""`chitieu template`: the form of one unit and period, with its indicators, targets, and what is recorded so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from anyio import to_thread
from rich.console import Console

from chassis.periods import PeriodError, format_date_vi, format_period_vi, parse_period
from chitieu.client import AsyncClient, ClientError
from chitieu.form import FIGURES, Form, Row, write_form
from chitieu.troubles import Trouble
from services.indicators.domain.actuals.columns import SAMPLE
from services.indicators.domain.actuals.resolving import RegimeDefaults

_ENDS = ("starts_on", "ends_on", "due_on")
_BESIDE = ("measured_on", "data_status", "source", "evidence_url", "note")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose form, for which period, under which regime (none: the unit's own)."""

    admin_unit: str
    period: str
    regime: str | None = None


async def template(client: AsyncClient, wanted: Wanted, file: Path) -> None:
    """Write a form, and say what it holds.

    Raises:
        Trouble: the unit has no targets that year, the period is none of its regime, or nothing could be read.
    """
    try:
        form = await gather(client, wanted)
    except ClientError as error:
        raise Trouble(str(error)) from error
    try:
        await to_thread.run_sync(write_form, form, file)
    except OSError as error:
        raise Trouble(f"{file} cannot be written: {error.strerror or error}.") from error
    filled = sum(bool(row.figure) for row in form.rows)
    words = f"{file}: {len(form.rows)} chỉ tiêu của {form.unit_name}, {form.period_name}; {filled} đã có số liệu."
    Console(soft_wrap=True).print(words, highlight=False, markup=False)


async def gather(client: AsyncClient, wanted: Wanted) -> Form:
    """Everything a form shows, read from the service.

    Raises:
        Trouble: see `template`.
    """
    period = _period(wanted.period)
    asked = {"admin_unit": wanted.admin_unit}
    targets = await client.read_all("/v1/indicators/targets", {**asked, "year": period[:4]})
    if not targets:
        raise Trouble(f"Unit {wanted.admin_unit} has no targets in {period[:4]}.")
    regime = wanted.regime or await _regime(client, wanted.admin_unit, targets[0]["province"])
    found = await client.read_all("/v1/indicators/periods", {**asked, "code": period, "regime": regime})
    if not found:
        raise Trouble(f"The regime {regime} has no period {period}.")
    kept = await client.read_all("/v1/indicators/actuals/history", {**asked, "period": period, "regime": regime})
    current = [figure for figure in kept if figure["superseded_at"] is None]
    codes = ",".join(sorted({target["indicator"] for target in targets}))
    catalogue = await client.read_all("/v1/indicators/catalogue", {"code": codes})
    return Form(
        admin_unit=wanted.admin_unit,
        unit_name=await _name(client, wanted.admin_unit),
        period=period,
        period_name=format_period_vi(period),
        regime=regime,
        days=_days(found[0]),
        rows=_rows(targets, current, {entry["code"]: entry for entry in catalogue}),
    )


def _period(words: str) -> str:
    try:
        return parse_period(words).code
    except PeriodError as error:
        raise Trouble(f"{words} is not a period: write 2026, 2026-S1, 2026-N, 2026-Q3 or 2026-04.") from error


async def _regime(client: AsyncClient, unit: str, province: str | None) -> str:
    """The regime of a unit that names none."""
    regimes = await client.read_all("/v1/indicators/regimes")
    found = RegimeDefaults([(regime["code"], regime["default_for"]) for regime in regimes]).of(unit, province)
    if found is None:
        raise Trouble(f"Unit {unit} has no regime of its own: say --regime.")
    return found


async def _name(client: AsyncClient, unit: str) -> str:
    """A unit as people call it; its code where the token may not read names."""
    try:
        found = await client.read("/v1/plans/admin-units", {"code": unit})
    except ClientError:
        return f"đơn vị {unit}"
    names = [f"{item['name_vi']} ({unit})" for item in found["items"]]
    return names[0] if names else f"đơn vị {unit}"


def _days(period: Mapping[str, Any]) -> str:
    first, last, due = (date.fromisoformat(period[name]) if period[name] else None for name in _ENDS)
    assert first is not None
    assert last is not None
    words = f"từ {format_date_vi(first)} đến {format_date_vi(last)}"
    return f"{words}, hạn nộp báo cáo {format_date_vi(due)}" if due else words


def _rows(
    targets: Sequence[Mapping[str, Any]],
    current: Sequence[Mapping[str, Any]],
    catalogue: Mapping[str, Mapping[str, Any]],
) -> list[Row]:
    """One row per indicator and sub-population, in the plans' order, with every plan's words for it."""
    stored = {(figure["indicator"], figure["sub_population"]): figure for figure in current}
    rows: dict[tuple[str, str | None], Row] = {}
    for target in targets:
        key = (target["indicator"], target["sub_population"])
        if key in rows:
            rows[key].targets.append(target["raw_target"])
            continue
        entry = catalogue.get(target["indicator"], target)
        rows[key] = Row(
            indicator=target["indicator"],
            sub_population=target["sub_population"],
            name=target["name_vi"],
            measure_unit=entry.get("measure_unit") or "",
            value_type=entry["value_type"],
            targets=[target["raw_target"]],
            **_stored(stored.get(key)),
        )
    return list(rows.values())


def _stored(figure: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is recorded; a sample is nobody's figure and is not offered as one, nor is one that was taken back."""
    if figure is None:
        return {}
    if figure["is_withdrawn"] or figure["source"] == SAMPLE:
        return {"version": figure["version"]}
    said = {name: figure[name] for name in (*FIGURES, *_BESIDE) if figure[name] is not None}
    if "numerator" in said:
        del said["value"]  # it is computed, and would contradict a numerator that is changed
    return {"version": figure["version"], "figure": said}
