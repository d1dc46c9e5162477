"""Words of time and the days they imply."""

from datetime import date

import pytest

from chassis.execution_time import Days, implied_days


@pytest.mark.parametrize(
    ("kind", "value", "days"),
    [
        ("year", "2026", Days(date(2026, 1, 1), date(2026, 12, 31))),
        ("year_range", "2026/2027", Days(date(2026, 1, 1), date(2027, 12, 31))),
        ("quarter", "2026-Q1", Days(date(2026, 1, 1), date(2026, 3, 31))),
        ("quarter", "2026-Q4", Days(date(2026, 10, 1), date(2026, 12, 31))),
        ("quarter_range", "2026-Q2/2026-Q3", Days(date(2026, 4, 1), date(2026, 9, 30))),
        ("quarter_range", "2026-Q4/2027-Q1", Days(date(2026, 10, 1), date(2027, 3, 31))),
        ("month", "2026-02", Days(date(2026, 2, 1), date(2026, 2, 28))),
        ("month", "2028-02", Days(date(2028, 2, 1), date(2028, 2, 29))),
        ("month", "2026-12", Days(date(2026, 12, 1), date(2026, 12, 31))),
        ("date", "2026-04-30", Days(date(2026, 4, 30), date(2026, 4, 30))),
        (None, None, Days(None, None)),
        ("ongoing", None, Days(None, None, is_continuous=True)),
        ("ongoing", "2026", Days(date(2026, 1, 1), date(2026, 12, 31), is_continuous=True)),
    ],
)
def test_words_of_time_imply_days(kind: str | None, value: str | None, days: Days) -> None:
    assert implied_days(kind, value) == days


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (None, "2026"),
        ("someday", "2026"),
        ("year", None),
        ("year", ""),
        ("year", "26"),
        ("year", "2026/2027"),
        ("year", "２０２６"),
        ("year_range", "2026"),
        ("year_range", "2026/2026"),
        ("quarter", "2026Q2"),
        ("quarter_range", "2026-Q2/2026-09"),
        ("ongoing", "2026-Q1"),
        ("year", "9999"),
        ("year_range", "2027/2026"),
        ("quarter", "2026-Q5"),
        ("quarter", "2026-04"),
        ("quarter_range", "2026-Q3/2026-Q2"),
        ("quarter_range", "2026-Q2/2026"),
        ("month", "2026-13"),
        ("date", "2026-02-30"),
        ("ongoing", "2026/2027"),
    ],
)
def test_a_time_of_another_form_is_no_time(kind: str | None, value: str | None) -> None:
    with pytest.raises(ValueError):
        implied_days(kind, value)


def test_years_of_a_time_are_the_years_it_touches() -> None:
    assert implied_days("year_range", "2026/2028").years == [2026, 2027, 2028]
    assert implied_days(None, None).years == []
