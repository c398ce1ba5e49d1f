"""Runs validated operations: compiled where possible, by graphql-core where not, with the same answer."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from inspect import isawaitable
from typing import Any

import strawberry
from graphql import (
    DirectiveNode,
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    VariableValues,
    execute,
    get_variable_values,
)
from graphql.execution.collect_fields import FragmentDetails

from executor.arguments import are_small
from executor.compiler import Options, Unit, compile_shape
from executor.parts import in_parts
from executor.plan import Planner
from executor.recovery import Recovery
from executor.rehearsal import Rehearsal
from executor.shape import Shape, Unsupported

CAPACITY = 1000
NO_VARIABLES = VariableValues({}, {})
MAX_COERCION_ERRORS = 50  # graphql-core's
DECIDING = {"skip", "include", "defer"}


class Outcome(StrEnum):
    COMPILED = "compiled"  # from end to end
    PARTS = "parts"  # graphql-core ran the root fields (mutations, resolvers with `info`), what is below was compiled
    RECOVERED = "recovered"  # met an error, and was gone through again for its place
    REPLAYED = "replayed"  # met a value of another kind than its field's, and was done again by graphql-core
    REFERENCE = "reference"  # nothing to compile: introspection, variables that are refused, what isn't supported


def core_schema(api: strawberry.Schema) -> GraphQLSchema:
    """Return what Strawberry built; it has no public name."""
    return api._schema  # noqa: SLF001


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """An operation of a validated document, to be executed for somebody."""

    document: DocumentNode
    operation: OperationDefinitionNode
    variables: dict[str, Any] | None = None
    context: Any = None
    root: Any = None


@dataclass(frozen=True, eq=False)
class Program:
    """An operation as far as it doesn't depend on the request: compiled whole, or run in parts by graphql-core."""

    document: DocumentNode
    unit: Unit | None
    parts: Any


