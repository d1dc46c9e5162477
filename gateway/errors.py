"""What a caller sees of an error: house codes and its own mistakes in full, everything else as a trace id."""

from __future__ import annotations

from typing import Any

import structlog
from graphql import GraphQLError

from chassis.errors import HouseError, rule
from gateway.clients import UpstreamAway, UpstreamBroken, UpstreamProblem

log = structlog.get_logger("gateway")

UPSTREAM_UNAVAILABLE = rule(
    "upstream_unavailable",
    vi="Dịch vụ {service} tạm thời không trả lời; phần còn lại vẫn dùng được.",
    en="The service {service} does not answer right now; the rest of the reply stands.",
)


def format_error(error: GraphQLError, *, language: str, trace_id: str) -> dict[str, Any]:
    """One entry of `errors`, safe to send."""
    message, extensions = _told(error, language, trace_id)
    entry: dict[str, Any] = {"message": message}
    if error.locations:
        entry["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        entry["path"] = list(error.path)
    entry["extensions"] = extensions
    return entry


def _told(error: GraphQLError, language: str, trace_id: str) -> tuple[str, dict[str, Any]]:
    cause = error.original_error
    if isinstance(cause, UpstreamAway):
        return _away(cause, language, trace_id)
    if isinstance(cause, UpstreamProblem):
        return _refused(cause, trace_id)
    if isinstance(cause, HouseError):
        return cause.rule.sentence(language, cause.values), {"code": cause.rule.code}
    if cause is None or isinstance(cause, GraphQLError):
        return error.message, {"code": "GRAPHQL_VALIDATION_FAILED", **(error.extensions or {})}
    log.error("operation_failed", path=error.path, exc_info=cause)
    told = {"code": "INTERNAL_ERROR", "traceId": trace_id}
    return "Internal error", {**told, "service": cause.service} if isinstance(cause, UpstreamBroken) else told


def _away(cause: UpstreamAway, language: str, trace_id: str) -> tuple[str, dict[str, Any]]:
    log.warning("upstream_away", service_asked=cause.service, reason=cause.reason)
    message = UPSTREAM_UNAVAILABLE.sentence(language, {"service": cause.service})
    return message, {
        "code": "UPSTREAM_UNAVAILABLE",
        "service": cause.service,
        "retryable": cause.retryable,
        "traceId": trace_id,
    }


def _refused(cause: UpstreamProblem, trace_id: str) -> tuple[str, dict[str, Any]]:
    extensions = {"code": cause.problem["code"], "service": cause.service, "status": cause.status, "traceId": trace_id}
    if cause.problem.get("errors"):
        extensions["errors"] = cause.problem["errors"]
    return str(cause.problem["detail"]), extensions
