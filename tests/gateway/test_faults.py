"""One service that is away takes only its own fields with it; whatever nobody foresaw is a trace id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from chassis.auth import Verifier
from chassis.house import House as Household
from chassis.peers import Peers
from chassis.settings import Settings
from gateway.app import build_gateway
from tests.chitieu.processes import free_port
from tests.gateway.conftest import asking
from tests.house import House

TRACE = "0af7651916cd43dd8448eb211c80319c"
QUERY = """{communes(province: "75") { nodes {
  code plan(year: 2026) { planKey } scorecard(year: 2026) { on } budget(year: 2026) { lines { key } }
} }}"""
Answer = Callable[[Request], Any]


def before(services: dict[str, Any], **settings: Any) -> httpx2.AsyncClient:
    """A client of a gateway before some applications."""
    read = Settings(**settings)
    peers = Peers(read)
    for name, app in services.items():
        peers.attach(name, app)
    return asking(build_gateway(Household(read, verifier=Verifier(read), peers=peers)))


def pretending(answer: Answer) -> Starlette:
    """A service that answers everything in one way."""
    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])


async def post(client: httpx2.AsyncClient, query: str, **headers: str) -> Any:
    sent = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", **headers}
    response = await client.post("/graphql", json={"query": query}, headers=sent)
    assert response.status_code == 200
    return response.json()


async def test_without_indicators_plans_and_money_stand(five_plans: House) -> None:
    services = {name: five_plans.composition.services[name] for name in ("plans", "budget")}
    url = f"http://127.0.0.1:{free_port()}"
    async with before(services, public_read=True, indicators_url=url) as client:
        answer = await post(client, QUERY, **five_plans.admin)
    nodes = answer["data"]["communes"]["nodes"]
    assert len(nodes) == 4
    assert all(node["plan"]["planKey"].startswith(node["code"]) for node in nodes)
    assert sum(len(node["budget"]["lines"]) for node in nodes) == 29
    assert {node["scorecard"] for node in nodes} == {None}
    assert len(answer["errors"]) == 4
    for at, error in enumerate(answer["errors"]):
        assert error["path"] == ["communes", "nodes", at, "scorecard"]
        assert error["message"] == "Dịch vụ indicators tạm thời không trả lời; phần còn lại vẫn dùng được."
        assert error["extensions"] == {
            "code": "UPSTREAM_UNAVAILABLE",
            "service": "indicators",
            "retryable": True,
            "traceId": TRACE,
        }


async def test_without_plans_the_root_is_null_and_others_answer(five_plans: House) -> None:
    services = {name: five_plans.composition.services[name] for name in ("indicators", "budget")}
    async with before(services, plans_url=f"http://127.0.0.1:{free_port()}") as client:
        query = """{communes{nodes{code}} indicator(code: "DTI_SCORE"){code} budget{lines(first: 1){nodes{key}}}
          meta{services{name isAvailable}}}"""
        answer = await post(client, query, **five_plans.headers("indicators:read budget:read"))
    assert answer["data"]["communes"] is None
    assert len(answer["data"]["budget"]["lines"]["nodes"]) == 1
    assert [error["path"] for error in answer["errors"]] == [["communes"]]
    assert answer["data"]["meta"]["services"] == [
        {"name": "PLANS", "isAvailable": False},
        {"name": "INDICATORS", "isAvailable": True},
        {"name": "BUDGET", "isAvailable": True},
    ]


async def test_a_service_that_is_not_configured_is_away_for_good(gateway: httpx2.AsyncClient) -> None:
    answer = await post(gateway, "{communes{nodes{code}}}", **{"Accept-Language": "en"})
    (error,) = answer["errors"]
    assert error["message"] == "The service plans does not answer right now; the rest of the reply stands."
    assert error["extensions"]["retryable"] is False


@pytest.mark.parametrize(
    ("reply", "retryable"),
    [
        (lambda: HTMLResponse("<h1>Bad gateway</h1>", 502), True),
        (lambda: PlainTextResponse("busy", 503), True),
        (lambda: PlainTextResponse("x" * 5_000), False),
    ],
)
async def test_bad_answers_are_a_service_away(reply: Callable[[], Response], retryable: bool) -> None:
    async def answer(_request: Request) -> Response:
        return reply()

    async with before({"plans": pretending(answer)}, upstream_max_bytes=4_000) as client:
        told = await post(client, "{communes{nodes{code}}}")
    (error,) = told["errors"]
    assert error["extensions"] == {
        "code": "UPSTREAM_UNAVAILABLE",
        "service": "plans",
        "retryable": retryable,
        "traceId": TRACE,
    }
    assert told["data"] == {"communes": None}


@pytest.mark.parametrize(
    "reply",
    [
        lambda: JSONResponse({"code": "internal_error", "detail": "x"}, 500, media_type="application/problem+json"),
        lambda: JSONResponse({"status": 422}, 422, media_type="application/problem+json"),
        lambda: HTMLResponse("<h1>gone</h1>", 404),
    ],
)
async def test_a_broken_service_is_a_trace_id_and_the_rest_stands(reply: Callable[[], Response]) -> None:
    async def answer(_request: Request) -> Response:
        return reply()

    async with before({"plans": pretending(answer)}) as client:
        told = await post(client, "{communes{nodes{code}} meta{services{name isAvailable}}}")
        written = await post(client, 'mutation{postActuals(idempotencyKey: "1", rows: []){received}}')
    (error,) = told["errors"]
    assert error["message"] == "Internal error"
    assert error["extensions"] == {"code": "INTERNAL_ERROR", "traceId": TRACE, "service": "plans"}
    assert told["data"]["communes"] is None
    assert told["data"]["meta"]["services"][0]["name"] == "PLANS"
    assert written["errors"][0]["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"  # indicators are not configured


async def test_a_refusal_of_a_service_keeps_its_code_and_sentence() -> None:
    problem = {"code": "known_at_out_of_range", "detail": "known_at must lie in the years 1900-2199."}

    async def answer(_request: Request) -> Response:
        return JSONResponse(problem, 422, media_type="application/problem+json")

    async with before({"plans": pretending(answer)}) as client:
        told = await post(
            client, '{plan(planKey: "1", knownAt: "0001-01-01T00:00:00Z"){planKey} communes{nodes{code}}}'
        )
    for error in told["errors"]:
        assert error["message"] == problem["detail"]
        assert error["extensions"] == {
            "code": "known_at_out_of_range", "service": "plans", "status": 422, "traceId": TRACE,
        }  # fmt: skip


async def test_a_slow_service_is_given_up_in_time() -> None:
    async def answer(_request: Request) -> Response:
        await asyncio.sleep(30)
        return Response()

    async with before({"plans": pretending(answer)}, upstream_timeout_seconds=0.05) as client, asyncio.timeout(5):
        told = await post(client, "{communes{nodes{code}}}")
    assert told["errors"][0]["extensions"]["retryable"] is True


async def test_a_reading_is_tried_once_more_and_a_writing_is_not() -> None:
    seen: list[str] = []

    async def answer(request: Request) -> Response:
        seen.append(request.method)
        if len(seen) == 1:
            return PlainTextResponse("starting", 503)
        return JSONResponse({"items": [], "next": None})

    async with before({"plans": pretending(answer), "indicators": pretending(answer)}) as client:
        assert (await post(client, "{communes{nodes{code}}}"))["data"] == {"communes": {"nodes": []}}
        assert seen == ["GET", "GET"]
        seen.clear()
        told = await post(client, 'mutation{postActuals(idempotencyKey: "1", rows: []){received}}')
    assert told["errors"][0]["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"
    assert seen == ["POST"]


async def test_what_nobody_foresaw_is_masked() -> None:
    async def answer(_request: Request) -> Response:
        return JSONResponse({"items": [{"code": "26491", "secret": "/etc/passwd"}], "next": None})

    async with before({"plans": pretending(answer)}) as client:
        told = await post(client, "{communes{nodes{code nameVi}}}")
    assert told["errors"] == [
        {
            "message": "Internal error",
            "locations": [{"line": 1, "column": 22}],
            "path": ["communes", "nodes", 0, "nameVi"],
            "extensions": {"code": "INTERNAL_ERROR", "traceId": TRACE},
        }
    ]
    assert told["data"] == {"communes": None}


async def test_a_failing_neighbour_does_not_take_the_others_along() -> None:
    """A refused field cancels what runs beside it; what others wait for must go on."""

    async def answer(request: Request) -> Response:
        if "indicators" in request.url.path:
            return PlainTextResponse("no", 500)
        await asyncio.sleep(0.05)
        return JSONResponse({"items": [], "next": None})

    services = {name: pretending(answer) for name in ("plans", "indicators", "budget")}
    async with before(services) as client:
        told = await post(
            client, '{indicators{nodes{code}} communes{nodes{code}} plans{nodes{planKey}} node(id: "x"){id}}'
        )
    assert told["data"] == {"indicators": None, "communes": {"nodes": []}, "plans": {"nodes": []}, "node": None}
    assert {error["extensions"]["code"] for error in told["errors"]} == {"INTERNAL_ERROR", "node_id_invalid"}


async def test_the_callers_own_token_and_trace_are_forwarded_and_nothing_else() -> None:
    seen: list[dict[str, str]] = []

    async def answer(request: Request) -> Response:
        seen.append(dict(request.headers))
        return JSONResponse({"items": [], "next": None})

    headers = {
        "Authorization": "Bearer one",
        "X-Request-Id": "abc-1",
        "Accept-Language": "en",
        "X-Min-Version": "plans.1.2",
        "Cookie": "secret=1",
        "X-Forwarded-For": "1.2.3.4",
    }
    async with before({"plans": pretending(answer)}) as client:
        await post(client, "{communes{nodes{code}}}", **headers)
    (sent,) = seen
    assert sent["authorization"] == "Bearer one"
    assert sent["x-request-id"] == "abc-1"
    assert sent["accept-language"] == "en"
    assert sent["x-min-version"] == "plans.1.2"
    assert sent["traceparent"].split("-")[1] == TRACE
    assert "cookie" not in sent
    assert sent["x-forwarded-for"] == "127.0.0.1"  # who called the gateway, not whom they name
