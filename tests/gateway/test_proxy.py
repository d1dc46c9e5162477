"""The one public door forwards what it does not own: unchanged, unbuffered, both ways."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from gateway.proxy import service_of
from tests.gateway.conftest import alone, asking
from tests.house import listening


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/v1/plans/tasks", "plans"),
        ("/v1/plans", "plans"),
        ("/v1/budget/lines/x/y", "budget"),
        ("/v1/gateway/problems/x", None),
        ("/v1", None),
        ("/v2/plans", None),
        ("/graphql", None),
        ("/x/v1/plans", None),
    ],
)
def test_the_path_names_the_service(path: str, service: str | None) -> None:
    assert service_of(path) == service


class Upstream:
    """A service behind a socket that tells what it got and streams when it is told to."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.received: list[int] = []
        self.app = Starlette(
            routes=[
                Route("/v1/plans/echo", self.echo, methods=["GET", "PUT", "POST", "DELETE"]),
                Route("/v1/plans/stream", self.stream),
                Route("/v1/plans/packed", self.packed),
                Route("/v1/plans/upload", self.upload, methods=["PUT"]),
            ]
        )

    async def echo(self, request: Request) -> Response:
        body = {
            "method": request.method,
            "url": str(request.url),
            "headers": dict(request.headers),
            "body": (await request.body()).decode(),
        }
        return JSONResponse(body, 418, headers={"ETag": '"v1"', "Changes-Cursor": "7", "Connection": "close"})

    async def stream(self, _request: Request) -> Response:
        async def lines() -> AsyncIterator[bytes]:
            yield b"one\n"
            await self.go_on.wait()
            yield b"two\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    async def packed(self, _request: Request) -> Response:
        return Response(gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"}, media_type="application/json")

    async def upload(self, request: Request) -> Response:
        async for chunk in request.stream():
            self.received.append(len(chunk))
            self.go_on.set()
        return JSONResponse({"bytes": sum(self.received)})


@pytest.fixture
async def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
async def door(upstream: Upstream) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        listening(upstream.app) as url,
        listening(alone(plans_url=url)) as address,
        httpx2.AsyncClient(base_url=address, trust_env=False) as client,
    ):
        yield client


async def test_method_path_query_headers_and_body_pass_unchanged(door: httpx2.AsyncClient) -> None:
    headers = {"Authorization": "Bearer x", "Host": "chitieu.example", "If-Match": '"v3"', "X-Request-Id": "r-1"}
    response = await door.put("/v1/plans/echo?q=h%C3%B2a%20b&code=1&code=2", content=b"\xc4\x91", headers=headers)
    told = response.json()
    assert response.status_code == 418
    assert told["method"] == "PUT"
    assert told["url"] == "http://chitieu.example/v1/plans/echo?q=h%C3%B2a%20b&code=1&code=2"
    assert told["body"] == "đ"
    assert told["headers"]["authorization"] == "Bearer x"
    assert told["headers"]["if-match"] == '"v3"'
    assert told["headers"]["x-request-id"] == "r-1"
    assert "traceparent" in told["headers"]
    assert (response.headers["ETag"], response.headers["Changes-Cursor"]) == ('"v1"', "7")
    assert response.headers["X-Request-Id"] == "r-1"
    assert response.headers.get("Connection") != "close"


async def test_nobody_asks_for_compression_that_the_caller_did_not_ask_for(door: httpx2.AsyncClient) -> None:
    request = door.build_request("GET", "/v1/plans/echo")
    del request.headers["Accept-Encoding"]
    told = (await door.send(request)).json()
    assert told["headers"]["accept-encoding"] == "identity"


async def test_a_stream_arrives_line_by_line(door: httpx2.AsyncClient, upstream: Upstream) -> None:
    async with asyncio.timeout(10), door.stream("GET", "/v1/plans/stream") as response:
        lines = response.aiter_lines()
        assert await anext(lines) == "one"
        upstream.go_on.set()
        assert await anext(lines) == "two"
    assert "Content-Length" not in response.headers


async def test_an_upload_is_passed_on_before_it_is_complete(door: httpx2.AsyncClient, upstream: Upstream) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        await upstream.go_on.wait()
        yield b"y" * 1000

    async with asyncio.timeout(10):
        response = await door.put("/v1/plans/upload", content=chunks())
    assert response.json() == {"bytes": 2000}
    assert len(upstream.received) >= 2


async def test_a_compressed_reply_stays_compressed(door: httpx2.AsyncClient) -> None:
    async with door.stream("GET", "/v1/plans/packed", headers={"Accept-Encoding": "gzip"}) as response:
        raw = b"".join([chunk async for chunk in response.aiter_raw()])
    assert (response.headers["Content-Encoding"], gzip.decompress(raw)) == ("gzip", b"{}")


async def test_a_service_that_is_away_is_a_problem_with_retry_after() -> None:
    async with asking(alone(plans_url="http://127.0.0.1:9")) as client:
        response = await client.get("/v1/plans/tasks", headers={"Accept-Language": "en"})
    assert response.status_code == 503
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Retry-After"] == "1"
    told = response.json()
    assert (told["code"], told["instance"]) == ("upstream_unavailable", "/v1/plans/tasks")
    assert told["request_id"] == response.headers["X-Request-Id"]


async def test_a_service_without_an_address_is_a_problem_too(gateway: httpx2.AsyncClient) -> None:
    response = await gateway.get("/v1/budget/lines")
    assert (response.status_code, response.json()["code"]) == (503, "upstream_unavailable")
