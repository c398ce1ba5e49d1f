"""Executes root fields by graphql-core, and everything below them by compiled code."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from inspect import isawaitable
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLSchema,
    OperationDefinitionNode,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution import MiddlewareManager
from graphql.execution.collect_fields import FragmentDetails

from mainsheet.executor.bounds import AnswerTooLarge
from mainsheet.executor.compiler import Unit
from mainsheet.executor.finished import finished
from mainsheet.executor.introspection import fragments
from mainsheet.executor.run import Run
from mainsheet.executor.unsupported import Unsupported, left_by


def in_parts(
    base: Any,
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    units: Mapping[str, Unit],
) -> Any:
    """Return a factory of executors that complete root fields by units, which are given by response key.

    With `is_sync`, units that may have to wait aren't used, and nothing is awaited.

    The factory takes the root, the context and coerced variables: graphql-core's `build` would coerce them again.
    """
    return partial(core_executor(_parts(base), schema, document, operation), units=units)


def core_executor(
    base: Any, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> Callable[..., Any]:
    """Return a factory of graphql-core's executors for one operation."""
    return partial(
        base,
        schema=schema,
        fragment_definitions=fragments(document),
        fragments=details_of(document),
        operation=operation,
        field_resolver=default_field_resolver,
        type_resolver=default_type_resolver,
        subscribe_field_resolver=default_field_resolver,
    )


def details_of(document: DocumentNode) -> dict[str, FragmentDetails]:
    return {name: FragmentDetails(node) for name, node in fragments(document).items()}


class FailedRuns(dict[str, Run]):
    """The runs of root fields that failed, by response key. As graphql-core's middleware they give what they have."""

    def resolve(self, call: Callable[..., Any], source: Any, info: Any, /, **arguments: Any) -> Any:
        """Return what a resolver below a failed root field returned before. Otherwise call it."""
        root = info.path
        while root.prev is not None:
            root = root.prev
        run = self.get(root.key)
        return run.resolve(call, source, info, **arguments) if run else call(source, info, **arguments)


@cache
def _parts(base: Any) -> Any:
    """Return a subclass of a `bounded` executor that uses units."""

    class Parts(base):  # type: ignore[misc]  # chosen at run time
        def __init__(self, *args: Any, units: Mapping[str, Unit], is_sync: bool, **options: Any) -> None:
            super().__init__(*args, **options)
            self._units = units
            self._is_sync = is_sync
            self._met_errors: set[str] = set()
            self._failed = FailedRuns()

        def complete_value(self, return_type: Any, details: Any, info: Any, path: Any, *result: Any) -> Any:
            """Complete a root field by its unit if it has one, otherwise by graphql-core."""
            unit = self._units.get(path.key) if path.prev is None and path.key not in self._met_errors else None
            is_value = unit is not None and not isinstance(result[0], Exception | None)
            if unit and is_value and not unit.tries.are_used_up and not (self._is_sync and unit.waits):
                arguments = (return_type, details, info, path, *result)
                completed = self._completed(unit, path.key, result[0], arguments)
                return finished(completed) if self._is_sync else completed
            return super().complete_value(return_type, details, info, path, *result)

        async def _completed(self, unit: Unit, key: str, value: Any, arguments: Sequence[Any]) -> Any:
            run = Run(lambda: self, self.variable_values, is_sync=self._is_sync, path=arguments[3])
            try:
                answer = await self._by_unit(unit, key, value, run)
                if answer is None:  # not inside of `except`, or the failure would be the context of all errors
                    answer = super().complete_value(*arguments)
                return answer if self._is_sync or not isawaitable(answer) else await answer
            finally:
                await run.close()

        async def _by_unit(self, unit: Unit, key: str, value: Any, run: Run) -> Any:
            """Return the object or list, or None if the unit fails."""
            assert unit.answer  # noqa: S101 for the type checker: others are left out
            try:
                given = run if unit.has_resolvers else self.context_value
                answer, extent = await unit.answer(value, given, self.variable_values)
            except AnswerTooLarge as error:
                self.size += error.size
                return {}  # the answer is discarded as a whole
            except Exception as error:  # noqa: BLE001 graphql-core raises it again, with its path
                unit.tries.left -= isinstance(error, Unsupported) and not (unit.has_resolvers and self._is_sync)
                run.left = left_by(error)
                self._met_errors.add(key)
                if unit.has_resolvers:
                    self._failed[key] = run
                    self.middleware_manager = MiddlewareManager(self._failed)
                return None
            self.size += extent.size
            return answer

    return Parts
