"""House errors: a stable code, two sentences, and the place of every fault.

A `Rule` is declared once, next to the rule it words; `problems.py` turns what is raised into RFC 9457.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to refuse: a code that never changes, worded in Vietnamese and English."""

    code: str
    vi: str
    en: str

    def sentence(self, language: str, values: Mapping[str, object]) -> str:
        """The rule in one sentence with its values filled in; a missing value shows as its name."""
        template = self.vi if language == "vi" else self.en
        return template.format_map(_Named(values))


class _Named(dict[str, object]):
    def __missing__(self, key: str) -> object:
        # A value with one wording for both languages stands for its name in either.
        shared = key.removesuffix("_vi").removesuffix("_en")
        return self.get(shared, f"‹{key}›")


RULES: dict[str, Rule] = {}


def rule(code: str, *, vi: str, en: str) -> Rule:
    """Declare a rule. A code is used once in the whole house and never again after it retired."""
    if code in RULES:
        raise ValueError(f"rule {code} is declared twice")
    RULES[code] = Rule(code, vi, en)
    return RULES[code]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in a body: which rule, where (JSON pointer, or row and column), and the value seen."""

    rule: Rule
    values: Mapping[str, object] = field(default_factory=dict)
    pointer: str | None = None
    row: int | None = None
    column: str | None = None
    value: object = None


class HouseError(Exception):
    """A refusal the caller can act on. Subclasses carry the HTTP status; nothing else knows it."""

    status: ClassVar[int] = 500

    def __init__(
        self,
        rule: Rule,
        /,
        *,
        faults: Sequence[Fault] = (),
        faults_total: int | None = None,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, object] | None = None,
        **values: object,
    ) -> None:
        super().__init__(rule.code)
        self.rule = rule
        self.values = values
        self.faults = tuple(faults)
        self.faults_total = len(self.faults) if faults_total is None else faults_total
        self.headers = dict(headers or {})
        self.members = dict(members or {})  # what a program needs to go on, beside the sentence


class Unreadable(HouseError):
    """The request cannot be read at all."""

    status = 400


class Unauthenticated(HouseError):
    """No token, or a token that does not hold."""

    status = 401


class Forbidden(HouseError):
    """The token holds but does not reach this far."""

    status = 403


class NotFound(HouseError):
    """There is no such thing, or the caller may not see it."""

    status = 404


class NotAcceptable(HouseError):
    """None of the asked formats is offered here."""

    status = 406


class Conflict(HouseError):
    """The request is sound but the present state forbids it."""

    status = 409


class Gone(HouseError):
    """It was there and will not come back (an expired cursor)."""

    status = 410


class PreconditionFailed(HouseError):
    """`If-Match` names a version that is no longer the current one."""

    status = 412


class TooLarge(HouseError):
    """The body or the batch is over the limit, which the problem names."""

    status = 413


class UnsupportedMedia(HouseError):
    """The content type or encoding is not read here."""

    status = 415


class Refused(HouseError):
    """A rule of the domain refuses the content."""

    status = 422


class TooManyRequests(HouseError):
    """The caller's budget is used up for now."""

    status = 429


class HeadersTooLarge(HouseError):
    """The headers of a request are over the limit, which the problem names."""

    status = 431


class Unavailable(HouseError):
    """Something we stand on is away; the same request may succeed later."""

    status = 503


INTERNAL_ERROR = rule(
    "internal_error",
    vi="Lỗi nội bộ. Hãy gửi mã yêu cầu này cho bộ phận vận hành.",
    en="Internal error. Give this request id to the operator.",
)
NOT_FOUND = rule("not_found", vi="Không có địa chỉ {path}.", en="There is nothing at {path}.")
METHOD_NOT_ALLOWED = rule(
    "method_not_allowed",
    vi="Địa chỉ {path} không nhận phương thức {method}.",
    en="{path} does not take {method}.",
)
BODY_UNREADABLE = rule(
    "body_unreadable",
    vi="Nội dung không phải JSON hợp lệ: {reason}.",
    en="The body is not valid JSON: {reason}.",
)
BODY_TOO_LARGE = rule(
    "body_too_large",
    vi="Nội dung vượt giới hạn {limit_bytes} byte.",
    en="The body is over the limit of {limit_bytes} bytes.",
)
HEADERS_TOO_LARGE = rule(
    "headers_too_large",
    vi="Phần đầu của yêu cầu (các header cộng lại) vượt giới hạn {limit_bytes} byte.",
    en="The headers of the request together are over the limit of {limit_bytes} bytes.",
)
MEDIA_UNSUPPORTED = rule(
    "media_unsupported",
    vi="Không đọc được kiểu nội dung {content_type}; ở đây nhận {accepted}.",
    en="Cannot read content type {content_type}; accepted here: {accepted}.",
)
BODY_INVALID = rule(
    "body_invalid",
    vi="Nội dung không đúng quy định; xem từng lỗi trong danh sách.",
    en="The content breaks the rules; see each fault in the list.",
)
FIELD_INVALID = rule("field_invalid", vi="Giá trị không hợp lệ: {reason_vi}.", en="Invalid value: {reason}.")
FIELD_MISSING = rule("field_missing", vi="Thiếu trường {field}.", en="Field {field} is missing.")
FIELD_UNKNOWN = rule(
    "field_unknown",
    vi="Không có trường {field}.{suggestion_vi}",
    en="There is no field {field}.{suggestion_en}",
)
PARAMETER_UNKNOWN = rule(
    "parameter_unknown",
    vi="Không có tham số {parameter}.{suggestion_vi}",
    en="There is no parameter {parameter}.{suggestion_en}",
)
DATABASE_UNAVAILABLE = rule(
    "database_unavailable",
    vi="Cơ sở dữ liệu tạm thời không truy cập được; hãy thử lại.",
    en="The database cannot be reached right now; try again.",
)
REQUEST_TIMED_OUT = rule(
    "request_timed_out",
    vi="Yêu cầu mất quá nhiều thời gian; hãy gửi lại, với cùng Idempotency-Key nếu là ghi.",
    en="The request took too long; send it again, with the same Idempotency-Key if it writes.",
)
STALE_VERSION = rule(
    "stale_version",
    vi="Bản ghi đã ở phiên bản {current}, không còn là {asked}; hãy đọc lại rồi sửa.",
    en="The record is at version {current}, no longer {asked}; read it again, then edit.",
)
UNIT_NOT_COVERED = rule(
    "unit_not_covered",
    vi="Mã truy cập này không được làm thay đơn vị {admin_unit}.",
    en="This token may not act for unit {admin_unit}.",
)
