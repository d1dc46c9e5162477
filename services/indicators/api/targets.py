"""Targets over HTTP."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from chassis.answers import PageOf, answers
from chassis.database import Reading, Writing
from chassis.listing import answer
from chassis.pages import KnownAt, Paging, chosen
from chassis.replica import CatchUp
from chassis.replies import IfMatch, reply
from services.indicators.api.router import IndicatorsRead, OfTargets, Prune, TargetsWrite, Words, router, viewer_of
from services.indicators.schemas.targets import TargetRow, TargetsApplied, TargetsBody, TargetsOfPlan
from services.indicators.service import targets as service
from services.indicators.service.applying import Terms

TAGS: list[str | Enum] = ["targets"]
REFUSALS = {
    403: "scope_missing, unit_not_covered",
    404: "target_plan_unknown",
    409: "targets_plan_closed, targets_need_amendment with target_needs_amendment",
    412: "stale_version, if_match_invalid",
    422: "body_invalid with indicator_unknown, indicator_of_another_owner, target_kind_mismatch, comparator_mismatch, "
    "target_value_missing, target_value_not_allowed, value_out_of_scale, target_unreachable, due_malformed, "
    "due_missing, baseline_missing, baseline_equals_target, target_twice, key_twice, field_unknown, field_invalid",
}


@router.get("/targets", tags=TAGS, responses=answers(PageOf[TargetRow]))
async def list_targets(
    request: Request,
    db: Reading,
    caller: IndicatorsRead,
    page: Paging,
    wanted: OfTargets,
    comparator: Annotated[list[str] | None, Query(description="Comparators: gte, gt, top_n …")] = None,
    value_type: Annotated[list[str] | None, Query(description="Kinds of values.")] = None,
    office: Annotated[list[str] | None, Query(description="Office slugs, in any role.")] = None,
    q: Words = None,
) -> Response:
    """Targets over all plans, by plan and in each plan's own order, with the plan's own words."""
    narrowed = replace(
        wanted,
        comparators=chosen(comparator),
        value_types=chosen(value_type),
        offices=chosen(office),
        words=q,
    )
    return await answer(request, db, service.list_targets(viewer_of(request, caller), narrowed, page.known_at), page)


@router.get("/targets/{plan_key}", tags=TAGS, responses=answers(TargetsOfPlan, {404: "target_plan_unknown"}))
async def get_targets(
    request: Request, db: Reading, caller: IndicatorsRead, plan_key: str, known_at: KnownAt
) -> Response:
    """All targets of one plan, now or as they were known; the ETag of the present ones names the version."""
    found = await service.get_targets(db, viewer_of(request, caller), plan_key, known_at)
    return reply(found, version=found["version"])


@router.put("/targets/{plan_key}", tags=TAGS, responses=answers(TargetsApplied, REFUSALS))
async def put_targets(
    db: Writing,
    caller: TargetsWrite,
    plan_key: str,
    body: TargetsBody,
    catch_up: CatchUp,
    if_match: IfMatch,
    prune: Prune = False,
    correction: Annotated[
        str | None,
        Query(min_length=5, max_length=400, description="Why what was recorded of an issued plan was wrong; kept."),
    ] = None,
) -> Response:
    """Make a plan's targets say what the body says; what they said before stays readable with `known_at`.

    An unchanged body writes and announces nothing. The targets of an issued plan are added once; then they change
    with an amendment of the plan (`POST /v1/plans/{plan_key}/amend`), a wrong entry is mended with `correction`.
    """
    terms = Terms(catch_up, prune, if_match, correction)
    applied = await service.apply_targets(db, caller, plan_key, body, terms)
    return reply(applied, version=applied["version"])
