"""Why a verdict is what it is, in one sentence: figure, period, who, when, plan row and rule ("Vì sao?")."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from chassis.decimals import plain, shown
from chassis.money import format_decimal_en, format_decimal_vi, format_percent_vi, format_vnd, format_vnd_en
from chassis.periods import Period, format_date_vi, format_period_en, format_period_vi
from services.indicators.domain.actuals.columns import DataStatus
from services.indicators.domain.catalogue import ValueType
from services.indicators.domain.evaluation import Achievement, Figure, Goal, NoData, Verdict
from services.indicators.domain.targets import Comparator, Trajectory


@dataclass(frozen=True, slots=True)
class Record:
    """A figure and how it came in: its period, legal status, who recorded it and on which day."""

    figure: Figure
    period: Period
    data_status: DataStatus
    who_vi: str
    who_en: str
    recorded_on: date
    is_sample: bool = False
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A verdict with all that its sentence names."""

    goal: Goal
    verdict: Verdict
    name_vi: str
    name_en: str
    raw_target: str
    value_type: ValueType
    measure_unit: str | None
    plan_key: str
    plan_row: str | None
    source_ref: str | None
    record: Record | None = None


_VERDICTS_VI = {
    Achievement.EXCEEDED: "Vượt",
    Achievement.MET: "Đạt",
    Achievement.ON_TRACK: "Đúng tiến độ",
    Achievement.AT_RISK: "Có nguy cơ không đạt",
    Achievement.OFF_TRACK: "Chậm tiến độ",
    Achievement.NOT_MET: "Chưa đạt",
    Achievement.NO_DATA: "Chưa có số liệu",
    Achievement.NOT_MEASURABLE: "Không đo được",
}
_VERDICTS_EN = {
    Achievement.EXCEEDED: "Exceeded",
    Achievement.MET: "Met",
    Achievement.ON_TRACK: "On track",
    Achievement.AT_RISK: "At risk",
    Achievement.OFF_TRACK: "Off track",
    Achievement.NOT_MET: "Not met",
    Achievement.NO_DATA: "No data",
    Achievement.NOT_MEASURABLE: "Not measurable",
}
STATUS_VI = {
    DataStatus.ESTIMATED: "ước tính",
    DataStatus.PRELIMINARY: "sơ bộ",
    DataStatus.OFFICIAL: "chính thức",
}
_BOUND_VI = {
    Comparator.GTE: "từ {} trở lên",
    Comparator.GT: "trên {}",
    Comparator.EQ: "đúng {}",
    Comparator.LTE: "không quá {}",
    Comparator.LT: "dưới {}",
    Comparator.TOP_N: "trong nhóm {} đầu",
}
_BOUND_EN = {
    Comparator.GTE: "at least {}",
    Comparator.GT: "more than {}",
    Comparator.EQ: "exactly {}",
    Comparator.LTE: "at most {}",
    Comparator.LT: "less than {}",
    Comparator.TOP_N: "among the first {}",
}


def number_vi(value: Decimal, value_type: ValueType, measure_unit: str | None) -> str:
    """A figure with its unit as Vietnamese readers write it: 85,75 %, hạng 5, cấp độ 1, 30 điểm wifi."""
    match value_type:
        case ValueType.PERCENT:
            return format_percent_vi(value)
        case ValueType.AMOUNT:
            return format_vnd(int(value))
        case ValueType.LEVEL:
            return f"cấp độ {format_decimal_vi(value)}"
        case ValueType.RANK:
            return f"hạng {format_decimal_vi(value)}"
        case ValueType.INDEX:
            return format_decimal_vi(value)
    return f"{format_decimal_vi(value)} {measure_unit or ''}".rstrip()


def number_en(value: Decimal, value_type: ValueType, measure_unit: str | None) -> str:
    """A figure with its unit in English: 85.75 %, rank 5, level 1, 30 điểm wifi."""
    digits = format_decimal_en(value)
    match value_type:
        case ValueType.PERCENT:
            return f"{digits} %"
        case ValueType.AMOUNT:
            return format_vnd_en(int(value))
        case ValueType.LEVEL:
            return f"level {digits}"
        case ValueType.RANK:
            return f"rank {digits}"
        case ValueType.INDEX:
            return digits
    return f"{digits} {measure_unit or ''}".rstrip()


