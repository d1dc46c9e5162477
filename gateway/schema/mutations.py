"""Writes: handed to the service that owns them, under its rules and the caller's own token."""

from __future__ import annotations

from typing import Annotated, Any

from chassis.replies import encode
from gateway.clients import Reply, Row, UpstreamProblem
from gateway.context import Info
from gateway.loaders import ACTUALS
from gateway.types.enums import OnStale, PostMode
from gateway.types.posting import ActualInput
from gateway.types.scorecards import argument

Key = Annotated[str, argument("Makes a retry safe: the same key and rows have one effect and one answer. 30 days.")]
COUNTS = ("received", "created", "updated", "unchanged", "stale", "duplicates", "refused")


async def post_actuals(  # the arguments of the field
    info: Info,
    idempotency_key: Key,
    rows: Annotated[list[ActualInput], argument("At most 1,000 rows.")],
    mode: Annotated[PostMode, argument("All rows or none, or the good ones.")] = PostMode.ATOMIC,
    dry_run: Annotated[bool, argument("Judge everything, write nothing.")] = False,
    on_stale: Annotated[OnStale, argument("What happens to rows older than what is stored.")] = OnStale.REFUSE,
) -> Row:
    """Post figures; refusals by a rule are part of the answer, with the codes of REST."""
    body = encode({"actuals": [_row(row) for row in rows]})
    params = {"mode": mode.value, "on_stale": on_stale.value, "dry_run": "true" if dry_run else None}
    headers = {"Idempotency-Key": idempotency_key}
    reply = await info.context.services.post("indicators", ACTUALS.path, body, headers, params)
    asked = {"mode": mode.value, "dry_run": dry_run}
    return _taken(reply) if reply.status < 300 else _refused(reply, asked)


def _row(row: ActualInput) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if value is not None}


def _taken(reply: Reply) -> Row:
    is_replayed = reply.headers.get("Idempotency-Replayed") == "true"
    return {**reply.body, "is_replayed": is_replayed, "errors_total": len(reply.body["errors"])}


def _refused(reply: Reply, asked: Row) -> Row:
    """A refusal by a rule as user errors; one that is about the caller (401, 403 …) stays an error of the field."""
    problem = reply.body
    if reply.status not in (409, 422):
        raise UpstreamProblem("indicators", reply.status, problem)
    errors = problem.get("errors") or [{"code": problem["code"], "message": problem["detail"]}]
    counts = {name: problem.get(name) for name in COUNTS}
    total = problem.get("errors_total", len(errors))
    return {**counts, **asked, "is_replayed": False, "errors": errors, "warnings": [], "errors_total": total}
