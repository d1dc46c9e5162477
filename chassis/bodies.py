"""Bodies: read with a limit, decoded with exact decimals, text in NFC, unknown names refused with a suggestion."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from typing import Any

import msgspec
from fastapi import Request
from fastapi._compat import field_annotation_is_sequence
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import ParamTypes
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import QueryParams
from starlette.responses import Response

from chassis.auth import Need
from chassis.errors import (
    BODY_INVALID,
    BODY_TOO_LARGE,
    BODY_UNREADABLE,
    MEDIA_UNSUPPORTED,
    PARAMETER_UNKNOWN,
    Fault,
    Refused,
    TooLarge,
    Unreadable,
    UnsupportedMedia,
    rule,
)
from chassis.problems import unknown
from chassis.tabular import unpacking
from chassis.text import nfc

TEXT_HAS_NUL = rule(
    "text_has_nul",
    vi="Văn bản có ký tự NUL, không lưu được.",
    en="The text has a NUL character, which cannot be kept.",
)
PARAMETER_REPEATED = rule(
    "parameter_repeated",
    vi="Tham số {parameter} chỉ nhận một giá trị.",
    en="The parameter {parameter} takes one value only.",
)
NUMBER_OUT_OF_RANGE = rule(
    "number_out_of_range",
    vi="Số {number} có quá nhiều chữ số hoặc quá lớn, quá nhỏ.",
    en="The number {number} has too many digits, or is too large or too small.",
)
# Nothing counted here has a hundred digits; written out in full, 1e1000000000 alone would fill the memory.
MOST_DIGITS = 100
_decoder = msgspec.json.Decoder(float_hook=Decimal)


class Body(BaseModel):
    """A body: no unknown field, never changed after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


async def read_body(request: Request, limit: int) -> bytes:
    """The body, never more than `limit` bytes of it.

    Raises:
        TooLarge: declared or found larger ("body_too_large", with the limit).
        UnsupportedMedia: packed, which is not unpacked here ("media_unsupported").
    """
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding != "identity":
        raise UnsupportedMedia(MEDIA_UNSUPPORTED, content_type=f"Content-Encoding {encoding}", accepted="identity")
    return b"".join([chunk async for chunk in _limited(request, limit)])


