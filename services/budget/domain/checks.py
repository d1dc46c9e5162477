"""Does a plan's money add up: lines, cells, groups and the stated total, with both numbers always shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from chassis.money import format_vnd, format_vnd_en

Number = int | Decimal


class CheckVerdict(StrEnum):
    """How a rule stands; `not_measurable` names what is missing, `qualitative` rules carry no number at all."""

    HOLDS = "holds"
    BROKEN = "broken"
    NOT_MEASURABLE = "not_measurable"
    QUALITATIVE = "qualitative"
    NO_BUDGET = "no_budget"


@dataclass(frozen=True, slots=True)
class Sum:
    """How many there are, and what they add up to in đồng."""

    count: int = 0
    amount_vnd: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What one plan's budget adds up to: the numbers that every check looks at.

    `parts` are the lines by expenditure kind and budget years; `uneven_*` are cells and groups whose amount
    is not that of their own lines and cells; `misplaced_lines` stand in no cell or in several.
    """

    lines: Sum = Sum()
    cells: Sum = Sum()
    groups: Sum = Sum()
    reserve: Sum = Sum()
    stated_total_vnd: int | None = None
    amount_by_pillar: Mapping[str, int] | None = None
    parts: Sequence[Mapping[str, Any]] = ()
    uneven_cells: Sequence[Mapping[str, Any]] = ()
    uneven_groups: Sequence[Mapping[str, Any]] = ()
    misplaced_lines: Sequence[str] = ()
    lines_in_foreign_groups: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as a check shows it: what it is, its value and unit (vnd, percent, lines), how many make it up."""

    name: str
    value: Number | None
    unit: str = "vnd"
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome of one check, with its reason in one sentence."""

    check_key: str
    verdict: CheckVerdict
    reason_vi: str
    reason_en: str
    comparator: str | None = None
    found: Figure | None = None
    required: Figure | None = None
    missing: Sequence[str] = ()
    details: Sequence[Any] = ()

    @property
    def difference(self) -> Number | None:
        """Found less required, where both are numbers of one unit."""
        if self.found is None or self.required is None or self.found.unit != self.required.unit:
            return None
        if self.found.value is None or self.required.value is None:
            return None
        return self.found.value - self.required.value


MISSING = {
    "budget_lines": ("dòng kinh phí (kế hoạch không nêu dòng nào)", "budget lines (the plan states none)"),
    "stated_total": ("tổng kinh phí (kế hoạch không nêu tổng)", "a total (the plan states none)"),
    "required_value": ("mức phải đạt (kế hoạch không ghi con số)", "the value to reach (the plan gives no number)"),
    "disbursed": (
        "số đã giải ngân (hệ thống chưa có sổ giải ngân)",
        "the amount disbursed (the system has no ledger of disbursements yet)",
    ),
    "local_spending": ("tổng chi ngân sách địa phương", "the local budget's total spending"),
    "grdp": ("GRDP của địa phương", "the area's GRDP"),
    "known_measure": (
        "cách đo (chưa rõ những dòng nào thuộc chỉ số này)",
        "a way to measure it (which lines belong to it is not known)",
    ),
}


def missing_words(names: Sequence[str]) -> tuple[str, str]:
    """What is missing, as a Vietnamese and an English enumeration."""
    return "; ".join(MISSING[name][0] for name in names), "; ".join(MISSING[name][1] for name in names)


def sum_checks(facts: Facts) -> Iterator[Judgement]:
    """Every check of sums that the plan's tables allow: total, cells, groups, placement.

    A plan without lines and without a total answers that, plainly, and nothing else.
    """
    if not facts.lines.count and facts.stated_total_vnd is None:
        yield Judgement(
            "budget_stated",
            CheckVerdict.NO_BUDGET,
            "Kế hoạch không nêu dòng kinh phí nào và không nêu tổng.",
            "The plan states no budget line and no total.",
        )
        return
    yield _lines_equal_total(facts)
    if facts.groups.count:
        yield _equal("cells_equal_lines", ("cells", facts.cells), ("lines", facts.lines), details=facts.uneven_cells)
        yield _equal(
            "groups_equal_cells", ("groups", facts.groups), ("cells", facts.cells), details=facts.uneven_groups
        )
        if facts.stated_total_vnd is not None:
            total = Sum(0, facts.stated_total_vnd)
            yield _equal("groups_equal_total", ("groups", facts.groups), ("stated_total", total))
        yield _every_line_in_one_cell(facts)
        yield _pillars_match_groups(facts)


