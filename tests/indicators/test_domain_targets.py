"""What a plan may promise, and when."""

from datetime import date
from decimal import Decimal

import pytest

from chassis.periods import Period, PeriodType, Window
from services.indicators.domain import periods
from services.indicators.domain.catalogue import (
    Aggregation,
    Direction,
    Entry,
    ValueType,
    check_catalogue,
    is_code,
    owner_of,
    parse_scale,
)
from services.indicators.domain.targets import (
    Comparator,
    DueError,
    DueKind,
    PlanFacts,
    Promise,
    Trajectory,
    check_targets,
    due_window,
)

PLAN = PlanFacts(
    2026,
    "25378",
    {
        "RATE": ValueType.PERCENT,
        "RANK": ValueType.RANK,
        "LEVEL": ValueType.LEVEL,
        "COUNT": ValueType.COUNT,
        "DONE": ValueType.MILESTONE,
        "25378:OWN": ValueType.PERCENT,
        "26434:OWN": ValueType.PERCENT,
    },
    {"RATE": "0-100", "LEVEL": "1-5"},
)


def promise(**changes: object) -> Promise:
    told = {
        "key": "1",
        "indicator": "RATE",
        "sub_population": "",
        "value_type": ValueType.PERCENT,
        "comparator": Comparator.GTE,
        "value": Decimal(80),
        **changes,
    }
    return Promise(**told)  # type: ignore[arg-type]


def codes(*promises: Promise) -> list[tuple[str, str | None]]:
    return [(fault.rule.code, fault.pointer) for fault in check_targets(promises, PLAN)]


def test_a_sound_target_has_no_fault() -> None:
    assert codes(promise(), promise(key="2", sub_population="giáo viên"), promise(key="3", indicator="25378:OWN")) == []


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"indicator": "RATES"}, "indicator_unknown", "indicator"),
        ({"indicator": "26434:OWN"}, "indicator_of_another_owner", "indicator"),
        ({"value_type": ValueType.COUNT}, "target_kind_mismatch", "value_type"),
        ({"comparator": Comparator.TOP_N}, "comparator_mismatch", "comparator"),
        ({"comparator": Comparator.BY_DATE, "value": None}, "comparator_mismatch", "comparator"),
        ({"value": None}, "target_value_missing", "value"),
        ({"comparator": Comparator.QUALITATIVE}, "target_value_not_allowed", "value"),
        ({"value": Decimal(101)}, "value_out_of_scale", "value"),
        ({"comparator": Comparator.GT, "value": Decimal(100)}, "target_unreachable", "value"),
        ({"due_kind": DueKind.QUARTER, "due_value": "2026-Q5"}, "due_malformed", "due"),
        ({"trajectory": Trajectory.LINEAR}, "baseline_missing", "trajectory"),
        (
            {"trajectory": Trajectory.LINEAR, "baseline_value": Decimal("80.0"), "baseline_on": date(2026, 1, 1)},
            "baseline_equals_target",
            "baseline_value",
        ),
    ],
)
def test_every_fault_of_a_target_names_its_place(changes: dict[str, object], code: str, place: str) -> None:
    assert (code, f"/targets/0/{place}") in codes(promise(**changes))


def test_a_level_is_a_whole_number_of_its_scale() -> None:
    level = {"indicator": "LEVEL", "value_type": ValueType.LEVEL, "comparator": Comparator.EQ}
    assert codes(promise(**level, value=Decimal(1))) == []
    assert codes(promise(**level, value=Decimal("1.5"))) == [("value_out_of_scale", "/targets/0/value")]
    assert codes(promise(**level, value=Decimal(6))) == [("value_out_of_scale", "/targets/0/value")]


def test_a_plan_may_say_in_words_what_the_catalogue_measures() -> None:
    words = {"value_type": ValueType.TEXT, "comparator": Comparator.QUALITATIVE, "value": None}
    assert codes(promise(**words)) == []


def test_a_milestone_by_date_needs_its_date() -> None:
    done = {"indicator": "DONE", "value_type": ValueType.MILESTONE, "comparator": Comparator.BY_DATE, "value": None}
    assert codes(promise(**done)) == [("due_missing", "/targets/0/due")]
    assert codes(promise(**done, due_kind=DueKind.MONTH, due_value="2026-04")) == []


