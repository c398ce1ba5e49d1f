"""Runs operations for the transports that send many results: WebSocket and server-sent events."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError, OperationType

from mainsheet.executor import Request
from mainsheet.models.errors import BadInput
from mainsheet.models.instrumentation import Instrumentation, Refusal
from mainsheet.models.unavailable import Unavailable
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.subscription import NO_EVENT, Delivery, Source, Subscribed
from mainsheet.server.errors import (
    InvalidOperation,
    RequestError,
    answer_too_large,
    cause_of,
    code_of,
    formatted,
    masked,
    operation_failed,
)
from mainsheet.server.http.encoding import body_of, comparable
from mainsheet.server.http.request import GraphQLRequest
from mainsheet.server.live.execution import Execution
from mainsheet.server.live.group import Subscription
from mainsheet.server.live.subscriptions import Subscriptions
from mainsheet.server.observe.recording import Recording, note_errors, record_of
from mainsheet.server.operations.budget import Budget
from mainsheet.server.operations.execution import Closable, Execute, Executions
from mainsheet.server.operations.operation_store import Operation, OperationStore
from mainsheet.server.operations.preparing import prepared
from mainsheet.server.operations.prices import price_of
from mainsheet.server.trusted_documents.policy import DocumentPolicy


@dataclass(frozen=True)
class Streams:
    """What HTTP requests run through too: prepared operations, limits, budgets and execution."""

    operations: OperationStore
    documents: DocumentPolicy
    executions: Executions
    budget: Budget
    open_context: Callable[[Caller], Closable]
    subscriptions: Subscriptions
    max_answer_bytes: int

    async def results(self, caller: Caller, request: GraphQLRequest, request_id: str) -> AsyncGenerator[bytes]:
        """Yield the encoded results: one, or one for each event.

        Raises `InvalidOperation` if nothing was executed, `TooSlow`, `Stopping`, `RateLimited`, `RequestError` and
        `Unavailable`.
        """
        begun = await self.begun(caller, request, request_id)
        if isinstance(begun, bytes):
            yield begun
            return
        async with aclosing(self.subscriptions.results(begun)) as results:
            async for each in results:
                yield each

    async def begun(self, caller: Caller, request: GraphQLRequest, request_id: str) -> bytes | Subscription:
        """Run the operation and return its encoded result, or return the subscription to join. Raises as `results`."""
        request = await self.documents.resolved(caller, request)
        operation = await prepared(self.operations, self.budget, caller, request)
        if operation.kind is not OperationType.SUBSCRIPTION:
            return await self._run(operation, request.variables, request_id, caller, caller)
        source = await self._source(operation, request, caller, request_id)
        if isinstance(source, bytes):
            return source
        variables = comparable(request.variables) or object()  # which equals no other
        run = partial(self._deliver, operation, request.variables, request_id)
        key = (operation, variables, caller.organization_id, caller.organization_role, caller.scopes)
        return Subscription(key, caller, source, run)

    async def _source(
        self, operation: Operation, request: GraphQLRequest, caller: Caller, request_id: str
    ) -> Source | bytes:
        """Execute the operation without an event. Return the source, or the encoded errors of the arguments.

        The result itself would keep all of its execution in memory as long as the subscription lasts.
        """
        price_of(operation, request.variables)
        context = self.open_context(caller)
        try:
            started = Request(operation.prepared, request.variables, context, Delivery(NO_EVENT), turns=caller.key)
            result = await self.executions.execute(started)
        finally:
            await context.close()
        return _source(result) or await self._encoded(result, request_id, 0)

    async def _deliver(
        self, operation: Operation, variables: dict[str, Any] | None, request_id: str, execution: Execution
    ) -> bytes:
        """Execute the operation for an event, and return its encoded result."""
        executions = self.executions
        if execution.is_shared:
            executions = replace(executions, execute=partial(shared_result, executions.execute, execution))
        return await self._run(
            operation, variables, request_id, execution.caller, execution.delivery, executions=executions
        )

    async def _run(
        self,
        operation: Operation,
        variables: dict[str, Any] | None,
        request_id: str,
        caller: Caller,
        root: Any,
        *,
        executions: Executions | None = None,
    ) -> bytes:
        """Execute the operation once, for the caller or an event, and return its encoded result."""
        record = record_of(operation, is_streamed=True)
        spending = self.budget.spending(caller, price_of(operation, variables), record)
        ready = Request(operation.prepared, variables, self.open_context(caller), root, turns=caller.key)
        with Recording(self.executions.instrumentation, record):
            result = note_errors(record, await (executions or self.executions).result(ready, spending))
        return await self._encoded(result, request_id, spending.actual or 0)

    async def _encoded(self, result: ExecutionResult, request_id: str, values: int) -> bytes:
        content = orjson.dumps(await body_of(result, request_id, values))
        if len(content) > self.max_answer_bytes:
            result = ExecutionResult(None, [answer_too_large(len(content), self.max_answer_bytes)])
            content = orjson.dumps(await body_of(result, request_id, 0))
        self.executions.instrumentation.streamed([code_of(each) for each in result.errors or ()])
        return content


async def shared_result(execute: Execute, execution: Execution, request: Request) -> ExecutionResult:
    """Execute the operation in a snapshot that begins with the rights of those who share it.

    Execute nothing if they are outdated: nobody would get the result. The estimate of its values is refunded.
    """
    await execution.begin(request.context)
    return ExecutionResult({}) if execution.is_outdated else await execute(request)


def _source(result: ExecutionResult) -> Source | None:
    causes = [cause_of(each) for each in result.errors or ()]
    return next((each.source for each in causes if isinstance(each, Subscribed)), None)


def errors_of(invalid: InvalidOperation, request_id: str, instrumentation: Instrumentation) -> list[dict[str, Any]]:
    """Return the GraphQL errors of an operation that can't be executed, and report them."""
    instrumentation.streamed([code_of(each) for each in invalid.errors])
    return [formatted(each, request_id) for each in invalid.errors]


def error_of(failure: Exception, request_id: str, instrumentation: Instrumentation) -> dict[str, Any]:
    """Return the GraphQL error for a failure that ends an operation, and report it."""
    instrumentation.streamed([code_of(failure)])
    match failure:
        case BadInput():
            return formatted(GraphQLError(str(failure), original_error=failure), request_id)
        case RequestError():
            if failure.refusal:
                instrumentation.refused(Refusal(failure.refusal))
            return {"message": str(failure), "extensions": {"code": failure.code, **failure.extensions}}
        case Unavailable():
            instrumentation.failed(failure)
            return operation_failed(failure, request_id)
    instrumentation.failed(failure)
    return masked(request_id)
