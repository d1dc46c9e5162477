"""Plans over HTTP: headers, whole documents, and the acts of their life."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import Query, Request
from starlette.responses import Response

from chassis.answers import PageOf, answers
from chassis.database import Reading, Writing
from chassis.idempotency import Once
from chassis.listing import answer
from chassis.pages import KnownAt, Paging
from chassis.replies import IfMatch, reply
from services.plans.api.router import DRY_RUN, OfPlans, PlanKeyPath, PlansRead, PlansWrite, Prune, router
from services.plans.domain.filters import AsKnown
from services.plans.domain.plans import PlanStatus
from services.plans.schemas.plans import (
    AmendBody,
    CloseBody,
    IssueBody,
    PlanBody,
    PlanChanges,
    PlanDocument,
    PlanHeaderRow,
)
from services.plans.service import acts, lists
from services.plans.service import plans as service
from services.plans.service.plans import Terms

WRITE_REFUSALS = {403: "scope_missing, unit_not_covered", 412: "stale_version, if_match_invalid"}
DOCUMENT_FAULTS = (
    "body_invalid with office_unknown, office_repeated, item_key_repeated, item_link_unknown, lead_basis_mismatch, "
    "execution_time_invalid, execution_time_incomplete, plan_key_mismatch, plan_phase_invalid, field_unknown, "
    "field_invalid; plan_key_invalid, unit_unknown, unit_not_valid"
)
ACT_REFUSALS = {
    **WRITE_REFUSALS,
    400: "idempotency_key_missing, body_unreadable",
    404: "plan_unknown",
    422: "idempotency_key_reused, plan_key_invalid, field_invalid",
}


@router.get("", tags=["plans"], responses=answers(PageOf[PlanHeaderRow]))
async def list_plans(
    request: Request,
    db: Reading,
    caller: PlansRead,
    page: Paging,
    plans: OfPlans,
    status: Annotated[list[PlanStatus] | None, Query(description="Statuses; drafts need a token of the unit.")] = None,
    with_: Annotated[Literal["budget_rules"] | None, Query(alias="with", description="Embed the rules.")] = None,
) -> Response:
    """Headers of plans, by unit and key: what was issued, and drafts of the units the caller acts for."""
    wanted = replace(plans, statuses=tuple(status or ()))
    if with_ == "budget_rules":
        listing = lists.list_plans_with_rules(caller, wanted, page.known_at)
    else:
        listing = lists.list_plans(caller, wanted, page.known_at)
    return await answer(request, db, listing, page)


@router.get(
    "/{plan_key}", tags=["plans"], responses=answers(PlanDocument, {404: "plan_unknown, plan_revision_unknown"})
)
async def get_plan(
    db: Reading,
    caller: PlansRead,
    plan_key: PlanKeyPath,
    known_at: KnownAt,
    revision: Annotated[int | None, Query(ge=1, le=100_000, description="The last state of this revision.")] = None,
) -> Response:
    """A whole plan with everything it holds: now, as known at a moment, or as a revision last stood."""
    found = await service.get_plan(db, caller, plan_key, AsKnown(known_at, revision))
    headers = {"Known-At": known_at.isoformat().replace("+00:00", "Z")} if known_at else {}
    return reply(found, version=found["version"], headers=headers)


@router.put(
    "/{plan_key}",
    tags=["plans"],
    dependencies=[DRY_RUN],
    responses=answers(PlanChanges, {**WRITE_REFUSALS, 409: "plan_closed, plan_needs_amendment", 422: DOCUMENT_FAULTS}),
)
async def put_plan(
    db: Writing,
    caller: PlansWrite,
    plan_key: PlanKeyPath,
    body: PlanBody,
    if_match: IfMatch,
    prune: Prune = False,
    correction: Annotated[
        str | None,
        Query(min_length=5, max_length=400, description="Why the record of an issued plan was wrong; kept for ever."),
    ] = None,
) -> Response:
    """Record the whole document of a plan, and answer what changed; applying the same again writes nothing.

    A draft changes freely. Of an issued plan only blanks of the source are filled in and connections of external
    systems told; new content is an amendment (`POST …/amend`), a wrong entry is mended with `correction`.
    """
    terms = Terms(prune=prune, version=if_match, correction=correction)
    return reply(await service.apply_plan(db, caller, plan_key, body, terms))


@router.post(
    "/{plan_key}/issue",
    tags=["life of a plan"],
    dependencies=[DRY_RUN],
    responses=answers(
        PlanChanges,
        {
            **ACT_REFUSALS,
            409: "plan_already_issued, plan_field_already_stated, request_in_progress",
            422: "plan_blank_unstated, plan_issued_in_future, idempotency_key_reused, plan_key_invalid",
        },
    ),
)
async def issue_plan(
    db: Writing, caller: PlansWrite, once: Once, plan_key: PlanKeyPath, body: IssueBody, if_match: IfMatch
) -> Response:
    """State that a plan has been issued: from now on everybody may read it.

    A number or day the draft leaves blank may be given; one that stays blank must stand in `blank_in_source`.
    """

    async def work() -> Response:
        return reply(await acts.issue_plan(db, caller, plan_key, body, if_match))

    return await once(work)


@router.post(
    "/{plan_key}/amend",
    tags=["life of a plan"],
    dependencies=[DRY_RUN],
    responses=answers(
        PlanChanges, {**ACT_REFUSALS, 409: "plan_not_in_force, request_in_progress", 422: DOCUMENT_FAULTS}
    ),
)
async def amend_plan(
    db: Writing,
    caller: PlansWrite,
    once: Once,
    plan_key: PlanKeyPath,
    body: AmendBody,
    if_match: IfMatch,
    prune: Prune = False,
) -> Response:
    """State that a plan has been amended, and how it reads now: its next revision.

    The revision before stays readable with `revision` or `known_at`.
    """

    async def work() -> Response:
        return reply(await acts.amend_plan(db, caller, plan_key, body, prune=prune, version=if_match))

    return await once(work)


@router.post(
    "/{plan_key}/close",
    tags=["life of a plan"],
    dependencies=[DRY_RUN],
    responses=answers(PlanChanges, {**ACT_REFUSALS, 409: "plan_not_in_force, request_in_progress"}),
)
async def close_plan(
    db: Writing, caller: PlansWrite, once: Once, plan_key: PlanKeyPath, body: CloseBody, if_match: IfMatch
) -> Response:
    """State that a plan is closed: it stays readable and says nothing new."""

    async def work() -> Response:
        return reply(await acts.close_plan(db, caller, plan_key, body, if_match))

    return await once(work)