# Before the due day nothing is expected of most targets, so "on track" alone would say too much.
_SHORT_VI = "Trong hạn, chưa tới mức"
_SHORT_EN = "Within its time, not there yet"
_HOLDS_VI = "Đang giữ đúng mức"
_HOLDS_EN = "Holding"


def _head(case: Case, verdicts: dict[Achievement, str], holds: str, short: str) -> str:
    if case.verdict.achievement is not Achievement.ON_TRACK or case.goal.trajectory is Trajectory.LINEAR:
        return verdicts[case.verdict.achievement]
    return holds if case.goal.is_limit else short


def sentence_vi(case: Case) -> str:
    """The reason in one Vietnamese sentence."""
    head = _head(case, _VERDICTS_VI, _HOLDS_VI, _SHORT_VI)
    target = f"chỉ tiêu “{case.name_vi}” ({_place_vi(case)})"
    if case.verdict.achievement is Achievement.NOT_MEASURABLE:
        return f"{head}: {target} chỉ nêu “{case.raw_target}”, không có mức để so sánh{_shown_vi(case)}."
    if case.record is None:
        return f"{head} cho {target}: {_no_data_vi(case)}."
    return f"{head}: {_figure_vi(case, case.record)} so với {target}; quy tắc: {_rule_vi(case)}{_outcome_vi(case)}."


def sentence_en(case: Case) -> str:
    """The reason in one English sentence."""
    head = _head(case, _VERDICTS_EN, _HOLDS_EN, _SHORT_EN)
    target = f"target “{case.name_en}” ({_place_en(case)})"
    if case.verdict.achievement is Achievement.NOT_MEASURABLE:
        return f"{head}: the {target} says “{case.raw_target}”, with nothing to compare{_shown_en(case)}."
    if case.record is None:
        return f"{head} for the {target}: {_no_data_en(case)}."
    return f"{head}: {_figure_en(case, case.record)} against the {target}; rule: {_rule_en(case)}{_outcome_en(case)}."


def _place_vi(case: Case) -> str:
    place = f"dòng {case.plan_row}" if case.plan_row else f"mục {case.source_ref or '—'}"
    return f"{place}, kế hoạch {case.plan_key}"


def _place_en(case: Case) -> str:
    place = f"row {case.plan_row}" if case.plan_row else f"section {case.source_ref or '—'}"
    return f"{place}, plan {case.plan_key}"


def _shown(case: Case, exact: Fraction) -> Decimal:
    return shown(exact, case.goal.value, 4 if case.value_type is ValueType.INDEX else 2)


def _value_vi(case: Case, record: Record) -> str:
    figure = record.figure
    if figure.done_on:
        return f"hoàn thành ngày {format_date_vi(figure.done_on)}"
    exact = figure.exact
    if exact is None:
        return f"“{record.words}”"
    words = number_vi(_shown(case, exact), case.value_type, case.measure_unit)
    if figure.numerator is None or figure.denominator is None:
        return words
    return f"{format_decimal_vi(figure.numerator)}/{format_decimal_vi(figure.denominator)} = {words}"


def _value_en(case: Case, record: Record) -> str:
    figure = record.figure
    if figure.done_on:
        return f"done on {figure.done_on.isoformat()}"
    exact = figure.exact
    if exact is None:
        return f"“{record.words}”"
    words = number_en(_shown(case, exact), case.value_type, case.measure_unit)
    if figure.numerator is None or figure.denominator is None:
        return words
    return f"{plain(figure.numerator):f}/{plain(figure.denominator):f} = {words}"


def _figure_vi(case: Case, record: Record) -> str:
    sample = ", số liệu mẫu" if record.is_sample else ""
    period = f"{format_period_vi(record.period)}, chốt {format_date_vi(record.figure.window.ends_on)}"
    when = f"{record.who_vi} ghi ngày {format_date_vi(record.recorded_on)}"
    return f"{_value_vi(case, record)} ({period}, {STATUS_VI[record.data_status]}{sample}, {when})"


def _figure_en(case: Case, record: Record) -> str:
    sample = ", sample" if record.is_sample else ""
    period = f"{format_period_en(record.period)}, to {record.figure.window.ends_on.isoformat()}"
    when = f"recorded by {record.who_en} on {record.recorded_on.isoformat()}"
    return f"{_value_en(case, record)} ({period}, {record.data_status}{sample}, {when})"


