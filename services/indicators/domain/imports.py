"""Imports: what may be sent to one when, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chassis.errors import RULES, Fault, HouseError, Rule, rule

MOST_OPEN = 20  # unfinished imports of one client: each may keep a gigabyte
MOST_LAPSES = 5  # attempts that ended without a word: whoever runs it seems to die of it
MOST_WAITS = 20  # attempts that an outage ended: a quarter of an hour at least
LISTED = 1000

IMPORT_UNKNOWN = rule("import_unknown", vi="Không có lần nhập {import_id}.", en="There is no import {import_id}.")
IMPORTS_TOO_MANY = rule(
    "imports_too_many",
    vi="Đã có {limit} lần nhập chưa xong; hãy chờ, gửi nốt hoặc hủy bớt.",
    en="There are {limit} unfinished imports already; wait, finish sending, or cancel some.",
)
NOT_RECEIVING = rule(
    "import_not_receiving",
    vi="Lần nhập này không nhận thêm nội dung: nó đang ở trạng thái {state}.",
    en="This import takes no more bytes: it is {state}.",
)
OFFSET_MISMATCH = rule(
    "upload_offset_mismatch",
    vi="Đã nhận {received_bytes} byte; phần tiếp theo phải bắt đầu từ đó, không phải từ {offset}.",
    en="{received_bytes} bytes are held; the next piece must begin there, not at {offset}.",
)
UPLOAD_TOO_LONG = rule(
    "upload_too_long",
    vi="Nội dung dài hơn {size_bytes} byte đã khai.",
    en="There are more bytes than the {size_bytes} declared.",
)
UPLOAD_INCOMPLETE = rule(
    "upload_incomplete",
    vi="Mới nhận {received_bytes} trên {size_bytes} byte đã khai.",
    en="Only {received_bytes} of the {size_bytes} declared bytes are held.",
)
UPLOAD_EMPTY = rule("upload_empty", vi="Chưa nhận được nội dung nào.", en="No bytes were sent.")
SHA256_MISMATCH = rule(
    "sha256_mismatch",
    vi="Nội dung nhận được có SHA-256 {found}, không phải {declared}: nó đã bị thay đổi trên đường.",
    en="The bytes received have the SHA-256 {found}, not {declared}: they were changed on the way.",
)
IMPORT_FINISHED = rule(
    "import_finished",
    vi="Lần nhập này đã kết thúc ({state}) nên không hủy được nữa.",
    en="This import is over ({state}) and cannot be cancelled.",
)
IMPORT_BROKE = rule(
    "import_broke",
    vi="Lần nhập này dừng vì lỗi nội bộ; chưa có gì được ghi. Hãy gửi mã yêu cầu cho bộ phận vận hành.",
    en="This import stopped on an internal error; nothing was written. Give the request id to the operator.",
)
IMPORT_GIVEN_UP = rule(
    "import_given_up",
    vi="Đã thử {attempts} lần không xong; chưa có gì được ghi. Hãy chia nhỏ hoặc báo bộ phận vận hành.",
    en="Given up after {attempts} attempts; nothing was written. Send it in parts, or tell the operator.",
)
NOTHING_TO_REVERT = rule(
    "nothing_to_revert",
    vi="Lần nhập {import_id} không ghi số liệu nào nên không có gì để hoàn lại.",
    en="Import {import_id} wrote no figure, so there is nothing to revert.",
)
REVERTED_ALREADY = rule(
    "import_reverted_already",
    vi="Lần nhập {import_id} đã được hoàn lại, hoặc đang được hoàn lại.",
    en="Import {import_id} has been reverted already, or is being reverted.",
)
ERRORS_NOT_KEPT = rule(
    "import_errors_not_kept",
    vi="Không lưu các dòng lỗi của lần gửi này: lỗi nằm trong câu trả lời khi gửi.",
    en="The refused rows of this post are not kept: its faults were in its reply.",
)
ERRORS_TOO_MANY = rule(
    "import_errors_too_many",
    vi="Các dòng lỗi quá nhiều cho một bảng tính; hãy tải dạng CSV (Accept: text/csv).",
    en="The refused rows are too many for a workbook; ask for CSV (Accept: text/csv).",
)
REVERT_REASON_BLANK = rule(
    "revert_reason_blank", vi="Hoàn lại phải nêu lý do (reason).", en="A revert needs its reason."
)
FIGURE_CHANGED_SINCE = rule(
    "changed_since_import",
    vi="Giữ nguyên {indicator} kỳ {period} của {admin_unit}: số liệu đã đổi sau lần nhập này.",
    en="{indicator} of {admin_unit} in {period} stays as it is: it changed after the import.",
)


class State(StrEnum):
    """How far an import has come."""

    RECEIVING = "receiving"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self not in (State.RECEIVING, State.QUEUED, State.RUNNING)


class Encoding(StrEnum):
    """How the bytes of an import are packed."""

    IDENTITY = "identity"
    GZIP = "gzip"
    ZSTD = "zstd"


@dataclass(frozen=True, slots=True)
class Upload:
    """What is held of an import's bytes, in bytes."""

    state: State
    received_bytes: int
    size_bytes: int | None

    def refusal(self, offset: int) -> Rule | None:
        """Why nothing can be added at a place; None if it can."""
        if self.state is not State.RECEIVING:
            return NOT_RECEIVING
        return OFFSET_MISMATCH if offset != self.received_bytes else None

    def too_long(self, more: int) -> bool:
        """Whether so many bytes more are more than were declared."""
        return self.size_bytes is not None and self.received_bytes + more > self.size_bytes

    def unfinished(self) -> Rule | None:
        """Why this cannot be all; None if it can."""
        if self.size_bytes is not None and self.received_bytes < self.size_bytes:
            return UPLOAD_INCOMPLETE
        return UPLOAD_EMPTY if not self.received_bytes else None


def back_off_seconds(waits: int) -> int:
    """How long an import's first, second … wait is before it is tried again, seconds: 1, 2, 4 … 60."""
    return min(60, 1 << min(max(0, waits - 1), 6))


def tries_in_vain(lapses: int, waits: int) -> int | None:
    """How many attempts ended badly, where there were too many to try again; None if it may be tried."""
    return lapses + waits if lapses >= MOST_LAPSES or waits >= MOST_WAITS else None


# --- what is kept of refusals: codes and values, worded when they are read


def kept_faults(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """Faults as they are kept; at most 1,000."""
    return [
        {"code": each.rule.code, "values": each.values, "row": each.row, "column": each.column, "value": each.value}
        for each in faults[:LISTED]
    ]


def fault_of(kept: Mapping[str, Any]) -> Fault:
    """A kept fault, to be worded."""
    return Fault(RULES[kept["code"]], kept["values"] or {}, row=kept["row"], column=kept["column"], value=kept["value"])


def kept_problem(error: HouseError) -> dict[str, Any]:
    """A refusal as it is kept."""
    return {
        "status": error.status,
        "code": error.rule.code,
        "values": error.values,
        "errors": kept_faults(error.faults),
        "errors_total": error.faults_total,
    }


class Kept(HouseError):
    """A refusal read from where it was kept, with the status it had."""

    def __init__(self, kept: Mapping[str, Any]) -> None:
        faults = [fault_of(each) for each in kept["errors"]]
        super().__init__(RULES[kept["code"]], faults=faults, faults_total=kept["errors_total"], **kept["values"])
        self.status = kept["status"]  # type: ignore[misc]  # each has its own
