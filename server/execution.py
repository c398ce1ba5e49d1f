"""Running one validated operation: the seam to the executor, its time limit, and what outlives the client."""

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
from inspect import isawaitable
from typing import Any, Protocol

import strawberry
from graphql import DocumentNode, ExecutionResult, GraphQLSchema, OperationDefinitionNode, OperationType
from graphql import execute as interpret

from server.errors import Code, RequestError, log_unexpected


class Closable(Protocol):
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Execution:
    document: DocumentNode
    operation: OperationDefinitionNode
    variables: dict[str, Any] | None
    context: Closable | None
    root: object

    @property
    def is_mutation(self) -> bool:
        return self.operation.operation is OperationType.MUTATION


def core_schema(api: strawberry.Schema) -> GraphQLSchema:
    """Return what Strawberry built; it has no public name."""
    return api._schema  # noqa: SLF001


async def execute(api: strawberry.Schema, execution: Execution) -> ExecutionResult:
    """Run it; the one place that knows what runs it.

    Not `api.execute`: it parses and validates by itself, and logs each client's mistake with a traceback.
    """
    name = execution.operation.name
    result = interpret(
        core_schema(api),
        execution.document,
        root_value=execution.root,
        context_value=execution.context,
        variable_values=execution.variables,
        operation_name=name.value if name else None,
        executor_class=api.execution_context_class,
        operation_extensions=None,
    )
    return await result if isawaitable(result) else result


@dataclass(frozen=True)
class Executions:
    """Runs operations: a query ends when its client leaves, a mutation never half-way."""

    api: strawberry.Schema
    timeout: float
    _mutations: set[asyncio.Task[ExecutionResult]] = field(default_factory=set)

    async def run(self, execution: Execution) -> ExecutionResult:
        """Raise `RequestError` if it takes too long."""
        if not execution.is_mutation:
            return await self._bounded(execution)
        task = asyncio.create_task(self._bounded(execution))
        self._mutations.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Wait for mutations whose clients have left; each has its time limit."""
        if self._mutations:
            await asyncio.wait(self._mutations)

    def _ended(self, task: asyncio.Task[ExecutionResult]) -> None:
        self._mutations.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may be left to ask

    async def _bounded(self, execution: Execution) -> ExecutionResult:
        try:
            async with asyncio.timeout(self.timeout) as limit:
                result = await execute(self.api, execution)
        except TimeoutError:
            if not limit.expired():
                raise
            raise _too_slow(self.timeout) from None
        finally:
            if execution.context:
                await execution.context.close()
        log_unexpected(result.errors or ())
        return result


def _too_slow(seconds: float) -> RequestError:
    message = f"The operation took longer than {seconds:g} seconds and was stopped."
    return RequestError(HTTPStatus.SERVICE_UNAVAILABLE, message, code=Code.TIMEOUT)
