"""House errors become RFC 9457 problems here, and only here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from chassis.errors import (
    BODY_INVALID,
    DATABASE_UNAVAILABLE,
    FIELD_INVALID,
    FIELD_MISSING,
    FIELD_UNKNOWN,
    HEADERS_TOO_LARGE,
    INTERNAL_ERROR,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    REQUEST_TIMED_OUT,
    RULES,
    Fault,
    HeadersTooLarge,
    HouseError,
    Refused,
    Rule,
    Unavailable,
)
from chassis.reasons import reason_values
from chassis.replies import encode, preferred
from chassis.telemetry import MAX_HEADER_BYTES, Failures
from chassis.text import suggest

MEDIA_TYPE = "application/problem+json"
MAX_FAULTS = 1000
_TITLES = {
    400: ("Không đọc được yêu cầu", "Unreadable request"),
    401: ("Chưa xác thực", "Not authenticated"),
    403: ("Không đủ quyền", "Not allowed"),
    404: ("Không tìm thấy", "Not found"),
    405: ("Phương thức không được nhận", "Method not allowed"),
    406: ("Không có dạng được yêu cầu", "Not acceptable"),
    409: ("Xung đột trạng thái", "Conflict"),
    410: ("Không còn nữa", "Gone"),
    412: ("Phiên bản không khớp", "Precondition failed"),
    413: ("Quá lớn", "Too large"),
    415: ("Kiểu nội dung không nhận", "Unsupported media type"),
    422: ("Bị từ chối theo quy định", "Refused by a rule"),
    429: ("Quá nhiều yêu cầu", "Too many requests"),
    431: ("Phần đầu yêu cầu quá lớn", "Request headers too large"),
    500: ("Lỗi nội bộ", "Internal error"),
    503: ("Tạm thời không phục vụ", "Temporarily unavailable"),
}


def language_of(accept_language: str | None) -> str:
    """`vi` unless English is preferred."""
    asked = (name.split("-")[0] for name in preferred(accept_language or ""))
    return next((name for name in asked if name in ("vi", "en")), "vi")


def fault_body(fault: Fault, language: str) -> dict[str, Any]:
    """One fault with its code, place, value and sentence."""
    place: dict[str, Any] = {"pointer": fault.pointer, "row": fault.row, "column": fault.column}
    return {
        "code": fault.rule.code,
        **{name: value for name, value in place.items() if value is not None},
        "value": _shown(fault.value),
        "message": fault.rule.sentence(language, fault.values),
    }


def _shown(value: object) -> object:
    if isinstance(value, str) and len(value) > 200:
        return value[:200] + "…"
    if isinstance(value, list | dict):
        return None
    return value


def problem_body(error: HouseError, language: str, *, base: str, instance: str, request_id: str) -> dict[str, Any]:
    """The whole problem; every fault is listed, capped at 1,000 with the true total."""
    title = _TITLES.get(error.status, _TITLES[500])[0 if language == "vi" else 1]
    body: dict[str, Any] = {
        "type": f"{base}/problems/{error.rule.code}",
        "title": title,
        "status": error.status,
        "detail": error.rule.sentence(language, error.values),
        "instance": instance,
        "code": error.rule.code,
        "request_id": request_id,
        **error.members,
    }
    if error.faults:
        body["errors"] = [fault_body(fault, language) for fault in error.faults[:MAX_FAULTS]]
        body["errors_total"] = error.faults_total
    return body


def problem(error: HouseError, scope: Scope, base: str) -> Response:
    """A problem as a response to a request."""
    headers = {k.decode().lower(): v.decode("latin-1") for k, v in scope["headers"]}
    language = language_of(headers.get("accept-language"))
    request_id = scope.get("state", {}).get("request_id", "")
    body = problem_body(error, language, base=base, instance=scope["path"], request_id=request_id)
    return Response(
        encode(body),
        status_code=error.status,
        media_type=MEDIA_TYPE,
        headers={"Content-Language": language, "Cache-Control": "no-store", **error.headers},
    )


class _Internal(HouseError):
    status = 500


def failures(base: str) -> Failures:
    """The replies to what nobody caught (no stack trace, only the request id), took too long, or is not looked at."""
    wide = HeadersTooLarge(HEADERS_TOO_LARGE, limit_bytes=MAX_HEADER_BYTES)
    slow = Unavailable(REQUEST_TIMED_OUT, headers={"Retry-After": "5"})
    return Failures(
        unforeseen=lambda scope: problem(_Internal(INTERNAL_ERROR), scope, base),
        too_slow=lambda scope: problem(slow, scope, base),
        too_wide=lambda scope: problem(wide, scope, base),
    )


class _Plain(HouseError):
    """An HTTP error raised by the framework, with its own status."""

    def __init__(self, status: int, rule: Rule, headers: Mapping[str, str] | None, **values: object) -> None:
        super().__init__(rule, headers=headers)
        self.values = values
        self.status = status  # type: ignore[misc]  # the framework decides this one


def body_refusal(items: Iterable[Mapping[str, Any]], body: Any) -> Refused:
    """The refusal of what pydantic found wrong; `body` is the body's type, whose fields are suggested."""
    return Refused(BODY_INVALID, faults=[_fault(item, body) for item in items])


