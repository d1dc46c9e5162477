"""The one sentence that explains a verdict, in Vietnamese and in English."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from chassis.decimals import plain, shown
from chassis.periods import Period, PeriodType, Window
from services.indicators.domain.actuals.columns import DataStatus
from services.indicators.domain.catalogue import Direction, ValueType
from services.indicators.domain.evaluation import Figure, Goal, evaluate
from services.indicators.domain.periods import Due
from services.indicators.domain.sentences import Case, Record, number_en, number_vi, sentence_en, sentence_vi
from services.indicators.domain.targets import Comparator, Trajectory

ON = date(2026, 11, 22)
Q3 = Window(date(2026, 6, 15), date(2026, 9, 14))
GOAL = Goal(
    Comparator.GT,
    ValueType.PERCENT,
    Direction.HIGHER,
    Window(date(2026, 1, 1), date(2026, 12, 31)),
    Decimal(80),
    Decimal(100),
)
FIGURE = Figure(Q3, PeriodType.QUARTER, Decimal("85.500000"))
RECORD = Record(
    FIGURE,
    Period(PeriodType.QUARTER, 2026, 3),
    DataStatus.PRELIMINARY,
    "UBND xã Đại Phước",
    "People's Committee of Dai Phuoc",
    date(2026, 9, 15),
)
APRIL = Window(date(2026, 4, 1), date(2026, 4, 30))


def case(goal: Goal = GOAL, figure: Figure | None = FIGURE, on: date = ON, **changes: object) -> Case:
    dues = [Due(Period(PeriodType.QUARTER, 2026, 4), date(2026, 12, 4), date(2026, 12, 14))]
    told = Case(
        goal=goal,
        verdict=evaluate(goal, figure, dues, on),
        name_vi="Tỷ lệ VNeID",
        name_en="VNeID accounts",
        raw_target="đạt trên 80%",
        value_type=goal.value_type,
        measure_unit="%",
        plan_key="26491-2026-x",
        plan_row="III.19",
        source_ref="Phụ lục I, III, 19",
        record=replace(RECORD, figure=figure) if figure else None,
    )
    return replace(told, **changes)  # type: ignore[arg-type]


def test_it_names_figure_period_who_when_row_and_rule() -> None:
    assert sentence_vi(case()) == (
        "Vượt: 85,5 % (Quý III/2026, chốt 14/09/2026, sơ bộ, UBND xã Đại Phước ghi ngày 15/09/2026) so với chỉ tiêu "
        "“Tỷ lệ VNeID” (dòng III.19, kế hoạch 26491-2026-x); quy tắc: trên 80 %, hạn 31/12/2026; "
        "bằng 106,88 % chỉ tiêu."
    )
    assert sentence_en(case()) == (
        "Exceeded: 85.5 % (Q3 2026, to 2026-09-14, preliminary, recorded by People's Committee of Dai Phuoc on "
        "2026-09-15) against the target “VNeID accounts” (row III.19, plan 26491-2026-x); rule: more than 80 %, due "
        "2026-12-31; 106.88 % of the target."
    )


def test_a_target_outside_every_table_is_named_by_its_section_and_samples_say_so() -> None:
    told = case(plan_row=None, record=replace(RECORD, is_sample=True))
    assert "(mục Phụ lục I, III, 19, kế hoạch 26491-2026-x)" in sentence_vi(told)
    assert "sơ bộ, số liệu mẫu, UBND" in sentence_vi(told)
    assert "(section Phụ lục I, III, 19, plan" in sentence_en(told)
    assert "preliminary, sample, recorded" in sentence_en(told)


def test_within_its_time_a_shortfall_is_not_called_progress() -> None:
    short = case(figure=replace(FIGURE, value=Decimal("79.999")))
    assert sentence_vi(short).startswith("Trong hạn, chưa tới mức: 79,999 % (")
    assert sentence_en(short).startswith("Within its time, not there yet: 79.999 % (")


def test_a_limit_that_holds_says_so() -> None:
    limit = replace(GOAL, comparator=Comparator.EQ, value=Decimal(0), direction=Direction.LOWER, highest=None)
    told = case(replace(limit, value_type=ValueType.COUNT), replace(FIGURE, value=Decimal(0)), measure_unit="hồ sơ")
    assert sentence_vi(told).startswith("Đang giữ đúng mức: 0 hồ sơ (")
    assert "quy tắc: đúng 0 hồ sơ, hạn 31/12/2026." in sentence_vi(told)


def test_parts_of_a_ratio_are_shown_and_never_rounded_over_the_threshold() -> None:
    near = replace(FIGURE, numerator=Decimal(799_999), denominator=Decimal(1_000_000), per_hundred=True)
    assert "799.999/1.000.000 = 79,9999 % (" in sentence_vi(case(figure=near))
    assert "799999/1000000 = 79.9999 % (" in sentence_en(case(figure=near))


@pytest.mark.parametrize(
    ("exact", "threshold", "text"),
    [
        (Fraction(200, 3), None, "66.67"),
        (Fraction(200, 3), Decimal(80), "66.67"),
        (Fraction(79999, 1000), Decimal(80), "79.999"),
        (Fraction(799999999, 10000000), Decimal(80), "79.999999"),
        (Fraction(800000001, 10000000), Decimal(80), "80.000001"),
        (Fraction(80), Decimal(80), "80"),
    ],
)
def test_numbers_are_shown_on_their_side_of_the_threshold(
    exact: Fraction, threshold: Decimal | None, text: str
) -> None:
    assert f"{shown(exact, threshold):f}" == text


def test_plain_numbers_have_no_zeros_at_their_end() -> None:
    assert [f"{plain(Decimal(text))}" for text in ("80.000000", "8E+1", "85.750000", "0")] == ["80", "80", "85.75", "0"]


def test_a_ceiling_and_a_standing_target_name_their_rule() -> None:
    ceiling = replace(GOAL, comparator=Comparator.GTE, value=Decimal(100), trajectory=Trajectory.STANDING)
    told = sentence_vi(case(ceiling))
    assert "quy tắc: từ 100 % trở lên (mức trần), phải giữ thường xuyên; bằng 85,5 % chỉ tiêu." in told
    assert told.startswith("Chậm tiến độ: ")
    assert "rule: at least 100 % (a ceiling), to hold at any time; 85.5 %" in sentence_en(case(ceiling))


def test_a_line_says_what_it_asks_by_now() -> None:
    line = replace(
        GOAL,
        trajectory=Trajectory.LINEAR,
        baseline_value=Decimal(90),
        baseline_on=date(2026, 1, 1),
        value=Decimal(99),
    )
    assert "; theo lộ trình tuyến tính lúc này cần 96,3" in sentence_vi(case(line))
    assert "; the straight line asks 96.3" in sentence_en(case(line))
    good = case(line, replace(FIGURE, value=Decimal(98)))
    assert sentence_vi(good).startswith("Đúng tiến độ: 98 %")
    assert sentence_en(good).startswith("On track: 98 %")


def test_words_are_quoted_not_computed() -> None:
    words = replace(GOAL, comparator=Comparator.QUALITATIVE, value=None)
    told = case(words, None, raw_target="Theo phân bổ của tỉnh")
    assert sentence_vi(told) == (
        "Không đo được: chỉ tiêu “Tỷ lệ VNeID” (dòng III.19, kế hoạch 26491-2026-x) chỉ nêu “Theo phân bổ của tỉnh”, "
        "không có mức để so sánh."
    )
    assert "; số liệu: 85,5 % (" in sentence_vi(case(words))
    assert "; figure: 85.5 % (" in sentence_en(case(words))
    spoken = replace(FIGURE, value=None)
    assert "; figure: “đang làm” (" in sentence_en(case(words, record=replace(RECORD, figure=spoken, words="đang làm")))
    assert "; số liệu: “đang làm” (" in sentence_vi(
        case(words, spoken, record=replace(RECORD, figure=spoken, words="đang làm"))
    )


@pytest.mark.parametrize(
    ("on", "vi", "en"),
    [
        (date(2026, 12, 1), "chưa đến kỳ nộp", "not open yet"),
        (date(2026, 12, 4), "đang trong kỳ nộp", "open now"),
        (date(2026, 12, 16), "đã quá 2 ngày", "2 days late"),
    ],
)
def test_a_missing_figure_says_which_report_is_awaited(on: date, vi: str, en: str) -> None:
    told = case(figure=None, on=on)
    assert sentence_vi(told).endswith(f": báo cáo Quý IV/2026 hạn 14/12/2026, {vi}.")
    assert sentence_en(told).endswith(f": the report for Q4 2026 is due 2026-12-14, {en}.")


def test_without_a_stated_day_nobody_is_late() -> None:
    told = case(figure=None)
    bare = replace(told, verdict=evaluate(GOAL, None, [], ON))
    assert sentence_vi(bare).endswith("kế hoạch và chế độ báo cáo không nêu ngày nộp.")
    assert sentence_en(bare).endswith("neither the plan nor the reporting regime states a day for it.")


def test_milestones_speak_of_days() -> None:
    goal = replace(GOAL, comparator=Comparator.BY_DATE, value=None, value_type=ValueType.MILESTONE, due=APRIL)
    done = replace(FIGURE, value=None, done_on=date(2026, 5, 12))
    assert sentence_vi(case(goal, done)).startswith("Chưa đạt: hoàn thành ngày 12/05/2026 (")
    assert sentence_vi(case(goal, done)).endswith("; quy tắc: hoàn thành chậm nhất ngày 30/04/2026; muộn 12 ngày.")
    assert sentence_en(case(goal, done)).endswith("; rule: done by 2026-04-30; 12 days late.")
    assert sentence_vi(case(goal, None)).endswith("chưa báo hoàn thành, hạn 30/04/2026, quá 206 ngày.")
    assert sentence_vi(case(goal, None, date(2026, 4, 2))).endswith("hạn 30/04/2026, chưa quá hạn.")
    assert sentence_en(case(goal, None)).endswith("completion not reported, due 2026-04-30, 206 days late.")
    assert sentence_en(case(goal, None, date(2026, 4, 2))).endswith("due 2026-04-30, not yet overdue.")


@pytest.mark.parametrize(
    ("value_type", "unit", "vi", "en"),
    [
        (ValueType.PERCENT, "%", "1.234,5 %", "1,234.5 %"),
        (ValueType.INDEX, "điểm 0-1", "1.234,5", "1,234.5"),
        (ValueType.COUNT, "điểm wifi", "1.234,5 điểm wifi", "1,234.5 điểm wifi"),
        (ValueType.COUNT, None, "1.234,5", "1,234.5"),
        (ValueType.LEVEL, "cấp độ", "cấp độ 1.234,5", "level 1,234.5"),
        (ValueType.RANK, "hạng", "hạng 1.234,5", "rank 1,234.5"),
        (ValueType.AMOUNT, "đồng", "1.234 ₫", "1,234 VND"),
    ],
)
def test_figures_carry_their_unit(value_type: ValueType, unit: str | None, vi: str, en: str) -> None:
    assert number_vi(Decimal("1234.500000"), value_type, unit) == vi
    assert number_en(Decimal("1234.500000"), value_type, unit) == en


def test_top_ten_reads_as_a_place() -> None:
    rank = replace(GOAL, comparator=Comparator.TOP_N, value_type=ValueType.RANK, value=Decimal(10), highest=None)
    told = case(replace(rank, direction=Direction.LOWER), replace(FIGURE, value=Decimal(8)), measure_unit="hạng")
    assert sentence_vi(told).startswith("Đạt: hạng 8 (")
    assert sentence_vi(told).endswith("quy tắc: trong nhóm 10 đầu, hạn 31/12/2026.")
    assert sentence_en(told).endswith("rule: among the first 10, due 2026-12-31.")