def test_one_indicator_and_sub_population_is_promised_once() -> None:
    assert codes(promise(), promise(key="2")) == [("target_twice", "/targets/1/indicator")]
    assert codes(promise(), promise(sub_population="học sinh")) == [("key_twice", "/targets/1/key")]


@pytest.mark.parametrize(
    ("kind", "value", "first", "last"),
    [
        (None, None, date(2026, 1, 1), date(2026, 12, 31)),
        (DueKind.ONGOING, None, date(2026, 1, 1), date(2026, 12, 31)),
        (DueKind.YEAR, "2026", date(2026, 1, 1), date(2026, 12, 31)),
        (DueKind.YEAR_RANGE, "2026/2027", date(2026, 1, 1), date(2027, 12, 31)),
        (DueKind.QUARTER, "2026-Q2", date(2026, 4, 1), date(2026, 6, 30)),
        (DueKind.QUARTER_RANGE, "2026-Q2/2026-Q3", date(2026, 4, 1), date(2026, 9, 30)),
        (DueKind.MONTH, "2026-04", date(2026, 4, 1), date(2026, 4, 30)),
        (DueKind.DATE, "2026-04-15", date(2026, 4, 15), date(2026, 4, 15)),
    ],
)
def test_a_due_time_is_calendar_time(kind: DueKind | None, value: str | None, first: date, last: date) -> None:
    assert due_window(kind, value, 2026) == Window(first, last)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (None, "2026"),
        (DueKind.ONGOING, "2026"),
        (DueKind.YEAR, None),
        (DueKind.QUARTER, "2026"),
        (DueKind.QUARTER_RANGE, "2026-Q3"),
        (DueKind.QUARTER_RANGE, "2026-Q3/2026-Q2"),
        (DueKind.DATE, "2026-02-30"),
    ],
)
def test_a_due_time_that_names_no_days_is_refused(kind: DueKind | None, value: str | None) -> None:
    with pytest.raises(DueError):
        due_window(kind, value, 2026)


@pytest.mark.parametrize(
    ("code", "is_one"),
    [
        ("DTI_SCORE", True),
        ("25378:DTI_SCORE", True),
        ("75:DTI_SCORE", True),
        ("dti_score", False),
        ("DTI__SCORE", False),
        ("253:X", False),
        ("", False),
    ],
)
def test_codes_are_common_or_of_a_unit(code: str, is_one: bool) -> None:
    assert is_code(code) is is_one


def test_a_local_code_names_its_owner() -> None:
    assert (owner_of("25378:X"), owner_of("X")) == ("25378", "")


def entry(**changes: object) -> Entry:
    told = {
        "code": "RATE",
        "value_type": ValueType.PERCENT,
        "measure_unit": "%",
        "scale": "0-100",
        "direction": Direction.HIGHER,
        "aggregation": Aggregation.MEAN,
        "numerator_vi": None,
        "denominator_vi": None,
        "related": (),
        **changes,
    }
    return Entry(**told)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"code": "rate"}, "indicator_code_malformed"),
        ({"code": "25378:RATE"}, "indicator_of_another_owner"),
        ({"scale": "100-0"}, "scale_malformed"),
        ({"scale": None}, "scale_missing"),
        ({"aggregation": Aggregation.WEIGHTED_MEAN}, "ratio_parts_mismatch"),
        ({"value_type": ValueType.RANK, "scale": None}, "direction_mismatch"),
        ({"value_type": ValueType.MILESTONE, "scale": None}, "direction_mismatch"),
        ({"related": ("NOWHERE",)}, "related_unknown"),
        ({"related": ("RATE",)}, "related_unknown"),
    ],
)
def test_every_fault_of_a_catalogue_entry(changes: dict[str, object], code: str) -> None:
    assert [fault.rule.code for fault in check_catalogue([entry(**changes)], "", [])] == [code]


def test_a_code_stands_once_and_relations_may_lie_outside_the_body() -> None:
    assert [f.rule.code for f in check_catalogue([entry(), entry()], "", [])] == ["key_twice"]
    assert check_catalogue([entry(related=("OTHER",))], "", ["OTHER"]) == []


