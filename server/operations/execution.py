"""Runs validated operations, with a time limit. A mutation continues when its client leaves."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from graphql import ExecutionResult, FieldNode, GraphQLError, OperationDefinitionNode, OperationType

from mainsheet.executor import AnswerTooLarge, Request
from mainsheet.models.instrumentation import Instrumentation, Instrumented
from mainsheet.models.replica import Replica
from mainsheet.models.unavailable import LOOK_FIRST, OutcomeUnknown, TooSlow, Unavailable
from mainsheet.resolvers.sql.rights import RightsUsed
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.server.errors import Code, RequestError, answer_too_large, cause_of, is_unexpected, report, timed_out
from mainsheet.server.observe.trace import Trace
from mainsheet.server.operations.budget import Spending
from mainsheet.server.operations.documents import label
from mainsheet.server.operations.time_limits import TimeLimits
from mainsheet.server.process.shutdown import RunningWork


class Closable(Protocol):
    async def close(self) -> None: ...

    def abandon(self) -> None: ...

    def read_from(self, replica: Replica) -> None: ...

    async def leave_replica(self, failure: Exception) -> bool: ...

    def note_rights(self, used: RightsUsed) -> Read: ...


Execute = Callable[[Request], Awaitable[ExecutionResult]]  # the compiled executor's, or the reference


@dataclass(frozen=True)
class Executions:
    """Runs operations. A query is cancelled when its client disconnects; a mutation is never stopped half-way."""

    execute: Execute
    time_limits: TimeLimits
    running_work: RunningWork
    instrumentation: Instrumentation

    async def result(
        self, request: Request, spending: Spending | None = None, trace: Trace | None = None
    ) -> ExecutionResult:
        """Return the result of a query, of a mutation, or of a subscription for one event.

        Raises `RateLimited`, `RequestError` if it takes too long, `Unavailable` if the database fails.
        """
        if trace is None:
            return await self._run(request, spending)
        with Instrumented(trace):
            result = await self._run(request, spending)
        return trace.added_to(result)

    async def _run(self, request: Request, spending: Spending | None) -> ExecutionResult:
        """Run the operation when it is its caller's turn. If the client leaves, begin no further mutation field."""
        if spending:
            await spending.begin()
        if request.operation.node.operation is not OperationType.MUTATION:
            return await self._settled(request, spending)
        task = asyncio.create_task(self._settled(request, spending), name=label(request.operation.node))
        self.running_work.add_mutation(task)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if request.context:
                request.context.abandon()
            raise

    async def _settled(self, request: Request, spending: Spending | None) -> ExecutionResult:
        bounded = self._bounded(request)
        return await (spending.settled(bounded) if spending else bounded)

    async def _executed(self, request: Request) -> ExecutionResult:
        """Execute the operation, and once more on the primary if the replica fails, or cancels a statement.

        An unexpected error may come from what the replica lacks, such as the caller, whom the primary has.
        """
        result = await self.execute(request)
        for error in filter(_may_be_of_the_replica, result.errors or ()):
            if request.context and await request.context.leave_replica(cause_of(error)):
                self.instrumentation.routed("failed")
                return await self.execute(request)
        return result

    async def _bounded(self, request: Request) -> ExecutionResult:
        try:
            with self.time_limits.begin() as limit:
                result = await self._executed(request)
        except AnswerTooLarge as error:
            result = ExecutionResult(None, [answer_too_large(error.size, error.limit)])
        except TimeoutError:
            if not limit.has_expired:
                raise
            raise _too_slow(self.time_limits.seconds, request.operation.node) from None
        finally:
            if request.context:
                await request.context.close()
        if result.errors:
            _refuse_whole(request.operation.node, result.errors, has_data=result.data is not None)
            report(result.errors, self.instrumentation)
        return result


def _may_be_of_the_replica(error: GraphQLError) -> bool:
    """Whether the primary may have no such error. A statement that took too long would take as long there."""
    cause = cause_of(error)
    return is_unexpected(error) or (isinstance(cause, Unavailable) and not isinstance(cause, TooSlow))


def _failures(errors: Iterable[GraphQLError] | None) -> list[tuple[GraphQLError, Unavailable]]:
    return [(error, cause) for error in errors or () if isinstance(cause := cause_of(error), Unavailable)]


def _refuse_whole(operation: OperationDefinitionNode, errors: Sequence[GraphQLError], *, has_data: bool) -> None:
    """Raise `Unavailable` if the database failed. A query has no partial result; a mutation reports what it changed."""
    failures = _failures(errors)
    if not failures:
        return
    error, failure = failures[0]
    if operation.operation is not OperationType.MUTATION or _changed_nothing(operation, error):
        raise failure
    if not has_data:
        raise OutcomeUnknown from failure


def _changed_nothing(operation: OperationDefinitionNode, error: GraphQLError) -> bool:
    """Whether the operation is a single mutation field, and its command failed rather than the read after it."""
    selections = operation.selection_set.selections
    return len(selections) == 1 and isinstance(selections[0], FieldNode) and len(error.path or ()) == 1


def _too_slow(seconds: float, operation: OperationDefinitionNode) -> RequestError:
    message = f"The operation took longer than {seconds:g} seconds and was stopped"
    if operation.operation is OperationType.MUTATION:
        message = f"{message}; {LOOK_FIRST}."
        return RequestError(HTTPStatus.INTERNAL_SERVER_ERROR, message, code=Code.TIMEOUT)
    return timed_out(f"{message}.")