async def _limited(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body as it arrives.

    Raises:
        TooLarge: declared or found larger ("body_too_large", with the limit).
    """
    too_large = TooLarge(BODY_TOO_LARGE, limit_bytes=limit, headers={"Connection": "close"})
    declared, size = request.headers.get("Content-Length", "0"), 0
    if declared.isdigit() and int(declared) > limit:
        raise too_large
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_large
        yield chunk


@dataclass(frozen=True, slots=True)
class Upload:
    """A body of rows as it came, unpacked but for `content_encoding`, with the digest of the bytes as sent."""

    content: bytes
    content_type: str | None
    sha256: bytes
    content_encoding: str | None = None
    is_for_later: bool = False


async def receive(request: Request) -> Upload:
    """Take in a body of rows, unpacking it as it arrives (gzip, zstd), never more than the limits allow.

    One that is to be worked on later (`Prefer: respond-async`) stays packed until then.

    Raises:
        TooLarge: more than the limit as sent ("body_too_large") or unpacked ("unpacked_too_large").
        UnsupportedMedia: another packing ("media_unsupported").
        Unreadable: broken packing ("content_encoding_broken").
    """
    settings = request.app.state.house.settings
    encoding = request.headers.get("Content-Encoding")
    is_for_later = prefers_later(request)
    packing = unpacking(None if is_for_later else encoding, settings.max_unpacked_bytes)
    digest, content = hashlib.sha256(), BytesIO()  # many small pieces would be held twice for a while
    async for chunk in _limited(request, settings.max_bulk_bytes):
        digest.update(chunk)
        content.write(packing.feed(chunk))
    packing.finish()
    request.state.body_digest = digest.digest()
    kept = encoding if is_for_later else None
    return Upload(content.getvalue(), request.headers.get("Content-Type"), digest.digest(), kept, is_for_later)


def prefers_later(request: Request) -> bool:
    """Whether the caller would rather be answered before the work is done (RFC 7240)."""
    asked = ",".join(request.headers.getlist("Prefer"))
    return "respond-async" in {each.split(";")[0].strip().lower() for each in asked.split(",")}


def decode_json(body: bytes) -> Any:
    """JSON with exact decimals and NFC text.

    Raises:
        Unreadable: not JSON, not UTF-8, or nested beyond reason ("body_unreadable").
        Refused: a text holds NUL ("text_has_nul"), a number is beyond reason ("number_out_of_range"), with
            their pointers.
    """
    try:
        faults: list[Fault] = []
        value = _clean(_decoder.decode(body), "", faults)
    except (msgspec.DecodeError, RecursionError, UnicodeError, ArithmeticError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise Unreadable(BODY_UNREADABLE, reason=reason) from error
    if faults:
        raise Refused(BODY_INVALID, faults=faults)
    return value


def _clean(value: Any, pointer: str, faults: list[Fault]) -> Any:
    if isinstance(value, str):
        if "\x00" in value:
            faults.append(Fault(TEXT_HAS_NUL, pointer=pointer))
        return nfc(value)
    if isinstance(value, list):
        return [_clean(item, f"{pointer}/{index}", faults) for index, item in enumerate(value)]
    if isinstance(value, Decimal) and not _is_writable(value):
        number = f"{str(value)[:20]}…" if len(str(value)) > 20 else str(value)
        faults.append(Fault(NUMBER_OUT_OF_RANGE, {"number": number}, pointer=pointer, value=number))
    if isinstance(value, dict):
        return {_clean(k, pointer, faults): _clean(v, f"{pointer}/{k}", faults) for k, v in value.items()}
    return value


def _is_writable(number: Decimal) -> bool:
    return abs(number.adjusted()) <= MOST_DIGITS and len(number.as_tuple().digits) <= MOST_DIGITS


def _require_json(request: Request) -> None:
    kind = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMedia(MEDIA_UNSUPPORTED, content_type=kind or "—", accepted="application/json")


def _refuse_unknown_parameters(request: Request, known: frozenset[str]) -> None:
    strangers = [name for name in request.query_params if name not in known]
    if strangers:
        faults = [Fault(PARAMETER_UNKNOWN, unknown(name, known), column=name) for name in dict.fromkeys(strangers)]
        first = unknown(strangers[0], known)
        raise Refused(
            PARAMETER_UNKNOWN,
            faults=faults,
            parameter=strangers[0],
            suggestion_vi=first["suggestion_vi"],
            suggestion_en=first["suggestion_en"],
        )


def _refuse_repeated_parameters(request: Request, single: frozenset[str]) -> None:
    """Of two values for one question the last would count unseen: dry_run=true&dry_run=false."""
    given = Counter(name for name, _ in request.query_params.multi_items() if name in single)
    faults = [Fault(PARAMETER_REPEATED, {"parameter": name}, column=name) for name, count in given.items() if count > 1]
    if faults:
        raise Refused(PARAMETER_REPEATED, faults=faults, parameter=faults[0].column)


def _clean_parameters(request: Request) -> None:
    """Bring the text of query and path into the one normal form.

    Raises:
        Refused: a parameter holds NUL, which no database keeps ("text_has_nul").
    """
    given = [*request.query_params.multi_items(), *request.path_params.items()]
    faults = [Fault(TEXT_HAS_NUL, column=name) for name, value in given if "\x00" in str(value)]
    if faults:
        raise Refused(TEXT_HAS_NUL, faults=faults)
    request._query_params = QueryParams([(name, nfc(value)) for name, value in request.query_params.multi_items()])
    request.scope["path_params"] = {name: nfc(str(value)) for name, value in request.path_params.items()}


def _needs_of(dependant: Dependant) -> Iterator[Need]:
    if isinstance(dependant.call, Need):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from _needs_of(inner)


class HouseRoute(APIRoute):
    """A route that reads its body our way and refuses query parameters it does not know, or twice where one counts."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the framework's handler: by the time it reads the body, the body is read and decoded."""
        inner = super().get_route_handler()
        params = get_flat_params(self.dependant)
        asked = [p for p in params if getattr(p.field_info, "in_", None) == ParamTypes.query]
        known = frozenset(p.alias for p in asked)
        single = frozenset(p.alias for p in asked if not field_annotation_is_sequence(p.field_info.annotation))
        has_body = self.body_field is not None
        needs = list(_needs_of(self.dependant))

        async def handle(request: Request) -> Response:
            for need in needs:  # nobody makes us read a body, or wait, who may not come in
                await need(request)
            _refuse_unknown_parameters(request, known)
            _refuse_repeated_parameters(request, single)
            _clean_parameters(request)
            if has_body:
                _require_json(request)
                limit = request.app.state.house.settings.max_document_bytes
                request._body = await read_body(request, limit)
                request._json = decode_json(request._body)
            return await inner(request)

        return handle
