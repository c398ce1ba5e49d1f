"""The price of an operation: estimated from its document and variables, and counted in its result."""

from collections.abc import Mapping
from itertools import chain
from typing import Any, NamedTuple

from graphql import ExecutionResult

from mainsheet.executor import CountedResult
from mainsheet.executor.turns import next_turn
from mainsheet.server.operations.operation_store import Operation

VALUES = 5_000  # fields and list items between two turns, more or less: less than a millisecond


class Price(NamedTuple):
    """The estimated cost. The unused part is refunded, unless the operation does work that the size doesn't show."""

    estimate: int
    is_refundable: bool

    async def actual(self, result: ExecutionResult) -> int:
        """Return the cost of a result with data."""
        if not self.is_refundable:
            return self.estimate
        values = result.values if isinstance(result, CountedResult) else await size(result.data or {})
        return min(self.estimate, values)


def price_of(operation: Operation, variables: Mapping[str, Any] | None) -> Price:
    """Return the price with these variables. Raises `InvalidOperation` if they, or the cost, are over a limit."""
    return Price(operation.check(variables), is_refundable=not operation.does_work)


async def size(data: dict[str, Any]) -> int:
    """Count fields and list items as the estimate does: a list's field counts once for each item.

    Many objects and lists at a time, because that leaves most of the work to C. How many is estimated from the next.
    """
    found = turn_began = 0
    objects: list[dict[str, Any]] = [data]
    lists: list[list[Any]] = []
    while objects or lists:
        batch = max(1, VALUES // max(1, *map(len, (*objects[-1:], *lists[-1:]))))
        inner = lists[-batch:]
        values = [*chain.from_iterable(map(dict.values, objects[-batch:])), *chain.from_iterable(inner)]
        del objects[-batch:], lists[-batch:]
        found += len(values) - len(inner)
        objects += [each for each in values if each.__class__ is dict]
        lists += [each for each in values if each.__class__ is list]
        if found - turn_began > VALUES:
            turn_began = found
            await next_turn()
    return found
