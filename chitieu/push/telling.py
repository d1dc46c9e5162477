"""What a push says to people, in Vietnamese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from chassis.money import format_decimal_vi
from chitieu.client import ClientError, Fault, ImportFailed, NotReached, Posted, Problem
from chitieu.push.outcomes import Outcome

SHOWN_FAULTS, SHOWN_WARNINGS = 50, 10
PLAIN: Mapping[str, Any] = {"highlight": False, "markup": False, "soft_wrap": True}
NOT_SUBMITTED = "Ghi nhận chưa phải là nộp báo cáo."


def tell(console: Console, outcome: Outcome) -> None:
    """Say what became of a file, with a table of what was refused."""
    words = _of_result(outcome.result) if outcome.result else _of_error(outcome.error)
    console.print(f"{outcome.file}: {words}", **PLAIN)
    if outcome.result and outcome.result.warnings:
        _tell_warnings(console, outcome.result)
    if outcome.faults:
        _tell_faults(console, outcome)
    if outcome.receipt_file:
        console.print(f"Biên nhận: {outcome.receipt_file}", **PLAIN)
    for note in outcome.notes:
        console.print(note, **PLAIN)


def tell_ending(console: Console, outcomes: Sequence[Outcome]) -> None:
    """After a post that recorded something: recording is not submitting, and when reports are due."""
    recorded = [one.result for one in outcomes if one.result and not one.result.dry_run]
    if not any(result.written or result.unchanged for result in recorded):
        return
    due = list(dict.fromkeys(line for outcome in outcomes for line in outcome.due))
    words = f" Hạn nộp báo cáo {'; '.join(due)}." if due else ""
    console.print(f"{NOT_SUBMITTED}{words}", **PLAIN)


def _of_result(result: Posted) -> str:
    return f"{_recorded(result)}{_beside(result)}."


def _recorded(result: Posted) -> str:
    if not result.written:
        nothing = "chạy thử, không có gì để ghi" if result.dry_run else "không có gì mới để ghi"
        return f"{nothing} ({_number(result.unchanged)} số liệu đã có và không đổi)" if result.unchanged else nothing
    parts = {"mới": result.created, "thay đổi": result.updated}
    kinds = ", ".join(f"{_number(count)} {word}" for word, count in parts.items() if count)
    words = "chạy thử, chưa ghi gì; sẽ ghi" if result.dry_run else "đã ghi nhận"
    unchanged = f"; {_number(result.unchanged)} không đổi" if result.unchanged else ""
    return f"{words} {_number(result.written)} số liệu ({kinds}){unchanged}"


def _beside(result: Posted) -> str:
    parts = {
        "dòng cũ hơn số đang lưu, không ghi": result.stale,
        "dòng trùng": result.duplicates,
        "dòng bị từ chối": result.refused,
        "dòng chưa điền, để nguyên": result.left_blank,
    }
    return "".join(f"; {_number(count)} {word}" for word, count in parts.items() if count)


def _of_error(error: ClientError | None) -> str:
    match error:
        case NotReached():
            return f"không liên lạc được với máy chủ; gửi lại cùng lệnh này là an toàn ({error})."
        case Problem(code="actuals_refused"):
            return f"không ghi nhận dòng nào. {error.detail}"
        case Problem():
            return f"không ghi nhận dòng nào: {error.detail} ({error.status} {error.code})"
        case ImportFailed():
            return f"không ghi nhận dòng nào: lượt nhập {error.import_id} ở trạng thái {error.state} ({error})."
    return f"không gửi được: {error}"


def _tell_warnings(console: Console, result: Posted) -> None:
    console.print(f"Lưu ý ({_number(result.warnings_total)}), đã ghi nhưng nên xem lại:", **PLAIN)
    for fault in result.warnings[:SHOWN_WARNINGS]:
        console.print(f"  dòng {fault.row}, cột {fault.column}: {fault.message}", **PLAIN)


def _tell_faults(console: Console, outcome: Outcome) -> None:
    # Folded and not cut: the code that was meant stands at the end of a reason.
    table = Table(*(Column(title, overflow="fold") for title in ("Dòng", "Cột", "Mã lỗi", "Giá trị", "Lý do")))
    for fault in outcome.faults[:SHOWN_FAULTS]:
        table.add_row(*(escape(text) for text in cells(fault)))
    console.print(table)
    hidden = outcome.faults_total - min(len(outcome.faults), SHOWN_FAULTS)
    all_of_them = f"xem {outcome.errors_file}" if outcome.errors_file else "--errors TỆP ghi đủ mọi lỗi"
    if hidden > 0:
        console.print(f"… và {_number(hidden)} lỗi nữa; {all_of_them}.", **PLAIN)
    elif outcome.errors_file:
        console.print(f"Dòng bị từ chối, kèm lý do: {outcome.errors_file}", **PLAIN)


def cells(fault: Fault) -> tuple[str, str, str, str, str]:
    """A fault as the cells of a row."""
    row = "" if fault.row is None else str(fault.row)
    value = "" if fault.value is None else str(fault.value)
    return row, fault.column or "", fault.code, value, fault.message


def _number(count: int) -> str:
    return format_decimal_vi(count)
