"""Executes validated operations: compiled if possible, otherwise by graphql-core, with the same result."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from inspect import isawaitable
from typing import Any, TypeVar

import strawberry
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, VariableValues
from graphql.execution import MiddlewareManager

from mainsheet.executor.bounds import UNBOUNDED, AnswerTooLarge, bounded
from mainsheet.executor.compiler import Options, Unit, compile_shape
from mainsheet.executor.dry_run import Rehearsal
from mainsheet.executor.finished import finished
from mainsheet.executor.prepared import Prepared
from mainsheet.executor.program import NOT_COMPILED, Program, Programming
from mainsheet.executor.recovery import Recovery
from mainsheet.executor.run import Run
from mainsheet.executor.unsupported import Unsupported, close_unawaited, left_by, value_of
from mainsheet.executor.worker import WorkerThread

T = TypeVar("T")
INTERVENING = {"middleware", "field_resolver", "type_resolver", "abort_signal", "hooks"}  # options of graphql-core
INLINE_FIELDS = 100  # compiling this many takes less than 20 ms


class Outcome(StrEnum):
    COMPILED = "compiled"  # from end to end
    INTERPRETED = "interpreted"  # too large to compile: completed value by value
    PARTS = "parts"  # graphql-core ran root fields (of mutations, or beside unsupported ones), compiled code the rest
    RECOVERED = "recovered"  # failed, and was completed again value by value to locate the errors
    REPLAYED = "replayed"  # had a value of an unexpected kind, or an error beside resolvers: executed by graphql-core
    REFERENCE = "reference"  # not compiled: introspection, refused variables, unsupported features


def core_schema(api: strawberry.Schema) -> GraphQLSchema:
    """Return the graphql-core schema that Strawberry built, for which it has no public name."""
    return api._schema  # noqa: SLF001


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A prepared operation with the variables and context of one request.

    `options` are further arguments for graphql-core's `execute`, which executes the operation if they intervene in it:
    `middleware`, `field_resolver`, `type_resolver`, `abort_signal` and `hooks`. With `is_sync`, nothing may be awaited.
    `turns` are those of `WorkerThread.run`.
    """

    operation: Prepared
    variables: dict[str, Any] | None = None
    context: Any = None
    root: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)
    is_sync: bool = False
    turns: Sequence[Hashable] = ()


class CountedResult(ExecutionResult):
    """A compiled operation's result, with the number of its `values` as `bounds.Extent` counts them."""

    __slots__ = ("values",)

    def __init__(self, data: dict[str, Any], values: int) -> None:
        super().__init__(data)
        self.values = values

    def __eq__(self, other: object) -> bool:
        return ExecutionResult(self.data, self.errors, self.extensions) == other

    __hash__ = None  # type: ignore[assignment]  # as graphql-core's


