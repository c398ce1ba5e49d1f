"""Executes root fields by graphql-core, and everything below them by compiled code."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from inspect import isawaitable
from typing import Any

from graphql import default_field_resolver, default_type_resolver

from mainsheet.executor.bounds import AnswerTooLarge
from mainsheet.executor.compiler import Unit
from mainsheet.executor.plan import Planner


def in_parts(base: Any, planner: Planner, units: Mapping[str, Unit]) -> Any:
    """Return a factory of executors that complete root fields by units, which are given by response key.

    The factory takes the root, the context and coerced variables: graphql-core's `build` would coerce them again.
    """
    return partial(
        _parts(base),
        units=units,
        schema=planner.schema,
        fragment_definitions={name: each.definition for name, each in planner.fragments.items()},
        fragments=planner.fragments,
        operation=planner.operation,
        field_resolver=default_field_resolver,
        type_resolver=default_type_resolver,
        subscribe_field_resolver=default_field_resolver,
    )


@cache
def _parts(base: Any) -> Any:
    """Return a subclass of a `bounded` executor that uses units."""

    class Parts(base):  # type: ignore[misc]  # chosen at run time
        def __init__(self, *args: Any, units: Mapping[str, Unit], **options: Any) -> None:
            super().__init__(*args, **options)
            self._units = units
            self._met_errors: set[str] = set()

        def complete_value(self, return_type: Any, details: Any, info: Any, path: Any, *result: Any) -> Any:
            """Complete a root field by its unit if it has one, otherwise by graphql-core."""
            if path.prev is None and path.key not in self._met_errors and not isinstance(result[0], Exception | None):
                unit = self._units.get(path.key)
                if unit is not None:
                    arguments = (return_type, details, info, path, *result)
                    return self._completed(unit.answer, path.key, result[0], arguments)
            return super().complete_value(return_type, details, info, path, *result)

        async def _completed(self, complete: Any, key: str, value: Any, arguments: Sequence[Any]) -> Any:
            try:
                answer, size = await complete(value, self.context_value, self.variable_values)
            except AnswerTooLarge as error:
                self.size += error.size
                return {}  # the answer is discarded as a whole
            except Exception:  # noqa: BLE001 graphql-core raises it again, with its path
                self._met_errors.add(key)
                answer = super().complete_value(*arguments)
                return await answer if isawaitable(answer) else answer
            self.size += size
            return answer

    return Parts