class Executor:
    """Executes operations of a Strawberry schema; `observe` is told how each one went.

    With `keeps_datetimes` data may hold datetimes, which the JSON encoder is to write in ISO 8601 as orjson does.
    With `believes_rows` objects are taken for what their fields are declared to give: `is_type_of` isn't asked where
    a type is concrete, nor is an exception looked for that stands for an object and has its attributes.
    """

    def __init__(
        self,
        api: strawberry.Schema,
        *,
        observe: Callable[[Outcome], None] = lambda _: None,
        capacity: int = CAPACITY,
        keeps_datetimes: bool = False,
        believes_rows: bool = False,
    ) -> None:
        self._api = api
        self._schema = core_schema(api)
        self._observe = observe
        self._capacity = capacity
        self._part = Options(keeps_datetimes=keeps_datetimes, believes_rows=believes_rows)
        self._whole = replace(self._part, is_whole=True)
        self._programs: OrderedDict[tuple[Any, ...], Program] = OrderedDict()
        self._coercions: dict[tuple[Any, ...], tuple[OperationDefinitionNode, VariableValues]] = {}
        self._switches: OrderedDict[int, tuple[DocumentNode, tuple[str, ...]]] = OrderedDict()

    async def execute(self, request: Request) -> ExecutionResult:
        """Answer as graphql-core's `execute` would."""
        variables = self._coerced(request)
        if isinstance(variables, list):
            self._observe(Outcome.REFERENCE)
            return ExecutionResult(None, variables)
        program = self._program(request, variables)
        if program.unit is None:
            return await self._uncompiled(program.parts, request, variables)
        try:
            data = await program.unit.answer(request.root, request.context, variables)
        except Exception as failure:  # noqa: BLE001 whatever it is, it is met again and gets its place
            return await self._recovered(program.unit, request, variables, failure)
        self._observe(Outcome.COMPILED)
        return ExecutionResult(data, None)

    async def _uncompiled(self, parts: Any, request: Request, variables: VariableValues) -> ExecutionResult:
        if parts is None:
            return await self._refer(Outcome.REFERENCE, request)
        self._observe(Outcome.PARTS)
        made = parts(root_value=request.root, context_value=request.context, variable_values=variables)
        result: ExecutionResult | Awaitable[ExecutionResult] = made.execute_operation()
        return await result if isawaitable(result) else result

    async def _recovered(
        self, unit: Unit, request: Request, variables: VariableValues, failure: Exception
    ) -> ExecutionResult:
        try:
            result = await Recovery(unit, request.context, variables, failure).answer(request.root)
        except Unsupported:
            return await self._refer(Outcome.REPLAYED, request)
        self._observe(Outcome.RECOVERED)
        return result

    def rehearsal(self, request: Request) -> Rehearsal:
        """Return what is made for a query, to be looked at; raise `Unsupported` if nothing is."""
        variables = self._coerced(request)
        if isinstance(variables, list):
            raise Unsupported("; ".join(error.message for error in variables))
        shape = self._planner(request, variables).root()
        return Rehearsal(shape, compile_shape(shape, self._whole), variables)

    def _coerced(self, request: Request) -> VariableValues | list[GraphQLError]:
        definitions = request.operation.variable_definitions
        if not definitions:
            return NO_VARIABLES
        given = request.variables or {}
        if not are_small(given.values()):
            return _coerced(self._schema, request)
        # Values that are equal but of different types, as 1 and True, are different values.
        key = (id(request.operation), *((name, value.__class__, value) for name, value in given.items()))
        known = self._coercions.get(key)
        if known is not None and known[0] is request.operation:
            return known[1]
        coerced = _coerced(self._schema, request)
        if not isinstance(coerced, list):
            if len(self._coercions) >= self._capacity:
                self._coercions.clear()
            self._coercions[key] = request.operation, coerced
        return coerced

    def _program(self, request: Request, variables: VariableValues) -> Program:
        document, operation = request.document, request.operation
        switches = tuple([variables.coerced.get(name) for name in self._switches_of(document)])
        key = (id(document), id(operation), switches)
        program = self._programs.get(key)
        if program is not None:
            self._programs.move_to_end(key)
            return program
        unit = None
        if operation.operation is OperationType.QUERY:
            unit = _compiled(self._planner(request, variables).root, self._whole)
        program = Program(document, unit, None if unit else self._parts_of(request, variables))
        self._programs[key] = program  # holds the document: its id belongs to no other one
        if len(self._programs) > self._capacity:
            self._programs.popitem(last=False)
        return program

    def _planner(self, request: Request, variables: VariableValues) -> Planner:
        fragments = {
            node.name.value: FragmentDetails(node)
            for node in request.document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        return Planner(
            self._api, self._schema, fragments, request.operation, variables, believes_rows=self._part.believes_rows
        )

    def _parts_of(self, request: Request, variables: VariableValues) -> Any:
        """Return what makes graphql-core's executor, with what can be compiled below the root; None if nothing can."""
        planner = self._planner(request, variables)
        alone = request.operation.operation is OperationType.MUTATION  # each field sees a snapshot of its own
        options = replace(self._part, some_attributes=alone)
        try:
            found = {key: _compiled(partial(planner.shape, *root), options) for key, root in planner.roots().items()}
        except (Unsupported, GraphQLError):
            return None
        units = {key: unit for key, unit in found.items() if unit}
        return in_parts(self._api.execution_context_class, planner, units) if units else None

    def _switches_of(self, document: DocumentNode) -> tuple[str, ...]:
        """Return the variables that decide what is selected; remembered with the document."""
        known = self._switches.get(id(document))
        if known is None or known[0] is not document:
            known = self._switches[id(document)] = document, tuple(sorted(_switches(document)))
            if len(self._switches) > self._capacity:
                self._switches.popitem(last=False)
        return known[1]

    async def _refer(self, outcome: Outcome, request: Request) -> ExecutionResult:
        self._observe(outcome)
        return await refer(self._api, request)


def _compiled(shape: Callable[[], Shape], options: Options) -> Unit | None:
    try:
        return compile_shape(shape(), options)
    except (Unsupported, GraphQLError, RecursionError, SyntaxError):  # Python's blocks nest only so deep
        return None


def _coerced(schema: GraphQLSchema, request: Request) -> VariableValues | list[GraphQLError]:
    definitions = request.operation.variable_definitions or ()
    return get_variable_values(schema, definitions, request.variables or {}, max_errors=MAX_COERCION_ERRORS)


def _switches(node: DocumentNode) -> set[str]:
    found: set[str] = set()
    waiting: list[SelectionSetNode] = [
        definition.selection_set
        for definition in node.definitions
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    while waiting:
        for selection in waiting.pop().selections:
            found.update(*map(_variables_of, selection.directives or ()))
            below = getattr(selection, "selection_set", None)
            if below is not None:
                waiting.append(below)
    return found


def _variables_of(directive: DirectiveNode) -> set[str]:
    if directive.name.value not in DECIDING:
        return set()
    values = [argument.value for argument in directive.arguments or ()]
    return {value.name.value for value in values if isinstance(value, VariableNode)}


async def refer(api: strawberry.Schema, request: Request) -> ExecutionResult:
    """Execute by graphql-core.

    Not by `api.execute`: that parses and validates by itself, and logs each client's mistake with a traceback.
    """
    name = request.operation.name
    result: ExecutionResult | Awaitable[ExecutionResult] = execute(
        core_schema(api),
        request.document,
        root_value=request.root,
        context_value=request.context,
        variable_values=request.variables,
        operation_name=name.value if name else None,
        executor_class=api.execution_context_class,
        operation_extensions=None,
    )
    return await result if isawaitable(result) else result
