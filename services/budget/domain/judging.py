"""One plan's checks as callers see them: sums first, then the plan's own rules, in the document's order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from services.budget.domain.checks import CheckVerdict, Facts, Judgement, Sum, sum_checks
from services.budget.domain.plan_rules import judge_rule

CHECK_FIELDS = (
    "plan_key",
    "admin_unit",
    "province",
    "year",
    "plan_status",
    "has_budget",
    "lines",
    "amount_vnd",
    "stated_total_vnd",
    "verdicts",
    "checks",
)
_RULE_FIELDS = ("key", "kind", "rule_vi", "params", "offices", "discrepancy", "source_ref")


def judge_plan(row: Mapping[str, Any]) -> dict[str, Any]:
    """Judge what one plan's budget adds up to, and every rule the plan sets for itself."""
    facts = facts_of(row)
    checks = [_shown(judgement, None) for judgement in sum_checks(facts)]
    checks += [_shown(judge_rule(rule, facts), rule) for rule in row["budget_rules"]]
    counts = Counter(check["verdict"] for check in checks)
    return {
        **row,
        "has_budget": facts.lines.count > 0,
        "lines": facts.lines.count,
        "amount_vnd": facts.lines.amount_vnd,
        "stated_total_vnd": facts.stated_total_vnd,
        "verdicts": {verdict.value: counts[verdict] for verdict in CheckVerdict},
        "checks": checks,
    }


def facts_of(row: Mapping[str, Any]) -> Facts:
    """The facts of one plan from its row."""
    return Facts(
        lines=Sum(**row["lines"]),
        cells=Sum(**row["cells"]),
        groups=Sum(**row["groups"]),
        reserve=Sum(**row["reserve"]),
        stated_total_vnd=row["budget_total_vnd"],
        amount_by_pillar=row["amount_by_pillar"],
        parts=row["parts"],
        uneven_cells=row["uneven_cells"],
        uneven_groups=row["uneven_groups"],
        misplaced_lines=row["misplaced_lines"],
        lines_in_foreign_groups=row["lines_in_foreign_groups"],
    )


def _shown(judgement: Judgement, rule: Mapping[str, Any] | None) -> dict[str, Any]:
    stated = None if rule is None else {field: rule.get(field) for field in _RULE_FIELDS}
    return {**asdict(judgement), "difference": judgement.difference, "rule": stated}