def _fault(item: Mapping[str, Any], body: Any) -> Fault:
    origin, *place = item["loc"]
    in_body = origin == "body"
    pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in place) if in_body else None
    column = None if in_body else ".".join(str(part) for part in place)
    name = str(place[-1]) if place else str(origin)
    value = item.get("input")
    if item["type"] == "missing":
        return Fault(FIELD_MISSING, {"field": name}, pointer=pointer, column=column)
    if item["type"] == "extra_forbidden":
        return Fault(FIELD_UNKNOWN, unknown(name, _fields_at(body, place[:-1])), pointer=pointer, value=value)
    if item["type"] in RULES:
        # A validator that refuses for a rule of the house raises PydanticCustomError with the rule's code.
        return Fault(RULES[item["type"]], item.get("ctx", {}), pointer=pointer, column=column, value=value)
    return Fault(FIELD_INVALID, reason_values(item), pointer=pointer, column=column, value=value)


def _fields_at(annotation: Any, place: Sequence[Any]) -> set[str]:
    """The fields of the model, or models, that may stand at a place of a body of this type."""
    models = _models_in(annotation)
    for part in place:
        # Indexes lead to the items of a list, whose models are known already.
        inner = [model.model_fields[part].annotation for model in models if part in model.model_fields]
        models = [found for each in inner for found in _models_in(each)] or models
    return {name for model in models for name in model.model_fields}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models a type is made of: itself, what its list holds, what it may be."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]


def unknown(name: str, known: Iterable[str]) -> dict[str, str]:
    """The values of an "unknown name" sentence, with the nearest known name as a suggestion."""
    near = suggest(name, list(known))
    return {
        "field": name,
        "parameter": name,
        "suggestion_vi": f" Có phải là {near}?" if near else "",
        "suggestion_en": f" Did you mean {near}?" if near else "",
    }


# SQLSTATE classes that pass by themselves: connection, resources, operator intervention, lock and deadlock.
_PASSING = ("08", "53", "57", "55P03", "40")


def is_passing(error: BaseException) -> bool:
    """Whether what failed is likely to succeed later, without anybody changing anything."""
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", "") or "")
        return error.connection_invalidated or state.startswith(_PASSING) or isinstance(error.orig, OSError)
    return isinstance(error, Unavailable | PoolTimeout | OSError)


def _database(error: DBAPIError) -> HouseError:
    if is_passing(error):
        return Unavailable(DATABASE_UNAVAILABLE, headers={"Retry-After": "1"})
    raise error


def install_problems(app: FastAPI, base: str) -> None:
    """Make every error of an application leave it as a problem."""

    async def house(request: Request, error: Exception) -> Response:
        assert isinstance(error, HouseError)
        return problem(error, request.scope, base)

    async def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        field = getattr(request.scope.get("route"), "body_field", None)
        body = field.field_info.annotation if field is not None else None
        return problem(body_refusal(error.errors(), body), request.scope, base)

    async def framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        rule = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED}.get(error.status_code, BODY_INVALID)
        plain = _Plain(error.status_code, rule, error.headers, path=request.url.path, method=request.method)
        return problem(plain, request.scope, base)

    async def database(request: Request, error: Exception) -> Response:
        assert isinstance(error, DBAPIError)
        return problem(_database(error), request.scope, base)

    async def away(request: Request, _error: Exception) -> Response:
        return problem(Unavailable(DATABASE_UNAVAILABLE, headers={"Retry-After": "1"}), request.scope, base)

    app.add_exception_handler(HouseError, house)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, framework)
    app.add_exception_handler(DBAPIError, database)
    for kind in (PoolTimeout, ConnectionError, OSError):
        app.add_exception_handler(kind, away)
