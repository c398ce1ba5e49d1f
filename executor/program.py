"""The program of an operation for given values of the variables in its conditions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import strawberry
from graphql import GraphQLError, OperationType, VariableValues

from mainsheet.executor.bounds import bounded
from mainsheet.executor.compiler import Options, Unit, compile_shape
from mainsheet.executor.mutations import core_executor, details_of, in_parts
from mainsheet.executor.plain import is_plain_schema
from mainsheet.executor.plan import Planner
from mainsheet.executor.prepared import Prepared
from mainsheet.executor.shape import Shape, joins_are_asked
from mainsheet.executor.sources import Sources
from mainsheet.executor.unsupported import Unsupported

# Measured with tracemalloc, rounded up; `tests/executor/test_prepared.py` holds them.
BYTES = 4_000  # of any program
BYTES_A_CHARACTER = 12  # of a unit, by the length of its source


@dataclass(frozen=True, eq=False)
class Program:
    """A compiled operation, or compiled parts of it, or neither: then graphql-core executes it.

    `core` makes graphql-core's executors for a unit with resolvers.
    `weight` is the estimated size in bytes.
    """

    unit: Unit | None
    parts: Any
    weight: int
    core: Any = None


NOT_COMPILED = Program(None, None, BYTES)


@dataclass(frozen=True)
class Programming:
    """Compiles the programs of a schema."""

    api: strawberry.Schema
    options: Options

    @cached_property
    def _sources(self) -> Sources:
        return Sources(self.api)

    def program(self, prepared: Prepared, variables: VariableValues) -> Program:
        if not (prepared.is_plain and is_plain_schema(self.api)):
            return NOT_COMPILED
        unit = None
        if prepared.node.operation is not OperationType.MUTATION:
            unit = _unit(partial(self.root, prepared, variables), replace(self.options, is_whole=True))
        if unit:
            core = self._core(prepared) if unit.has_resolvers else None
            return Program(replace(unit, source=""), None, _weight(unit), core)
        units = self._units(prepared, variables)
        if not units:
            return NOT_COMPILED
        base = bounded(self.api.execution_context_class, self.options.most_bytes)
        parts = in_parts(base, prepared.schema, prepared.document, prepared.node, units)
        return Program(None, parts, _weight(*units.values()))

    def root(self, prepared: Prepared, variables: VariableValues) -> Shape:
        """Return the shape of the whole operation. Raises `Unsupported`."""
        resolves = prepared.node.operation is OperationType.QUERY
        shape = self.planner(prepared, variables, resolves=resolves).root()
        return shape if joins_are_asked(shape) else self.planner(prepared, variables, joins=False).root()

    def _core(self, prepared: Prepared) -> Callable[..., Any]:
        """Return a factory of graphql-core's executors. It takes what `in_parts` takes, except for `is_sync`."""
        return core_executor(self.api.execution_context_class, prepared.schema, prepared.document, prepared.node)

    def planner(
        self, prepared: Prepared, variables: VariableValues, *, joins: bool = True, resolves: bool = False
    ) -> Planner:
        """Return an operation's planner. It gets only the values of the variables in conditions."""
        known = details_of(prepared.document)
        sources = {name: variables.sources[name] for name in prepared.deciding if name in variables.sources}
        coerced = {name: variables.coerced[name] for name in prepared.deciding if name in variables.coerced}
        deciding = VariableValues(sources, coerced)
        believes_rows = self.options.believes_rows
        return Planner(self._sources, prepared.schema, known, prepared.node, deciding, believes_rows, joins, resolves)

    def _units(self, prepared: Prepared, variables: VariableValues) -> Mapping[str, Unit]:
        """Return the units that can be compiled below the root, by response key."""
        alone = prepared.node.operation is OperationType.MUTATION  # each field sees a snapshot of its own
        planner, unjoined = (self.planner(prepared, variables, joins=joins, resolves=True) for joins in (alone, False))
        options = replace(self.options, some_attributes=alone)

        def shape(*root: Any) -> Shape:
            planned = planner.shape(*root)
            return planned if joins_are_asked(planned) else unjoined.shape(*root)

        try:
            found = {key: _unit(partial(shape, *root), options) for key, root in planner.roots().items()}
        except (Unsupported, GraphQLError, RecursionError):
            return {}
        return {key: unit for key, unit in found.items() if unit and unit.answer}


def _unit(shape: Callable[[], Shape], options: Options) -> Unit | None:
    try:
        return compile_shape(shape(), options)
    except (Unsupported, GraphQLError, RecursionError, SyntaxError):  # Python's blocks nest only so deep
        return None


def _weight(*units: Unit) -> int:
    return BYTES + BYTES_A_CHARACTER * sum(len(each.source) for each in units)
