"""Scorecards: every target with the latest figure of a day and the verdict, explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from chassis import clock
from chassis.decimals import plain
from chassis.listing import Listing
from chassis.periods import PeriodType, Window, parse_period
from services.indicators.domain import periods
from services.indicators.domain.actuals.columns import SAMPLE, STATUS_OF
from services.indicators.domain.catalogue import Direction, ValueType, parse_scale
from services.indicators.domain.evaluation import AT_RISK_FROM, Figure, Goal, Verdict, evaluate
from services.indicators.domain.filters import ScorecardFilter
from services.indicators.domain.sentences import Case, Record, sentence_en, sentence_vi
from services.indicators.domain.targets import Comparator, Trajectory
from services.indicators.schemas.actuals import ActualRow
from services.indicators.schemas.scorecards import Evaluation, ScorecardRow, ScoredTarget
from services.indicators.store import scorecards as store
from services.indicators.store.figures import actual_row
from services.indicators.store.periods import due_rules_of
from services.indicators.store.targets import target_row
from services.indicators.store.visibility import Viewer

COLUMNS = tuple(ScorecardRow.model_fields)
NOT_ASSIGNED = "chưa phân công"
_TARGET_FIELDS = tuple(ScoredTarget.model_fields)
_ACTUAL_FIELDS = tuple(ActualRow.model_fields)
PARTS = {"target": _TARGET_FIELDS, "actual": _ACTUAL_FIELDS, "evaluation": tuple(Evaluation.model_fields)}
_PREFIX = "actual_"
_OFFICE_OF = {
    "commune": ("UBND xã", "People's Committee of"),
    "ward": ("UBND phường", "People's Committee of"),
    "special_zone": ("UBND đặc khu", "People's Committee of"),
    "province": ("UBND tỉnh", "People's Committee of"),
    "municipality": ("UBND thành phố", "People's Committee of"),
}


def list_scorecards(viewer: Viewer, wanted: ScorecardFilter, known_at: datetime | None) -> Listing:
    """Every target of the plans the caller may see, each with its latest figure and its verdict on the day."""
    listing = store.list_scorecards(viewer, wanted, known_at, COLUMNS, lambda row: scorecard(row, wanted.on))
    return replace(listing, parts=PARTS)


def scorecard(row: Mapping[str, Any], on: date) -> dict[str, Any]:
    """One row of a scorecard: target, latest figure, and the verdict with its reason."""
    target = _target(row)
    actual = _actual(row)
    goal, figure = _goal(row), _figure(row)
    dues = periods.expected_reports(
        due_rules_of(row), row["year"], window_days=row["reporting_window_days"] or 0, not_before=row["issued_on"]
    )
    verdict = evaluate(goal, figure, dues, on)
    case = _case(row, goal, verdict, figure)
    return {
        "plan_key": row["plan_key"],
        "admin_unit": row["admin_unit"],
        "province": row["province"],
        "year": row["year"],
        "on": on,
        "regime": row["regime_asked"],
        "period_type": row["actual_period_type"],
        "target": target,
        "actual": actual,
        "evaluation": {
            "achievement": verdict.achievement,
            "achievement_ratio": None if verdict.ratio is None else plain(verdict.ratio),
            "no_data_reason": verdict.no_data,
            "rule": verdict.rule,
            "expected_value": None if verdict.expected is None else plain(verdict.expected),
            "due_on": row["due_on"],
            "report_period": verdict.due.period.code if verdict.due else None,
            "report_due_on": verdict.due.due_on if verdict.due else None,
            "days_late": verdict.days_late,
            "reason_vi": sentence_vi(case),
            "reason_en": sentence_en(case),
        },
    }


def _target(row: Mapping[str, Any]) -> dict[str, Any]:
    shaped = target_row(row)
    shaped["lead_vi"] = ", ".join(row["lead_names"] or []) or NOT_ASSIGNED
    return {name: shaped[name] for name in _TARGET_FIELDS}


def _actual(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if row["actual_kind"] is None:
        return None
    figure = {name.removeprefix(_PREFIX): value for name, value in row.items() if name.startswith(_PREFIX)}
    figure |= {
        "admin_unit": row["admin_unit"],
        "province": row["province"],
        "indicator": row["indicator"],
        "sub_population_words": row["sub_population"] or "",
        "due_rules": row["due_rules"],
    }
    shaped = actual_row(figure)
    return {name: shaped[name] for name in _ACTUAL_FIELDS}


def _goal(row: Mapping[str, Any]) -> Goal:
    return Goal(
        comparator=Comparator(row["comparator"]),
        value_type=ValueType(row["value_type"]),
        direction=Direction(row["direction"]),
        due=Window(row["due_from"], row["due_on"]),
        value=row["value"],
        highest=parse_scale(row["scale"]).highest,
        trajectory=Trajectory(row["trajectory"]),
        baseline_value=row["baseline_value"],
        baseline_on=row["baseline_on"],
        at_risk_from=row["at_risk_from"] or AT_RISK_FROM,
    )


def _figure(row: Mapping[str, Any]) -> Figure | None:
    if row["actual_kind"] is None:
        return None
    return Figure(
        window=Window(row["actual_starts_on"], row["actual_ends_on"]),
        period_type=PeriodType(row["actual_period_type"]),
        value=row["actual_value"],
        numerator=row["actual_numerator"],
        denominator=row["actual_denominator"],
        done_on=row["actual_done_on"],
        per_hundred=row["indicator_value_type"] == ValueType.PERCENT,
    )


def _record(row: Mapping[str, Any], figure: Figure) -> Record:
    office_vi, office_en = _OFFICE_OF.get(row["unit_type"], ("UBND", "People's Committee of"))
    # Who sent it is told to those who act for the unit; others read which unit it is from.
    sender = f" ({row['actual_recorded_by']})" if row["actual_recorded_by"] else ""
    return Record(
        figure=figure,
        period=parse_period(row["actual_period"]),
        data_status=STATUS_OF[row["actual_data_status"]],
        who_vi=f"{office_vi} {row['unit_name_vi']}{sender}",
        who_en=f"{office_en} {row['unit_name_en'] or row['unit_name_vi']}{sender}",
        recorded_on=clock.day_of(row["actual_recorded_at"]),
        is_sample=row["actual_source"] == SAMPLE,
        words=row["actual_words"],
    )


def _case(row: Mapping[str, Any], goal: Goal, verdict: Verdict, figure: Figure | None) -> Case:
    return Case(
        goal=goal,
        verdict=verdict,
        name_vi=row["name_vi"],
        name_en=row["indicator_name_en"],
        raw_target=row["raw_target"],
        value_type=ValueType(row["indicator_value_type"]),
        measure_unit=row["measure_unit"],
        plan_key=row["plan_key"],
        plan_row=row["plan_row"],
        source_ref=next(iter(row["source_refs"]), None),
        record=_record(row, figure) if figure else None,
    )
