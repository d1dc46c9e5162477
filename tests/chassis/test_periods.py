"""Periods: every spelling, every window, every edge."""

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.periods import (
    CALENDAR,
    DueRule,
    Period,
    PeriodError,
    PeriodType,
    Regime,
    Window,
    parse_period,
    periods_of_year,
)

STATE = Regime("state", opens_on_day=15)


@pytest.mark.parametrize(
    ("spelling", "code", "period_type", "number"),
    [
        ("2026", "2026", "year", 1),
        ("2026-A1", "2026", "year", 1),
        ("2026A1", "2026", "year", 1),
        ("2026-S1", "2026-S1", "half_year", 1),
        ("2026S2", "2026-S2", "half_year", 2),
        ("2026-H2", "2026-S2", "half_year", 2),
        ("2026-N", "2026-N", "nine_months", 1),
        ("2026n", "2026-N", "nine_months", 1),
        ("2026-Q2", "2026-Q2", "quarter", 2),
        ("2026q2", "2026-Q2", "quarter", 2),
        ("2026-04", "2026-04", "month", 4),
        ("202604", "2026-04", "month", 4),
        ("2026-M04", "2026-04", "month", 4),
        ("2026M12", "2026-12", "month", 12),
        ("2026-W17", "2026-W17", "week", 17),
        ("2026W1", "2026-W01", "week", 1),
        ("2026-W53", "2026-W53", "week", 53),
        ("2026-04-15", "2026-04-15", "day", 105),
        ("20260415", "2026-04-15", "day", 105),
        ("2026-D105", "2026-04-15", "day", 105),
        ("2024-02-29", "2024-02-29", "day", 60),
        ("2024D366", "2024-12-31", "day", 366),
        (" 2026-Q1\n", "2026-Q1", "quarter", 1),
        ("1900", "1900", "year", 1),
        ("2199-12-31", "2199-12-31", "day", 365),
    ],
)
def test_parse_period_reads_every_spelling(spelling: str, code: str, period_type: str, number: int) -> None:
    period = parse_period(spelling)
    assert period == Period(PeriodType(period_type), int(code[:4]), number)
    assert period.code == code
    assert parse_period(period.code) == period


@pytest.mark.parametrize(
    "spelling",
    [
        "",
        "26",
        "2026-Q0",
        "2026-Q5",
        "2026-S3",
        "2026-S0",
        "2026-A2",
        "2026-N2",
        "2026-13",
        "2026-00",
        "2026-4",
        "2026-M4",
        "2026-W00",
        "2025-W53",
        "2026-02-30",
        "2026-2-3",
        "2026-D366",
        "2026-105",
        "1899",
        "2200",
        "0000-01-01",
        "Q2/2026",
        "Quý II/2026",
        "\uff12\uff10\uff12\uff16",  # full-width digits
        "2026-Q2; drop",
        "2026-Q2 2026-Q2 2026-Q2",
    ],
)
def test_parse_period_refuses_what_is_no_period(spelling: str) -> None:
    with pytest.raises(PeriodError):
        parse_period(spelling)


def test_a_refused_period_is_named_but_never_at_length() -> None:
    with pytest.raises(PeriodError, match=r"^not a period: 'QQQQQQQQQQQQQ'$"):
        parse_period("q" * 10_000)


@pytest.mark.parametrize(
    ("code", "starts_on", "ends_on"),
    [
        ("2026-01", "2025-12-15", "2026-01-14"),
        ("2026-03", "2026-02-15", "2026-03-14"),
        ("2026-04", "2026-03-15", "2026-04-14"),
        ("2026-12", "2026-11-15", "2026-12-14"),
        ("2026-Q1", "2025-12-15", "2026-03-14"),
        ("2026-Q2", "2026-03-15", "2026-06-14"),
        ("2026-Q3", "2026-06-15", "2026-09-14"),
        ("2026-Q4", "2026-09-15", "2026-12-14"),
        ("2026-S1", "2025-12-15", "2026-06-14"),
        ("2026-S2", "2026-06-15", "2026-12-14"),
        ("2026-N", "2025-12-15", "2026-09-14"),
        ("2026", "2025-12-15", "2026-12-14"),
        ("2026-W17", "2026-04-20", "2026-04-26"),
        ("2026-04-15", "2026-04-15", "2026-04-15"),
    ],
)
def test_the_state_regime_runs_from_the_15th_to_the_14th(code: str, starts_on: str, ends_on: str) -> None:
    window = STATE.window(parse_period(code))
    assert window == Window(date.fromisoformat(starts_on), date.fromisoformat(ends_on))