def test_a_scale_bounds_both_ends_or_only_zero() -> None:
    assert parse_scale("1-5").holds(Decimal(5))
    assert not parse_scale("1-5").holds(Decimal(0))
    assert parse_scale(None).holds(Decimal(10**9))
    assert not parse_scale(None).holds(Decimal(-1))


STATE = periods.Regime("state", 15, (PeriodType.QUARTER, PeriodType.YEAR), 2026, 2027)


def test_a_regime_cuts_its_years_into_periods() -> None:
    found = {period.code: window for period, window in STATE.periods()}
    assert len(found) == 10
    assert found["2026-Q2"] == Window(date(2026, 3, 15), date(2026, 6, 14))
    assert found["2026"] == Window(date(2025, 12, 15), date(2026, 12, 14))


def test_regimes_that_cannot_cut_years_are_refused() -> None:
    assert periods.check_regime("x", 15, (2026, 2027), "/regimes/0") == []
    found = periods.check_regime("x", 31, (2027, 2026), "/regimes/0")
    assert [(f.rule.code, f.pointer) for f in found] == [
        ("opening_day_invalid", "/regimes/0/opens_on_day"),
        ("span_invalid", "/regimes/0/first_year"),
    ]


def test_regimes_of_one_body_may_not_contradict_each_other() -> None:
    due = periods.UnitDueRule(periods.DueRule(PeriodType.QUARTER, 14), "26491")
    first = periods.Stated("a", 15, (2026, 2027), ("*",), (due, due))
    second = periods.Stated("a", 1, (2026, 2027), ("*", "75"), ())
    found = periods.check_regimes([first, second], {"75": "kept", "*": "a"})
    assert [(fault.rule.code, fault.pointer) for fault in found] == [
        ("key_twice", "/regimes/0/due_rules/1"),
        ("key_twice", "/regimes/1/code"),
        ("default_regime_taken", "/regimes/1/default_for"),
    ]


QUARTERLY = periods.DueRule(PeriodType.QUARTER, 14)
HALF_YEARLY = periods.DueRule(PeriodType.HALF_YEAR, 10)


def test_reports_due_before_the_plan_was_issued_are_not_expected() -> None:
    found = periods.expected_reports([QUARTERLY], 2026, window_days=10, not_before=date(2026, 3, 25))
    assert [(due.period.code, due.opens_on, due.due_on) for due in found] == [
        ("2026-Q2", date(2026, 6, 4), date(2026, 6, 14)),
        ("2026-Q3", date(2026, 9, 4), date(2026, 9, 14)),
        ("2026-Q4", date(2026, 12, 4), date(2026, 12, 14)),
    ]


YEARLY = periods.DueRule(PeriodType.YEAR, 14)


def test_of_each_kind_of_period_a_units_own_due_rule_stands_before_its_provinces_and_everybodys() -> None:
    late = periods.DueRule(PeriodType.QUARTER, 25)
    stated = [
        periods.UnitDueRule(YEARLY),
        periods.UnitDueRule(late),
        periods.UnitDueRule(HALF_YEARLY, "75"),
        periods.UnitDueRule(QUARTERLY, "26491"),
        periods.UnitDueRule(periods.DueRule(PeriodType.YEAR, 1), "26434"),
    ]
    assert periods.rules_of_unit(stated, "26491", "75") == [YEARLY, QUARTERLY, HALF_YEARLY]
    assert periods.rules_of_unit(stated, "25378", "75") == [YEARLY, late, HALF_YEARLY]
    assert periods.rules_of_unit(stated, "14161", "37") == [YEARLY, late]
    assert periods.rules_of_unit([], "14161", None) == []


def test_a_due_day_is_that_of_the_rule_for_its_kind_of_period() -> None:
    assert periods.due_on([YEARLY, QUARTERLY], Period(PeriodType.QUARTER, 2026, 3)) == date(2026, 9, 14)
    assert periods.due_on([YEARLY, QUARTERLY], Period(PeriodType.MONTH, 2026, 3)) is None
