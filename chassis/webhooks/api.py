"""The routes of webhooks, the same in every service."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Annotated, Any
from uuid import UUID
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from chassis.answers import PageOf, answers
from chassis.auth import Caller, needs
from chassis.bodies import HouseRoute
from chassis.database import Reading, ReadSession, Session, Writing
from chassis.house import House, Service
from chassis.idempotency import Once, RunOnce
from chassis.listing import answer
from chassis.pages import Paging, chosen
from chassis.replies import IfMatch, encode, reply
from chassis.webhooks import bell_of, schemas, service
from chassis.webhooks.service import Desk
from chassis.webhooks.signing import Sealer

Act = Callable[[Desk, Session, Caller, UUID], Awaitable[None]]
WebhooksRead = Annotated[Caller, needs("webhooks:read")]
WebhooksWrite = Annotated[Caller, needs("webhooks:write")]
Overlap = Annotated[int, Query(ge=0, le=7 * 86_400, description="So long the secret of before signs as well, seconds.")]
Events = Annotated[list[UUID] | None, Query(alias="event_id", description="Of these events.")]
Outcomes = Annotated[list[str] | None, Query(description="That ended so.")]

_UNSEEN = {404: "webhook_unknown"}
_KEYED = {
    **_UNSEEN,
    400: "idempotency_key_missing, idempotency_key_invalid",
    409: "request_in_progress",
    422: "idempotency_key_reused",
}
_URL = "webhook_url_invalid, …_insecure, …_has_credentials, …_port_refused, …_host_refused"
_GIVEN = f"{_URL}, event_type_unknown, webhook_secret_invalid, feed_cursor_invalid"
_sealers: WeakKeyDictionary[House, Sealer] = WeakKeyDictionary()


def _instead(status: int, body: Any, description: str, refusals: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """The answers of an operation that does not answer with 200."""
    told = {code: each for code, each in answers(schemas.Webhook, refusals).items() if code != 200}
    return {**told, status: {"description": description, **({"model": body} if body else {})}}


def webhooks_router(of: Service) -> APIRouter:
    """Subscribe to changes, and see what was delivered."""
    router = APIRouter(prefix=f"/v1/{of.name}/webhooks", route_class=HouseRoute, tags=["webhooks"])
    _collection(router, of)
    _single(router, of)
    _acts(router, of)
    _deliveries(router, of)
    return router


def _desk(of: Service, request: Request) -> Desk:
    house: House = request.app.state.house
    return Desk(of, house, _sealers.setdefault(house, Sealer(house.settings)))


def _woken(request: Request, response: Response) -> Response:
    """Let the sender of this process look once the reply has left, which is after the commit."""
    bell = bell_of(request.app.state.house)

    async def ring() -> None:
        bell.ring()

    response.background = BackgroundTask(ring)
    return response


def _collection(router: APIRouter, of: Service) -> None:
    dead = "feed_rewound, cursor_expired"
    refusals = {**_KEYED, 409: "webhooks_too_many, request_in_progress", 410: dead, 422: _GIVEN}
    made = _instead(201, schemas.WebhookWithSecret, "Made; its challenge is on the way.", refusals)

    @router.post("", status_code=201, responses=made)
    async def create_webhook(
        request: Request, db: Writing, caller: WebhooksWrite, body: schemas.WebhookBody, once: Once
    ) -> Response:
        """Have changes posted to a url, signed by Standard Webhooks, each as a structured CloudEvent.

        It hears what its owner's token may hear (`changes:read`; without that scope what anybody may). First a
        challenge is posted: answer it with status 200 and `{"challenge": …}`, the word in its data.
        """
        desk = _desk(of, request)

        async def work() -> Response:
            made = await service.create(desk, db, caller, body)
            found = await service.get(desk, db, caller, made)
            place = {"Location": f"/v1/{of.name}/webhooks/{made}"}
            return reply(dict(found), status=201, headers=place, version=found["version"])

        return _woken(request, await _with_secret(desk, db, await once(work)))

    @router.get("", responses=answers(PageOf[schemas.Webhook]))
    async def list_webhooks(request: Request, db: Reading, caller: WebhooksRead, page: Paging) -> Response:
        """The client's webhooks, oldest first; who acts everywhere sees all."""
        return await answer(request, db, service.list_all(_desk(of, request), caller), page)


async def _with_secret(desk: Desk, db: ReadSession, response: Response) -> Response:
    """A reply with the secret, which is kept out of what is stored for a retry."""
    body = json.loads(bytes(response.body))
    body["secret"] = await service.secret_of(desk, db, UUID(body["id"]))
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(encode(body), response.status_code, headers={**headers, "Cache-Control": "no-store"})