def _lines_equal_total(facts: Facts) -> Judgement:
    if facts.stated_total_vnd is not None:
        total = Sum(0, facts.stated_total_vnd)
        return _equal("lines_equal_total", ("lines", facts.lines), ("stated_total", total), details=facts.parts)
    parts_vi = " và ".join(_part_vi(part) for part in facts.parts)
    parts_en = " and ".join(_part_en(part) for part in facts.parts)
    amount = facts.lines.amount_vnd
    return Judgement(
        "lines_equal_total",
        CheckVerdict.NOT_MEASURABLE,
        f"{parts_vi}, cộng {format_vnd(amount)}; kế hoạch không nêu tổng để đối chiếu.",
        f"{parts_en}, together {format_vnd_en(amount)}; the plan states no total to compare with.",
        comparator="eq",
        found=Figure("lines", facts.lines.amount_vnd, count=facts.lines.count),
        required=Figure("stated_total", None),
        missing=("stated_total",),
        details=facts.parts,
    )


_KINDS_VI = {"recurrent": "chi thường xuyên", "investment": "đầu tư công", "reserve": "dự phòng"}
_KINDS_EN = {"recurrent": "recurrent expenditure", "investment": "public investment", "reserve": "reserve"}


def _part_vi(part: Mapping[str, Any]) -> str:
    kind, amount = _KINDS_VI[part["expenditure_kind"]], format_vnd(part["amount_vnd"])
    return f"{part['count']} dòng {kind} {amount}{_span(part)}"


def _part_en(part: Mapping[str, Any]) -> str:
    kind, amount = _KINDS_EN[part["expenditure_kind"]], format_vnd_en(part["amount_vnd"])
    return f"{part['count']} {'line' if part['count'] == 1 else 'lines'} of {kind} {amount}{_span(part)}"


def _span(part: Mapping[str, Any]) -> str:
    years = part["budget_years"]
    return f" ({years[0]}-{years[-1]})" if len(years) > 1 else ""


def _equal(check_key: str, left: tuple[str, Sum], right: tuple[str, Sum], details: Sequence[Any] = ()) -> Judgement:
    """Whether two sums of the plan are equal; `details` that carry a `difference` break the rule by themselves."""
    (left_name, a), (right_name, b) = left, right
    uneven = [detail for detail in details if "difference_vnd" in detail]
    holds = a.amount_vnd == b.amount_vnd and not uneven
    return Judgement(
        check_key,
        CheckVerdict.HOLDS if holds else CheckVerdict.BROKEN,
        f"{_named(left, 0)} {_relation(a, b, uneven, 0)} {_named(right, 0)}.",
        f"{_named(left, 1)} {_relation(a, b, uneven, 1)} {_named(right, 1)}.",
        comparator="eq",
        found=Figure(left_name, a.amount_vnd, count=a.count or None),
        required=Figure(right_name, b.amount_vnd, count=b.count or None),
        details=details,
    )


_NAMES = {
    "lines": ("dòng", "lines"),
    "cells": ("ô tiền", "cells"),
    "groups": ("nhóm", "groups"),
    "stated_total": ("tổng kế hoạch nêu", "the plan's stated total"),
}
_AMOUNTS: tuple[Callable[[int], str], ...] = (format_vnd, format_vnd_en)
_EQUAL = ("bằng", "equal")
_UNEQUAL = ("không bằng", "do not equal")
_UNEVEN = ("bằng về tổng nhưng từng phần không khớp với", "equal in sum, but not part by part,")


def _named(side: tuple[str, Sum], language: int) -> str:
    name, total = side
    count = f"{total.count} " if total.count else ""
    return f"{count}{_NAMES[name][language]} ({_AMOUNTS[language](total.amount_vnd)})"


def _relation(a: Sum, b: Sum, uneven: Sequence[Any], language: int) -> str:
    if a.amount_vnd != b.amount_vnd:
        return _UNEQUAL[language]
    return (_UNEVEN if uneven else _EQUAL)[language]


def _every_line_in_one_cell(facts: Facts) -> Judgement:
    placed = facts.lines.count - len(facts.misplaced_lines)
    return _counted(
        "every_line_in_one_cell",
        placed,
        facts.lines.count,
        ("đứng trong đúng một ô tiền", "stand in exactly one cell"),
        facts.misplaced_lines,
    )


def _pillars_match_groups(facts: Facts) -> Judgement:
    at_home = facts.lines.count - len(facts.lines_in_foreign_groups)
    return _counted(
        "pillars_match_groups",
        at_home,
        facts.lines.count,
        (
            "có trụ cột khớp với nhóm của mình; dự phòng đứng ngoài mọi trụ cột",
            "carry a pillar of their own group; the reserve stands outside every pillar",
        ),
        facts.lines_in_foreign_groups,
    )


def _counted(check_key: str, found: int, required: int, words: tuple[str, str], details: Sequence[Any]) -> Judgement:
    return Judgement(
        check_key,
        CheckVerdict.HOLDS if found == required else CheckVerdict.BROKEN,
        f"{found} trên {required} dòng {words[0]}.",
        f"{found} of {required} lines {words[1]}.",
        comparator="eq",
        found=Figure("lines", found, "lines"),
        required=Figure("lines", required, "lines"),
        details=details,
    )
