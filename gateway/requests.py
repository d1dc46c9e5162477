"""What comes in at /graphql: one operation as strict JSON in a POST, or one query in the address of a GET."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from starlette.requests import Request

from chassis.errors import (
    BODY_TOO_LARGE,
    BODY_UNREADABLE,
    MEDIA_UNSUPPORTED,
    HouseError,
    TooLarge,
    Unreadable,
    UnsupportedMedia,
    rule,
)

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"

ENCODING_UNSUPPORTED = rule(
    "content_encoding_unsupported",
    vi="Ở đây không nhận nội dung nén ({encoding}).",
    en="A compressed body ({encoding}) is not read here.",
)
PARAMETER_INVALID = rule(
    "graphql_parameter_invalid",
    vi="Tham số {parameter} phải là {expected_vi}.",
    en="The parameter {parameter} must be {expected_en}.",
)
GET_READS_ONLY = rule(
    "graphql_get_reads_only",
    vi="GET chỉ nhận truy vấn; hãy gửi thao tác này bằng POST.",
    en="A GET answers queries only; send this operation by POST.",
)


class WrongMethod(HouseError):
    """A writing operation in the address of a GET."""

    status = 405


_decoder = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One operation to run: its text, the name of the operation in it, and its variables."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    is_read_only: bool = False


async def read_request(request: Request, limit: int) -> GraphQLRequest:
    """Read the operation from a POST body or from the address of a GET.

    Raises:
        UnsupportedMedia: not application/json in UTF-8 ("media_unsupported"), or compressed
            ("content_encoding_unsupported").
        TooLarge: a body over the limit ("body_too_large").
        Unreadable: not one JSON object ("body_unreadable"; lists of operations are not taken), or a parameter
            of the wrong kind ("graphql_parameter_invalid").
    """
    if request.method != "POST":
        return _from_query(request)
    _check_media(request)
    body = await _read_body(request, limit)
    return _parsed(_decode(body), is_read_only=False)


def _check_media(request: Request) -> None:
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMedia(ENCODING_UNSUPPORTED, encoding=encoding)
    content_type = request.headers.get("Content-Type", "")
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charset = next((part.removeprefix("charset=").strip('"') for part in parameters if part.startswith("charset=")), "")
    if kind != JSON or charset not in ("", "utf-8", "utf8"):
        raise UnsupportedMedia(MEDIA_UNSUPPORTED, content_type=content_type or "–", accepted=JSON)


async def _read_body(request: Request, limit: int) -> bytes:
    declared = request.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared[:18]) > limit:
        raise TooLarge(BODY_TOO_LARGE, limit_bytes=limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge(BODY_TOO_LARGE, limit_bytes=limit)
    return bytes(body)


def _decode(body: bytes | str) -> Any:
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise Unreadable(BODY_UNREADABLE, reason=str(error)) from error


def _from_query(request: Request) -> GraphQLRequest:
    given = request.query_params
    fields: dict[str, Any] = {"query": given.get("query"), "operationName": given.get("operationName")}
    for name in ("variables", "extensions"):
        fields[name] = _decode(given[name]) if name in given else None
    return _parsed(fields, is_read_only=True)


def _parsed(fields: Any, *, is_read_only: bool) -> GraphQLRequest:
    if not isinstance(fields, dict):
        raise Unreadable(BODY_UNREADABLE, reason="one JSON object is expected")
    query = fields.get("query")
    if not isinstance(query, str):
        raise _invalid("query", "một chuỗi", "a string")
    name = fields.get("operationName")
    if not isinstance(name, str | None):
        raise _invalid("operationName", "một chuỗi hoặc null", "a string or null")
    for parameter in ("variables", "extensions"):
        if not isinstance(fields.get(parameter), dict | None):
            raise _invalid(parameter, "một đối tượng hoặc null", "an object or null")
    return GraphQLRequest(query, name or None, fields.get("variables") or {}, is_read_only)


def _invalid(parameter: str, expected_vi: str, expected_en: str) -> HouseError:
    return Unreadable(PARAMETER_INVALID, parameter=parameter, expected_vi=expected_vi, expected_en=expected_en)


def prefers_graphql_json(accept: str | None) -> bool:
    """Whether the caller takes application/graphql-response+json rather than application/json.

    A caller that names neither gets application/json, as one that names nothing.
    """
    weights = {JSON: 0.0, GRAPHQL_JSON: 0.0}
    for part in (accept or "").split(","):
        kind, *parameters = (item.strip().lower() for item in part.split(";"))
        if kind in weights:
            weights[kind] = max(weights[kind], _quality(parameters))
    return weights[GRAPHQL_JSON] > 0 and weights[GRAPHQL_JSON] >= weights[JSON]


def wants_page(request: Request) -> bool:
    """Whether a browser asks for the GraphiQL page rather than for data."""
    return request.method != "POST" and "text/html" in request.headers.get("Accept", "").lower()


def _quality(parameters: list[str]) -> float:
    text = next((item.removeprefix("q=") for item in parameters if item.startswith("q=")), "1")
    return float(text) if text.replace(".", "", 1).isdecimal() else 1.0