class Executor:
    """Executes prepared operations of a Strawberry schema. `observe` is called with how each one was executed.

    It runs no extensions and doesn't call `Schema.process_errors`. So it raises `ValueError` if the schema has
    extensions or directives, unless its caller runs them (`runs_extensions`), as `mainsheet.executor.Schema` does.

    With `keeps_datetimes`, data may contain datetimes, which the JSON encoder must write in ISO 8601 as orjson does.
    With `believes_rows`, objects aren't checked: `is_type_of` isn't called for concrete types, and an exception that is
    returned in place of an object and has its attributes isn't detected.
    `worker` compiles large operations, so that the event loop isn't blocked. A response of more than `most_bytes` of
    JSON isn't built: `execute` raises `AnswerTooLarge`, and a mutation's changes are kept.
    """

    def __init__(
        self,
        api: strawberry.Schema,
        *,
        observe: Callable[[Outcome], None] = lambda _: None,
        worker: WorkerThread | None = None,
        keeps_datetimes: bool = False,
        believes_rows: bool = False,
        most_bytes: int = UNBOUNDED,
        runs_extensions: bool = False,
    ) -> None:
        if not runs_extensions and (api.extensions or api.directives):
            raise ValueError("The schema has extensions or directives: make it a `mainsheet.executor.Schema`.")
        self._api = api
        self._observe = observe
        self._worker = worker
        options = Options(keeps_datetimes=keeps_datetimes, believes_rows=believes_rows, most_bytes=most_bytes)
        self._programming = Programming(api, options)

    async def execute(self, request: Request) -> ExecutionResult:
        """Return the same result as graphql-core's `execute`.

        If the operation has `@defer` or `@stream`, that is what Strawberry calls an initial result.
        """
        declared = request.operation.variables
        variables: VariableValues | list[GraphQLError] | None = declared.valid(request.variables)
        if variables is None:  # to find all errors may take long
            variables = await self._aside(request, object(), partial(declared.coerced, request.variables))
        if isinstance(variables, list):
            self._observe(Outcome.REFERENCE)
            return ExecutionResult(None, variables)
        program = NOT_COMPILED if _intervenes(request) else await self._program(request, variables)
        unit = program.unit
        if unit is None or unit.tries.are_used_up or (request.is_sync and unit.waits):
            return await self._uncompiled(program.parts, request, variables)
        if unit.answer is None:
            return await self._by_value(Outcome.INTERPRETED, unit, request, variables)
        if unit.has_resolvers:
            return await self._resolved(program, unit, request, variables)
        try:
            data, extent = await unit.answer(request.root, request.context, variables)
        except AnswerTooLarge:
            raise
        except Exception as error:  # noqa: BLE001 the recovery raises it again, with its path
            failure = error
        else:
            self._observe(Outcome.COMPILED)
            return CountedResult(data, extent.values)
        try:  # outside of `except`, or the failure would be the context of all errors, and a cycle
            return await self._by_value(Outcome.RECOVERED, unit, request, variables, failure)
        finally:
            del failure  # its traceback refers to this frame

    async def _aside(self, request: Request, key: Hashable, work: Callable[[], T]) -> T:
        """Do work in the worker if there is one and the request may wait, otherwise here."""
        if self._worker is None or request.is_sync:
            return work()
        return await self._worker.run(key, work, request.turns)

    async def _resolved(
        self, program: Program, unit: Unit, request: Request, variables: VariableValues
    ) -> ExecutionResult:
        """Execute a unit that has resolvers. If it fails, graphql-core executes it again with what they returned."""
        make_core = partial(
            program.core,
            root_value=request.root,
            context_value=request.context,
            variable_values=variables,
            **request.options,
        )
        run = Run(make_core, variables, is_sync=request.is_sync)
        try:
            return await self._compiled(unit, request, variables, run) or await self._replayed(request, run)
        finally:
            await run.close()

    async def _compiled(
        self, unit: Unit, request: Request, variables: VariableValues, run: Run
    ) -> ExecutionResult | None:
        """Return the result of a unit that has resolvers, or None if it fails."""
        assert unit.answer  # noqa: S101 for the type checker: others have no resolvers
        try:
            data, extent = await unit.answer(request.root, run, variables)
        except AnswerTooLarge:
            raise
        except Exception as failure:  # noqa: BLE001 graphql-core raises it again, with its path
            unit.tries.left -= isinstance(failure, Unsupported) and not request.is_sync
            run.left = left_by(failure)
            return None
        self._observe(Outcome.COMPILED)
        return CountedResult(data, extent.values)

    async def _replayed(self, request: Request, run: Run) -> ExecutionResult:
        options = {**request.options, "middleware": MiddlewareManager(run)}
        return await self._refer(Outcome.REPLAYED, replace(request, options=options))

    def execute_sync(self, request: Request) -> ExecutionResult:
        """Execute without an event loop. The result is an awaitable if a resolver returned one."""
        return finished(self.execute(replace(request, is_sync=True)))

    async def _uncompiled(self, parts: Any, request: Request, variables: VariableValues) -> ExecutionResult:
        if parts is None:
            if request.operation.is_introspection:
                return await self._introspected(request)
            return await self._refer(Outcome.REFERENCE, request)
        self._observe(Outcome.PARTS)
        made = parts(
            root_value=request.root,
            context_value=request.context,
            variable_values=variables,
            is_sync=request.is_sync,
            **request.options,
        )
        return await _result(request, made.execute_operation())

    async def _introspected(self, request: Request) -> ExecutionResult:
        """Run introspection in the worker. It calls none of our resolvers and takes tens of milliseconds."""
        self._observe(Outcome.REFERENCE)
        run = partial(_referred, self._api, request, self._programming.options.most_bytes)
        return await _result(request, await self._aside(request, object(), run))

    async def _by_value(
        self,
        outcome: Outcome,
        unit: Unit,
        request: Request,
        variables: VariableValues,
        failure: Exception | None = None,
    ) -> ExecutionResult:
        recovery = Recovery(unit, request.context, variables, self._programming.options.most_bytes, failure)
        try:
            return self._observed(outcome, await recovery.answer(request.root))
        except (Unsupported, RecursionError) as error:
            unit.tries.left -= 1
            left = [*(left_by(failure) if failure else ()), *recovery.left, value_of(error)]
        finally:
            del failure  # its traceback refers to this frame
        try:
            return await self._refer(Outcome.REPLAYED, request)
        finally:
            if not request.is_sync:  # where graphql-core may still return it
                close_unawaited(left)

    def _observed(self, outcome: Outcome, result: ExecutionResult) -> ExecutionResult:
        """Report an outcome and return its result, which a variable of a caller would keep (see `Recovery.answer`)."""
        self._observe(outcome)
        return result

    def rehearsal(self, request: Request) -> Rehearsal:
        """Return a query's program for inspection. Raises `Unsupported` if it can't be compiled."""
        variables = request.operation.variables.coerced(request.variables)
        if isinstance(variables, list):
            raise Unsupported("; ".join(error.message for error in variables))
        shape = self._programming.root(request.operation, variables)
        unit = compile_shape(shape, replace(self._programming.options, is_whole=True))
        if unit.has_resolvers and unit.loading.groups:
            raise Unsupported("relations beside resolvers that are asynchronous or get `info`")
        return Rehearsal(shape, unit, variables)

    async def _program(self, request: Request, variables: VariableValues) -> Program:
        operation = request.operation
        key = (self, *[variables.coerced.get(name) for name in operation.deciding])
        return operation.program(key) or await self._made(key, request, variables)

    async def _made(self, key: Hashable, request: Request, variables: VariableValues) -> Program:
        operation, make = request.operation, partial(self._programming.program, request.operation, variables)
        if operation.extent.fields <= INLINE_FIELDS:
            return operation.keep(key, make())
        return operation.keep(key, await self._aside(request, (operation, key), make))

    async def _refer(self, outcome: Outcome, request: Request) -> ExecutionResult:
        self._observe(outcome)
        return await refer(self._api, request, self._programming.options.most_bytes)


