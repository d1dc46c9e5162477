"""Runs one operation: read from the cache, judged, executed, and answered with every error made safe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from inspect import isawaitable
from typing import Any

import strawberry
import structlog
from graphql import ExecutionResult, GraphQLError, OperationType, execute
from strawberry.execution import optimized_is_awaitable

from gateway.allowance import Allowance
from gateway.cache import Operation, OperationCache, RequestErrors
from gateway.context import Context
from gateway.errors import format_error
from gateway.limits import Limits
from gateway.requests import GET_READS_ONLY, GraphQLRequest, WrongMethod

log = structlog.get_logger("gateway")


@dataclass(frozen=True, slots=True)
class Answer:
    """A GraphQL response, and whether it is a refusal of the request as such (no `data` at all)."""

    body: dict[str, Any]
    is_request_error: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


class Engine:
    """The schema with its limits; holds no state of a request."""

    def __init__(self, schema: strawberry.Schema, limits: Limits, allowance: Allowance, *, introspection: bool) -> None:
        self._schema = schema
        self._allowance = allowance
        self._operations = OperationCache(schema._schema, limits, introspection=introspection)

    async def run(self, request: GraphQLRequest, context: Context) -> Answer:
        """Answer one operation; refusals of its text and failures of its fields are part of the answer.

        Raises:
            WrongMethod: a mutation by GET ("graphql_get_reads_only").
            TooManyRequests: the caller's allowance is used up ("graphql_cost_exhausted").
        """
        try:
            operation = self._operations.find(request.query, request.operation_name)
            context.cost = self._operations.cost(operation, request.variables)
        except RequestErrors as refusal:
            return _refusal(refusal.errors, context)
        if request.is_read_only and operation.definition.operation is not OperationType.QUERY:
            raise WrongMethod(GET_READS_ONLY, headers={"Allow": "POST"})
        headers = self._allowance.take(context.caller, context.cost)
        result = await self._execute(operation, request, context)
        name = operation.definition.name
        errors = len(result.errors or ())
        log.info("operation", operation=name.value if name else None, cost=context.cost, errors=errors)
        return replace(_answer(result, context), headers=headers)

    async def _execute(self, operation: Operation, request: GraphQLRequest, context: Context) -> ExecutionResult:
        result = execute(
            self._schema._schema,
            operation.document,
            context_value=context,
            variable_values=request.variables,
            operation_name=request.operation_name,
            executor_class=self._schema.execution_context_class,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # it is a plain predicate
            hide_suggestions=True,
            max_coercion_errors=20,
            operation_extensions=None,
        )
        return await result if isawaitable(result) else result


def _refusal(errors: list[GraphQLError], context: Context) -> Answer:
    told = [format_error(error, language=context.language, trace_id=context.trace_id) for error in errors]
    return Answer({"errors": told}, is_request_error=True)


def _answer(result: ExecutionResult, context: Context) -> Answer:
    errors = result.errors or []
    if result.data is None and any(error.path is None for error in errors):
        return _refusal(errors, context)
    body: dict[str, Any] = {"data": result.data}
    if errors:
        body["errors"] = [format_error(e, language=context.language, trace_id=context.trace_id) for e in errors]
    body["extensions"] = {"cost": context.cost}
    return Answer(body)