def _shown_vi(case: Case) -> str:
    return f"; số liệu: {_figure_vi(case, case.record)}" if case.record else ""


def _shown_en(case: Case) -> str:
    return f"; figure: {_figure_en(case, case.record)}" if case.record else ""


def _rule_vi(case: Case) -> str:
    goal, due = case.goal, format_date_vi(case.goal.due.ends_on)
    if goal.comparator is Comparator.BY_DATE or goal.value is None:
        return f"hoàn thành chậm nhất ngày {due}"
    is_rank = goal.comparator is Comparator.TOP_N
    value = format_decimal_vi(goal.value) if is_rank else number_vi(goal.value, case.value_type, case.measure_unit)
    words = _BOUND_VI[goal.comparator].format(value)
    if goal.is_ceiling:
        words += " (mức trần)"
    if goal.trajectory is Trajectory.STANDING:
        return f"{words}, phải giữ thường xuyên"
    return f"{words}, hạn {due}"


def _rule_en(case: Case) -> str:
    goal, due = case.goal, case.goal.due.ends_on.isoformat()
    if goal.comparator is Comparator.BY_DATE or goal.value is None:
        return f"done by {due}"
    is_rank = goal.comparator is Comparator.TOP_N
    value = format_decimal_en(goal.value) if is_rank else number_en(goal.value, case.value_type, case.measure_unit)
    words = _BOUND_EN[goal.comparator].format(value)
    if goal.is_ceiling:
        words += " (a ceiling)"
    if goal.trajectory is Trajectory.STANDING:
        return f"{words}, to hold at any time"
    return f"{words}, due {due}"


def _percent(ratio: Decimal) -> Decimal:
    return shown(Fraction(ratio) * 100, Decimal(100))


def _outcome_vi(case: Case) -> str:
    verdict = case.verdict
    if verdict.days_late is not None:
        return f"; muộn {verdict.days_late} ngày"
    if verdict.expected is not None:
        expected = number_vi(verdict.expected, case.value_type, case.measure_unit)
        return f"; theo lộ trình tuyến tính lúc này cần {expected}"
    return "" if verdict.ratio is None else f"; bằng {format_percent_vi(_percent(verdict.ratio))} chỉ tiêu"


def _outcome_en(case: Case) -> str:
    verdict = case.verdict
    if verdict.days_late is not None:
        return f"; {verdict.days_late} days late"
    if verdict.expected is not None:
        expected = number_en(verdict.expected, case.value_type, case.measure_unit)
        return f"; the straight line asks {expected} by now"
    return "" if verdict.ratio is None else f"; {_percent(verdict.ratio):f} % of the target"


def _no_data_vi(case: Case) -> str:
    verdict, due = case.verdict, case.verdict.due
    if case.goal.comparator is Comparator.BY_DATE:
        until = format_date_vi(case.goal.due.ends_on)
        late = f"quá {verdict.days_late} ngày" if verdict.days_late else "chưa quá hạn"
        return f"chưa báo hoàn thành, hạn {until}, {late}"
    if due is None:
        return "kế hoạch và chế độ báo cáo không nêu ngày nộp"
    report = f"báo cáo {format_period_vi(due.period)} hạn {format_date_vi(due.due_on)}"
    words = {NoData.NOT_DUE: "chưa đến kỳ nộp", NoData.DUE: "đang trong kỳ nộp"}
    late = f"đã quá {verdict.days_late} ngày"
    return f"{report}, {words.get(verdict.no_data or NoData.LATE, late)}"


def _no_data_en(case: Case) -> str:
    verdict, due = case.verdict, case.verdict.due
    if case.goal.comparator is Comparator.BY_DATE:
        until = case.goal.due.ends_on.isoformat()
        late = f"{verdict.days_late} days late" if verdict.days_late else "not yet overdue"
        return f"completion not reported, due {until}, {late}"
    if due is None:
        return "neither the plan nor the reporting regime states a day for it"
    report = f"the report for {format_period_en(due.period)} is due {due.due_on.isoformat()}"
    words = {NoData.NOT_DUE: "not open yet", NoData.DUE: "open now"}
    return f"{report}, {words.get(verdict.no_data or NoData.LATE, f'{verdict.days_late} days late')}"
