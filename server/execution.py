"""Running one validated operation: its time limit, and what outlives the client."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from graphql import ExecutionResult, OperationType

from executor import Request
from server.errors import Code, RequestError, log_unexpected


class Closable(Protocol):
    async def close(self) -> None: ...


Execute = Callable[[Request], Awaitable[ExecutionResult]]  # the compiled executor's, or the reference


@dataclass(frozen=True)
class Executions:
    """Runs operations: a query ends when its client leaves, a mutation never half-way."""

    execute: Execute
    timeout: float
    _mutations: set[asyncio.Task[ExecutionResult]] = field(default_factory=set)

    async def run(self, request: Request) -> ExecutionResult:
        """Raise `RequestError` if it takes too long."""
        if request.operation.operation is not OperationType.MUTATION:
            return await self._bounded(request)
        task = asyncio.create_task(self._bounded(request))
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

    async def _bounded(self, request: Request) -> ExecutionResult:
        try:
            async with asyncio.timeout(self.timeout) as limit:
                result = await self.execute(request)
        except TimeoutError:
            if not limit.expired():
                raise
            raise _too_slow(self.timeout) from None
        finally:
            if request.context:
                await request.context.close()
        log_unexpected(result.errors or ())
        return result


def _too_slow(seconds: float) -> RequestError:
    message = f"The operation took longer than {seconds:g} seconds and was stopped."
    return RequestError(HTTPStatus.SERVICE_UNAVAILABLE, message, code=Code.TIMEOUT)
