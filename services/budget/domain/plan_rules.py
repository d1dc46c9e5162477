"""The budget rules a plan sets for itself, each answered with what is known and what is still missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from operator import eq, ge, gt, le, lt
from typing import Any

from chassis.decimals import shown
from chassis.money import (
    format_decimal_en,
    format_decimal_vi,
    format_percent_en,
    format_percent_vi,
    format_vnd,
    format_vnd_en,
)
from chassis.text import fold
from services.budget.domain.checks import CheckVerdict, Facts, Figure, Judgement, missing_words

Rule = Mapping[str, Any]

_COMPARATORS: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = {
    "eq": (eq, "="),
    "gte": (ge, "≥"),
    "gt": (gt, ">"),
    "lte": (le, "≤"),
    "lt": (lt, "<"),
}


def judge_rule(rule: Rule, facts: Facts) -> Judgement:
    """Judge one stated rule by its kind; a rule without a metric is words and is only repeated."""
    params = rule.get("params")
    if not params:
        return Judgement(
            rule["key"],
            CheckVerdict.QUALITATIVE,
            "Quy tắc bằng lời, không có con số để đối chiếu.",
            "A rule in words, without a number to check.",
        )
    judge = _BY_KIND.get(rule["kind"], _unknown_measure)
    judgement = judge(rule["key"], params, facts)
    return replace(judgement, comparator=params.get("comparator"), required=_required(params))


def _required(params: Rule) -> Figure:
    return Figure("required_value", params.get("value"), params["measure_unit"])


def _disbursement(key: str, params: Rule, facts: Facts) -> Judgement:
    """How much of the money is paid out: the ledger that would say it is not in the system yet."""
    names = [*_unstated(params), "disbursed"]
    base = params.get("base")
    details = [
        {"name": "stated_base", "amount_vnd": base if isinstance(base, int) else None},
        {"name": "lines", "amount_vnd": facts.lines.amount_vnd},
    ]
    return replace(_not_measurable(key, names), details=details)


def _share(key: str, params: Rule, facts: Facts) -> Judgement:
    """A share of the plan's own lines is computed; a share of what only others know is named as missing."""
    missing = [*_unstated(params), *_outside_figures(params)]
    if missing:
        return _not_measurable(key, missing)
    if not facts.lines.amount_vnd:
        return _not_measurable(key, ["budget_lines"])
    pillar = _pillar_of(params["metric"])
    if pillar is None:
        return _not_measurable(key, ["known_measure"])
    part = (facts.amount_by_pillar or {}).get(pillar, 0)
    share = Fraction(part * 100, facts.lines.amount_vnd)
    details = [{"name": pillar, "amount_vnd": part}, {"name": "lines", "amount_vnd": facts.lines.amount_vnd}]
    return replace(_compared(key, params, Figure("share", None, "percent"), share), details=details)


def _contingency(key: str, params: Rule, facts: Facts) -> Judgement:
    """The reserve the plan promises against its reserve lines."""
    missing = [*_unstated(params), *([] if facts.lines.count else ["budget_lines"])]
    if missing:
        return _not_measurable(key, missing)
    reserve = facts.reserve
    return _compared(key, params, Figure("reserve_lines", reserve.amount_vnd, count=reserve.count), reserve.amount_vnd)


def _unknown_measure(key: str, params: Rule, _facts: Facts) -> Judgement:
    return _not_measurable(key, [*_unstated(params), *(_outside_figures(params) or ["known_measure"])])


_BY_KIND = {
    "disbursement_target": _disbursement,
    "disbursement_timing": _disbursement,
    "share_min": _share,
    "share_target": _share,
    "contingency": _contingency,
}


def _unstated(params: Rule) -> list[str]:
    return ["required_value"] if params.get("value") is None else []


def _outside_figures(params: Rule) -> list[str]:
    """Figures outside the plan that a rule's words ask for."""
    words = fold(f"{params['metric']} {params.get('base') or ''}")
    is_local = any(name in words for name in ("nsdp", "ngan sach dia phuong", "chi ns "))
    return [name for name, is_needed in (("local_spending", is_local), ("grdp", "grdp" in words)) if is_needed]


# Words by which plans name the money of one pillar, folded; which pillar is meant is our reading of them.
_PILLAR_WORDS = {
    "an toan thong tin": "cybersecurity",
    "an ninh mang": "cybersecurity",
    "nhan luc so": "human_resources",
    "ha tang so": "digital_infrastructure",
    "tuyen truyen": "awareness",
}


def _pillar_of(metric: str) -> str | None:
    folded = fold(metric)
    return next((pillar for words, pillar in _PILLAR_WORDS.items() if words in folded), None)


def _not_measurable(key: str, names: Sequence[str]) -> Judgement:
    vi, en = missing_words(names)
    return Judgement(
        key,
        CheckVerdict.NOT_MEASURABLE,
        f"Chưa tính được, còn thiếu: {vi}.",
        f"Not measurable yet; missing: {en}.",
        missing=names,
    )


def _compared(key: str, params: Rule, found: Figure, exact: Fraction | int) -> Judgement:
    """Compare unrounded; what is shown is rounded half up at the sixth place, in the sentence at the second.

    Neither is ever shown rounded across the threshold or onto it: 9.996 % against 10 % reads 9,996 %.
    """
    required = _required(params)
    known = _COMPARATORS.get(params.get("comparator") or "")
    if known is None or found.unit != required.unit or required.value is None:
        return _not_measurable(key, ["known_measure"])
    asked = Decimal(required.value)
    holds = known[0](exact, Fraction(asked))
    said = replace(found, value=exact if isinstance(exact, int) else shown(exact, asked))
    words = (f"{write(said)} {known[1]} {write(required)}" for write in (_written_vi, _written_en))
    return Judgement(
        key,
        CheckVerdict.HOLDS if holds else CheckVerdict.BROKEN,
        f"{'Đúng' if holds else 'Không đúng'}: {next(words)}.",
        f"{'Holds' if holds else 'Does not hold'}: {next(words)}.",
        found=replace(found, value=exact if isinstance(exact, int) else shown(exact, asked, places=6)),
    )


def _written_vi(figure: Figure) -> str:
    value = figure.value or 0
    if figure.unit == "vnd" and isinstance(value, int):
        return format_vnd(value)
    return format_percent_vi(value) if figure.unit == "percent" else format_decimal_vi(value)


def _written_en(figure: Figure) -> str:
    value = figure.value or 0
    if figure.unit == "vnd" and isinstance(value, int):
        return format_vnd_en(value)
    return format_percent_en(value) if figure.unit == "percent" else format_decimal_en(value)
