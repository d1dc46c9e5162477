"""The HTTP side of /graphql: GraphQL over HTTP for programs, GraphiQL for browsers, the schema as text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from chassis.errors import NOT_FOUND, HouseError, NotFound
from chassis.problems import language_of
from chassis.replies import encode
from gateway.context import Context
from gateway.engine import Answer, Engine
from gateway.requests import GRAPHQL_JSON, JSON, prefers_graphql_json, read_request, wants_page

WEB = Path(__file__).parent / "web"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
NO_STORE = {"Cache-Control": "no-store"}


class Door:
    """Answers /graphql and what belongs to it."""

    def __init__(
        self, engine: Engine, sdl: str, *, max_body_bytes: int, context: Callable[[Request], Awaitable[Context]]
    ) -> None:
        self._engine = engine
        self._sdl = sdl
        self._max_body_bytes = max_body_bytes
        self._context = context
        self._assets = {str(path.relative_to(WEB)): path for path in WEB.rglob("*") if path.is_file()}

    async def graphql(self, request: Request) -> Response:
        """One operation, or the GraphiQL page for a browser that asks for HTML."""
        if wants_page(request):
            headers = {"Content-Security-Policy": PAGE_POLICY, "X-Content-Type-Options": "nosniff"}
            return FileResponse(WEB / "graphiql.html", headers=headers)
        try:
            asked = await read_request(request, self._max_body_bytes)
            answer = await self._engine.run(asked, await self._context(request))
        except HouseError as error:
            return _refused(error, request)
        return _reply(answer, request)

    async def schema(self, _request: Request) -> Response:
        """The schema in GraphQL's own language, whether introspection is on or off."""
        return Response(self._sdl, media_type="text/plain; charset=utf-8")

    async def asset(self, request: Request) -> Response:
        """A file of the GraphiQL page."""
        file = request.path_params["file"]
        if file not in self._assets:
            raise NotFound(NOT_FOUND, path=request.url.path)
        return FileResponse(self._assets[file], headers={"Cache-Control": "public, max-age=86400"})


def _reply(answer: Answer, request: Request) -> Response:
    """A well-formed request that is refused is 400 in the GraphQL media type, 200 in plain JSON (the older custom)."""
    modern = prefers_graphql_json(request.headers.get("Accept"))
    status = 400 if answer.is_request_error and modern else 200
    return _json(answer.body, modern, status, answer.headers)


def _refused(error: HouseError, request: Request) -> Response:
    language = language_of(request.headers.get("Accept-Language"))
    message = error.rule.sentence(language, error.values)
    body = {"errors": [{"message": message, "extensions": {"code": error.rule.code}}]}
    return _json(body, prefers_graphql_json(request.headers.get("Accept")), error.status, error.headers)


def _json(body: dict[str, Any], modern: bool, status: int, headers: Mapping[str, str]) -> Response:
    media_type = f"{GRAPHQL_JSON if modern else JSON}; charset=utf-8"
    return Response(encode(body), status, headers={**NO_STORE, **headers}, media_type=media_type)