def _single(router: APIRouter, of: Service) -> None:
    @router.get("/{webhook_id}", responses=answers(schemas.Webhook, _UNSEEN))
    async def get_webhook(request: Request, db: Reading, caller: WebhooksRead, webhook_id: UUID) -> Response:
        """A webhook: what it hears, whether it does, and how far behind it is."""
        found = await service.get(_desk(of, request), db, caller, webhook_id)
        return reply(dict(found), version=found["version"])

    changed = answers(schemas.Webhook, {**_UNSEEN, 412: "stale_version", 422: _GIVEN})

    @router.patch("/{webhook_id}", responses=changed)
    async def change_webhook(
        request: Request,
        db: Writing,
        caller: WebhooksWrite,
        webhook_id: UUID,
        body: schemas.WebhookChange,
        version: IfMatch,
    ) -> Response:
        """Change where it leads or what it hears, from the next event on; a new url has to answer a challenge first.

        Whatever its owner changes, it hears from then on what the owner's token may hear now.
        """
        desk = _desk(of, request)
        await service.change(desk, db, caller, webhook_id, body, version)
        found = await service.get(desk, db, caller, webhook_id)
        return _woken(request, reply(dict(found), version=found["version"]))

    gone = _instead(204, None, "Gone.", {**_UNSEEN, 412: "stale_version"})

    @router.delete("/{webhook_id}", status_code=204, responses=gone)
    async def remove_webhook(
        request: Request, db: Writing, caller: WebhooksWrite, webhook_id: UUID, version: IfMatch
    ) -> Response:
        """Remove a webhook; nothing more is sent."""
        await service.remove(_desk(of, request), db, caller, webhook_id, version)
        return _woken(request, Response(status_code=204))


async def _done(act: Act, desk: Desk, db: Session, caller: Caller, webhook_id: UUID, once: RunOnce) -> Response:
    """Do something to a webhook, once, and answer with it as it is then."""

    async def work() -> Response:
        await act(desk, db, caller, webhook_id)
        return reply(dict(await service.get(desk, db, caller, webhook_id)))

    return await once(work)


def _acts(router: APIRouter, of: Service) -> None:
    @router.post("/{webhook_id}/pause", responses=answers(schemas.Webhook, _KEYED))
    async def pause_webhook(
        request: Request, db: Writing, caller: WebhooksWrite, webhook_id: UUID, once: Once
    ) -> Response:
        """Send nothing until it is resumed; what it misses waits in the log."""
        return _woken(request, await _done(service.pause, _desk(of, request), db, caller, webhook_id, once))

    @router.post("/{webhook_id}/resume", responses=answers(schemas.Webhook, _KEYED))
    async def resume_webhook(
        request: Request, db: Writing, caller: WebhooksWrite, webhook_id: UUID, once: Once
    ) -> Response:
        """Go on from where it stopped, with what waits after failures first; one that never answered is asked again."""
        return _woken(request, await _done(service.resume, _desk(of, request), db, caller, webhook_id, once))

    @router.post("/{webhook_id}/rotate", responses=answers(schemas.WebhookWithSecret, _KEYED))
    async def rotate_secret(
        request: Request,
        db: Writing,
        caller: WebhooksWrite,
        webhook_id: UUID,
        once: Once,
        overlap_seconds: Overlap = 86_400,
    ) -> Response:
        """Give it a new secret. For a time both sign, so that the receiver can change over without missing anything."""
        desk = _desk(of, request)
        rotate = partial(service.rotate, overlap=timedelta(seconds=overlap_seconds))
        return _woken(request, await _with_secret(desk, db, await _done(rotate, desk, db, caller, webhook_id, once)))


def _deliveries(router: APIRouter, of: Service) -> None:
    pinged = _instead(202, schemas.Ping, "On its way.", _KEYED)

    @router.post("/{webhook_id}/test", status_code=202, responses=pinged)
    async def test_webhook(
        request: Request, db: Writing, caller: WebhooksWrite, webhook_id: UUID, once: Once
    ) -> Response:
        """Have a ping sent, once, whatever its state; `Location` shows what became of it.

        A ping that is taken in also ends the pause after failures.
        """
        desk = _desk(of, request)

        async def work() -> Response:
            event_id = await service.ping(desk, db, caller, webhook_id)
            place = {"Location": f"/v1/{of.name}/webhooks/{webhook_id}/deliveries?event_id={event_id}"}
            return reply({"event_id": event_id}, status=202, headers=place)

        return _woken(request, await once(work))

    @router.get("/{webhook_id}/deliveries", responses=answers(PageOf[schemas.Delivery], _UNSEEN))
    async def list_deliveries(
        request: Request,
        db: Reading,
        caller: WebhooksRead,
        webhook_id: UUID,
        page: Paging,
        event_id: Events = None,
        outcome: Outcomes = None,
    ) -> Response:
        """What was sent and how it ended, newest first; kept for 30 days, unless the operator says otherwise."""
        desk = _desk(of, request)
        outcomes = chosen(outcome)
        found = await service.attempts(desk, db, caller, webhook_id, events=event_id or [], outcomes=outcomes)
        return await answer(request, db, found, page)

    refusals = {
        **_KEYED,
        409: "webhook_replays_too_many, request_in_progress",
        410: "feed_rewound",
        422: "webhook_moment_invalid, webhook_replay_empty, feed_cursor_invalid, idempotency_key_reused",
    }
    replayed = _instead(202, schemas.Replay, "Begun.", refusals)

    @router.post("/{webhook_id}/replay", status_code=202, responses=replayed)
    async def replay_events(
        request: Request, db: Writing, caller: WebhooksWrite, webhook_id: UUID, body: schemas.ReplayBody, once: Once
    ) -> Response:
        """Send a part of the log again, with the same ids, beside what is new.

        Only what the webhook has passed already, and what the log still holds.
        """
        desk = _desk(of, request)

        async def work() -> Response:
            return reply(await service.replay(desk, db, caller, webhook_id, body), status=202)

        return _woken(request, await once(work))