def _intervenes(request: Request) -> bool:
    return any(request.options.get(name) is not None for name in INTERVENING & request.options.keys())


async def refer(api: strawberry.Schema, request: Request, most_bytes: int = UNBOUNDED) -> ExecutionResult:
    """Execute by graphql-core. Raises `AnswerTooLarge`.

    `api.execute` isn't used because it parses and validates again, and logs client errors with a traceback.
    """
    return await _result(request, _referred(api, request, most_bytes))


async def _result(request: Request, result: Any) -> ExecutionResult:
    answer: ExecutionResult = await result if isawaitable(result) and not request.is_sync else result
    return answer


def _referred(
    api: strawberry.Schema, request: Request, most_bytes: int
) -> ExecutionResult | Awaitable[ExecutionResult]:
    # Strawberry's choice of graphql-core's function, which depends on whether the schema has `@defer`.
    execute = strawberry.Schema._get_execute_function(api)  # noqa: SLF001
    name = request.operation.node.name
    result: ExecutionResult | Awaitable[ExecutionResult] = execute(
        core_schema(api),
        request.operation.document,
        root_value=request.root,
        context_value=request.context,
        variable_values=request.variables,
        operation_name=name.value if name else None,
        executor_class=api.execution_context_class
        if most_bytes == UNBOUNDED
        else bounded(api.execution_context_class, most_bytes),
        **request.options,
    )
    return result