@pytest.mark.parametrize(
    ("code", "starts_on", "ends_on"),
    [
        ("2026-02", "2026-02-01", "2026-02-28"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2026-12", "2026-12-01", "2026-12-31"),
        ("2026-Q2", "2026-04-01", "2026-06-30"),
        ("2026-S2", "2026-07-01", "2026-12-31"),
        ("2026-N", "2026-01-01", "2026-09-30"),
        ("2026", "2026-01-01", "2026-12-31"),
        ("2026-W01", "2025-12-29", "2026-01-04"),
        ("2026-W53", "2026-12-28", "2027-01-03"),
        ("2026-12-31", "2026-12-31", "2026-12-31"),
    ],
)
def test_the_calendar_runs_in_whole_months(code: str, starts_on: str, ends_on: str) -> None:
    window = CALENDAR.window(parse_period(code))
    assert window == Window(date.fromisoformat(starts_on), date.fromisoformat(ends_on))


def test_a_window_holds_both_its_ends_and_nothing_after() -> None:
    window = STATE.window(parse_period("2026-Q2"))
    assert date(2026, 3, 15) in window
    assert date(2026, 6, 14) in window
    assert date(2026, 3, 14) not in window
    assert date(2026, 6, 15) not in window
    assert window.ends_before == date(2026, 6, 15)


@pytest.mark.parametrize("opens_on_day", [0, 29, -1])
def test_a_regime_refuses_a_day_that_some_month_lacks(opens_on_day: int) -> None:
    with pytest.raises(PeriodError, match="cannot open"):
        Regime("bad", opens_on_day=opens_on_day)


@given(
    st.integers(1901, 2197),
    st.sampled_from([t for t in PeriodType if t is not PeriodType.NINE_MONTHS]),
    st.integers(1, 28),
)
def test_periods_follow_each_other_without_gap_or_overlap(year: int, period_type: PeriodType, opens: int) -> None:
    regime = Regime("any", opens_on_day=opens)
    windows = [regime.window(p) for each in (year, year + 1) for p in periods_of_year(each, period_type)]
    assert [window.ends_before for window in windows[:-1]] == [window.starts_on for window in windows[1:]]


XUAN_THANH = DueRule(PeriodType.HALF_YEAR, day=10)
DAI_PHUOC = DueRule(PeriodType.QUARTER, day=14)


@pytest.mark.parametrize(
    ("rule", "code", "due_on"),
    [
        (XUAN_THANH, "2026-S1", "2026-06-10"),
        (XUAN_THANH, "2026-S2", "2026-12-10"),
        (DAI_PHUOC, "2026-Q1", "2026-03-14"),
        (DAI_PHUOC, "2026-Q4", "2026-12-14"),
        (DueRule(PeriodType.QUARTER, day=31), "2026-Q2", "2026-06-30"),
        (DueRule(PeriodType.YEAR, day=31, months_after=1), "2026", "2027-01-31"),
        (DueRule(PeriodType.MONTH, day=30, months_after=2), "2026-12", "2027-02-28"),
        (DueRule(PeriodType.NINE_MONTHS, day=20, months_after=12), "2026-N", "2027-09-20"),
    ],
)
def test_a_due_rule_gives_the_last_day_on_time(rule: DueRule, code: str, due_on: str) -> None:
    assert rule.due_on(parse_period(code)) == date.fromisoformat(due_on)


@pytest.mark.parametrize(
    ("months_after", "words_vi", "words_en"),
    [
        (0, "chậm nhất ngày 10 của tháng cuối kỳ", "by day 10 of the last month of the period"),
        (1, "chậm nhất ngày 10 của tháng sau kỳ", "by day 10 of the month after the period"),
        (2, "chậm nhất ngày 10 của tháng thứ 2 sau kỳ", "by day 10 of month 2 after the period"),
    ],
)
def test_a_due_rule_says_itself_in_words(months_after: int, words_vi: str, words_en: str) -> None:
    rule = DueRule(PeriodType.QUARTER, day=10, months_after=months_after)
    assert rule.words_vi == words_vi
    assert rule.words_en == words_en


@pytest.mark.parametrize(
    ("period_type", "day", "months_after"),
    [
        (PeriodType.WEEK, 1, 0),
        (PeriodType.DAY, 1, 0),
        (PeriodType.QUARTER, 0, 0),
        (PeriodType.QUARTER, 32, 0),
        (PeriodType.QUARTER, 1, -1),
        (PeriodType.QUARTER, 1, 13),
    ],
)
def test_a_due_rule_refuses_what_no_calendar_has(period_type: PeriodType, day: int, months_after: int) -> None:
    with pytest.raises(PeriodError, match="not a due rule"):
        DueRule(period_type, day, months_after)


def test_periods_sort_by_their_end_and_the_shorter_first() -> None:
    codes = [
        "2025", "2026-01-01", "2026-W01", "2026-01", "2026-03", "2026-Q1", "2026-Q2", "2026-S1",
        "2026-09-30", "2026-Q3", "2026-N", "2026-12-31", "2026-12", "2026-Q4", "2026-S2", "2026", "2026-W53",
    ]  # fmt: skip
    periods = [parse_period(code) for code in codes]
    random.Random(7).shuffle(periods)
    assert [period.code for period in sorted(periods)] == codes
    assert parse_period("2026-Q1") >= parse_period("2026q1")


def test_a_period_compares_with_nothing_else() -> None:
    assert parse_period("2026").__lt__("2026") is NotImplemented


@pytest.mark.parametrize(
    ("year", "period_type", "count", "last"),
    [
        (2026, "month", 12, "2026-12"),
        (2026, "quarter", 4, "2026-Q4"),
        (2026, "half_year", 2, "2026-S2"),
        (2026, "nine_months", 1, "2026-N"),
        (2026, "year", 1, "2026"),
        (2026, "week", 53, "2026-W53"),
        (2025, "week", 52, "2025-W52"),
        (2026, "day", 365, "2026-12-31"),
        (2024, "day", 366, "2024-12-31"),
    ],
)
def test_periods_of_year(year: int, period_type: str, count: int, last: str) -> None:
    periods = list(periods_of_year(year, PeriodType(period_type)))
    assert len(periods) == count
    assert periods[-1].code == last
    assert periods == sorted(periods)
