"""Targets of plans in every version."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, func, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import ReadSession, Session
from chassis.decimals import plain
from chassis.history import SetDiff, apply_set, as_of
from chassis.listing import Listing
from chassis.text import fold
from services.indicators.domain.filters import TargetFilter
from services.indicators.store.replicas import PlanHeader
from services.indicators.store.tables import IndicatorCode, SubPopulation, Target, table_of
from services.indicators.store.visibility import Viewer, contains, plan_visible, plans, unless_anonymous

targets = table_of(Target)
codes = table_of(IndicatorCode)
sub_populations = table_of(SubPopulation)

# What stands in the table as it stands on the wire; the rest is joined or renamed.
STORED = (
    "plan_row",
    "pillar",
    "plan_section",
    "name_vi",
    "value_type",
    "measure_unit",
    "comparator",
    "value",
    "raw_target",
    "population",
    "lead_offices",
    "coordinating_offices",
    "supporting_offices",
    "lead_via_tasks",
    "linked_tasks",
    "trajectory",
    "baseline_value",
    "baseline_on",
    "at_risk_from",
    "parent_target",
    "expected_result",
    "source_refs",
    "source_lines",
    "discrepancy",
)
COLUMNS = (
    "plan_key",
    "admin_unit",
    "province",
    "year",
    "plan_status",
    "key",
    "position",
    "indicator",
    "sub_population",
    *STORED,
    "due",
    "due_from",
    "due_on",
    "note",
)
NUMBERS = ("value", "baseline_value", "at_risk_from")


def target_columns(viewer: Viewer) -> list[ColumnElement[Any]]:
    """A target's own columns, in the order of the wire."""
    return [
        targets.c.key,
        targets.c.position,
        codes.c.code.label("indicator"),
        func.nullif(sub_populations.c.words, "").label("sub_population"),
        *(targets.c[name] for name in STORED),
        targets.c.due_kind,
        targets.c.due_value,
        targets.c.due_from,
        targets.c.due_on,
        unless_anonymous(viewer, targets.c.note, "note"),
    ]


def targets_of_plans(viewer: Viewer, wanted: TargetFilter, known_at: datetime | None) -> Select[Any]:
    """Targets known now or then, with their plans, as far as the caller may see them."""
    query = (
        select(
            plans.c.plan_key,
            plans.c.admin_unit,
            plans.c.province,
            plans.c.year,
            plans.c.status.label("plan_status"),
            *target_columns(viewer),
        )
        .join_from(targets, plans, plans.c.plan_key == targets.c.plan_key)
        .join(codes, codes.c.id == targets.c.indicator_id)
        .join(sub_populations, sub_populations.c.id == targets.c.sub_population_id)
        .where(as_of(Target, known_at), plan_visible(viewer, known_at))
    )
    for column, values in _filters(wanted):
        if values:
            query = query.where(column.in_(values))
    if wanted.offices:
        query = query.where(_names_office(wanted.offices))
    if wanted.words:
        query = query.where(contains(targets.c.search_text, wanted.words))
    return query


def _filters(wanted: TargetFilter) -> tuple[tuple[ColumnElement[Any], Sequence[Any]], ...]:
    return (
        (plans.c.plan_key, wanted.plan_keys),
        (plans.c.admin_unit, wanted.admin_units),
        (plans.c.province, wanted.provinces),
        (plans.c.year, wanted.years),
        (codes.c.code, wanted.indicators),
        (targets.c.pillar, wanted.pillars),
        (targets.c.comparator, wanted.comparators),
        (targets.c.value_type, wanted.value_types),
    )


def _names_office(slugs: Sequence[str]) -> ColumnElement[bool]:
    asked = cast(list(slugs), ARRAY(Text))
    named = (targets.c.lead_offices, targets.c.coordinating_offices, targets.c.supporting_offices)
    return or_(*(column.op("&&")(asked) for column in named))


def list_targets(viewer: Viewer, wanted: TargetFilter, known_at: datetime | None) -> Listing:
    """Targets by plan, in each plan's own order."""
    query = targets_of_plans(viewer, wanted, known_at)
    return Listing(query, (plans.c.plan_key, targets.c.position, targets.c.key), COLUMNS, target_row)


def target_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A target as the wire has it: the due time as the plan words it, numbers in their plain form."""
    due = None
    if row["due_kind"] is not None:
        due = {"kind": row["due_kind"], "value": row["due_value"]}
    numbers = {name: None if row[name] is None else plain(row[name]) for name in NUMBERS}
    return {**row, **numbers, "due": due}


async def load_targets(
    db: ReadSession, viewer: Viewer, plan_key: str, known_at: datetime | None
) -> list[dict[str, Any]]:
    """All targets of one plan, in the plan's own order."""
    query = targets_of_plans(viewer, TargetFilter(plan_keys=[plan_key]), known_at)
    found = await db.execute(query.order_by(targets.c.position, targets.c.key))
    return [target_row(row) for row in found.mappings()]


async def load_version(db: ReadSession, subject: str) -> int:
    """The version of an aggregate without locking it; 0 before its first change."""
    found = await db.execute(text("SELECT version FROM aggregate_head WHERE subject = :subject"), {"subject": subject})
    return found.scalar() or 0


async def find_applied_revision(db: ReadSession, plan_key: str) -> int | None:
    """The revision of its plan for which a set was last applied; None: it never was."""
    found = await db.execute(text("SELECT revision FROM target_set WHERE plan_key = :key"), {"key": plan_key})
    revision: int | None = found.scalar()
    return revision


async def note_applied(db: Session, plan: PlanHeader) -> None:
    """Remember for which revision of its plan a set was applied."""
    await db.execute(
        text(
            "INSERT INTO target_set (plan_key, revision) VALUES (:key, :revision)"
            " ON CONFLICT (plan_key) DO UPDATE SET revision = greatest(target_set.revision, excluded.revision)"
        ),
        {"key": plan.plan_key, "revision": plan.revision},
    )


async def number_words(db: Session, words: Collection[str]) -> dict[str, int]:
    """The integer of every sub-population, made where it is new; 0 is the whole population."""
    given = {"words": list(words)}
    await db.execute(
        text(
            "INSERT INTO sub_population (words) SELECT w FROM unnest(CAST(:words AS text[])) w"
            " ORDER BY w ON CONFLICT DO NOTHING"
        ),
        given,
    )
    found = await db.execute(text("SELECT words, id FROM sub_population WHERE words = ANY(:words)"), given)
    return {row.words: row.id for row in found}


async def apply_targets(
    db: Session, plan: PlanHeader, rows: Sequence[Mapping[str, Any]], *, prune: bool, at: datetime
) -> SetDiff:
    """Make the targets of one plan say what the body says."""
    numbers = await number_words(db, {row["sub_population"] or "" for row in rows})
    stored = [
        {
            "key": row["key"],
            "position": row["position"],
            "indicator_id": row["indicator_id"],
            "sub_population_id": numbers[row["sub_population"] or ""],
            **{name: row[name] for name in (*STORED, "due_kind", "due_value", "due_from", "due_on", "note")},
            "search_text": fold(f"{row['indicator']} {row['name_vi']} {row['raw_target']}"),
        }
        for row in rows
    ]
    scope = {"admin_unit_id": plan.admin_unit_id, "plan_key": plan.plan_key}
    return await apply_set(db, Target, scope, stored, prune=prune, at=at)
