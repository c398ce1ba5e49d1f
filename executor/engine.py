"""Runs validated operations: compiled where possible, by graphql-core where not, with the same answer."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from inspect import isawaitable
from typing import Any

import strawberry
from graphql import ExecutionResult, GraphQLSchema, VariableValues, execute

from mainsheet.executor.bounds import UNBOUNDED, AnswerTooLarge, bounded
from mainsheet.executor.compiler import Options, Unit, compile_shape
from mainsheet.executor.dry_run import Rehearsal
from mainsheet.executor.prepared import Prepared
from mainsheet.executor.program import Program, Programming
from mainsheet.executor.recovery import Recovery
from mainsheet.executor.shape import Unsupported
from mainsheet.executor.worker import Worker

INLINE_FIELDS = 100  # to make a program for these takes less than 20 ms


class Outcome(StrEnum):
    COMPILED = "compiled"  # from end to end
    INTERPRETED = "interpreted"  # too large to compile: gone through value by value
    PARTS = "parts"  # graphql-core ran the root fields (mutations, resolvers with `info`), what is below was compiled
    RECOVERED = "recovered"  # met an error, and was gone through again for its place
    REPLAYED = "replayed"  # met a value of another kind than its field's, and was done again by graphql-core
    REFERENCE = "reference"  # nothing to compile: introspection, variables that are refused, what isn't supported


def core_schema(api: strawberry.Schema) -> GraphQLSchema:
    """Return what Strawberry built; it has no public name."""
    return api._schema  # noqa: SLF001


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A prepared operation, to be executed for somebody."""

    operation: Prepared
    variables: dict[str, Any] | None = None
    context: Any = None
    root: Any = None


class Executor:
    """Executes operations of a Strawberry schema; `observe` is told how each one went.

    With `keeps_datetimes` data may hold datetimes, which the JSON encoder is to write in ISO 8601 as orjson does.
    With `believes_rows` objects are taken for what their fields are declared to give: `is_type_of` isn't asked where
    a type is concrete, nor is an exception looked for that stands for an object and has its attributes.
    `worker` makes the programs of large operations, so that the event loop goes on. An answer of more than `most_bytes`
    in JSON isn't made: `execute` raises `AnswerTooLarge`, when a mutation's changes are done.
    """

    def __init__(
        self,
        api: strawberry.Schema,
        *,
        observe: Callable[[Outcome], None] = lambda _: None,
        worker: Worker | None = None,
        keeps_datetimes: bool = False,
        believes_rows: bool = False,
        most_bytes: int = UNBOUNDED,
    ) -> None:
        self._api = api
        self._observe = observe
        self._worker = worker
        options = Options(keeps_datetimes=keeps_datetimes, believes_rows=believes_rows, most_bytes=most_bytes)
        self._programming = Programming(api, options)

    async def execute(self, request: Request) -> ExecutionResult:
        """Answer as graphql-core's `execute` would."""
        variables = request.operation.variables.coerced(request.variables)
        if isinstance(variables, list):
            self._observe(Outcome.REFERENCE)
            return ExecutionResult(None, variables)
        program = await self._program(request.operation, variables)
        unit = program.unit
        if unit is None:
            return await self._uncompiled(program.parts, request, variables)
        if unit.answer is None:
            return await self._by_value(Outcome.INTERPRETED, unit, request, variables)
        try:
            data, _ = await unit.answer(request.root, request.context, variables)
        except AnswerTooLarge:
            raise
        except Exception as failure:  # noqa: BLE001 whatever it is, it is met again and gets its place
            return await self._by_value(Outcome.RECOVERED, unit, request, variables, failure)
        self._observe(Outcome.COMPILED)
        return ExecutionResult(data, None)

    async def _uncompiled(self, parts: Any, request: Request, variables: VariableValues) -> ExecutionResult:
        if parts is None:
            if request.operation.is_introspection and self._worker:
                return await self._introspected(self._worker, request)
            return await self._refer(Outcome.REFERENCE, request)
        self._observe(Outcome.PARTS)
        made = parts(root_value=request.root, context_value=request.context, variable_values=variables)
        result: ExecutionResult | Awaitable[ExecutionResult] = made.execute_operation()
        return await result if isawaitable(result) else result

    async def _introspected(self, worker: Worker, request: Request) -> ExecutionResult:
        """Let the worker do what asks no resolver of ours: a whole schema takes tens of milliseconds."""
        self._observe(Outcome.REFERENCE)
        run = partial(_referred, self._api, request, self._programming.options.most_bytes)
        result = await worker.run(object(), run)
        return await result if isawaitable(result) else result

    async def _by_value(
        self,
        outcome: Outcome,
        unit: Unit,
        request: Request,
        variables: VariableValues,
        failure: Exception | None = None,
    ) -> ExecutionResult:
        try:
            recovery = Recovery(unit, request.context, variables, self._programming.options.most_bytes, failure)
            result = await recovery.answer(request.root)
        except Unsupported:
            return await self._refer(Outcome.REPLAYED, request)
        self._observe(outcome)
        return result

    def rehearsal(self, request: Request) -> Rehearsal:
        """Return what is made for a query, to be looked at; raise `Unsupported` if nothing is."""
        variables = request.operation.variables.coerced(request.variables)
        if isinstance(variables, list):
            raise Unsupported("; ".join(error.message for error in variables))
        shape = self._programming.planner(request.operation, variables).root()
        options = replace(self._programming.options, is_whole=True)
        return Rehearsal(shape, compile_shape(shape, options), variables)

    async def _program(self, operation: Prepared, variables: VariableValues) -> Program:
        key = (self, *[variables.coerced.get(name) for name in operation.deciding])
        return operation.program(key) or await self._made(key, operation, variables)

    async def _made(self, key: Hashable, operation: Prepared, variables: VariableValues) -> Program:
        make = partial(self._programming.program, operation, variables)
        if self._worker is None or operation.extent.fields <= INLINE_FIELDS:
            return operation.keep(key, make())
        return operation.keep(key, await self._worker.run((operation, key), make))

    async def _refer(self, outcome: Outcome, request: Request) -> ExecutionResult:
        self._observe(outcome)
        return await refer(self._api, request, self._programming.options.most_bytes)


async def refer(api: strawberry.Schema, request: Request, most_bytes: int = UNBOUNDED) -> ExecutionResult:
    """Execute by graphql-core; raise `AnswerTooLarge`.

    Not by `api.execute`: that parses and validates by itself, and logs each client's mistake with a traceback.
    """
    result = _referred(api, request, most_bytes)
    return await result if isawaitable(result) else result


def _referred(
    api: strawberry.Schema, request: Request, most_bytes: int
) -> ExecutionResult | Awaitable[ExecutionResult]:
    name = request.operation.node.name
    result: ExecutionResult | Awaitable[ExecutionResult] = execute(
        core_schema(api),
        request.operation.document,
        root_value=request.root,
        context_value=request.context,
        variable_values=request.variables,
        operation_name=name.value if name else None,
        executor_class=bounded(api.execution_context_class, most_bytes),
        operation_extensions=None,
    )
    return result
