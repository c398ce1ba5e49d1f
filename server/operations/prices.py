"""The price of an operation: estimated from its document and variables, and counted in its result."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mainsheet.executor.turns import next_turn
from mainsheet.server.operations.operation_store import Operation

BATCH = 200  # objects and lists between two turns


@dataclass(frozen=True, slots=True)
class Price:
    """The estimated cost. The unused part is refunded, unless the operation does work that the size doesn't show."""

    estimate: int
    is_refundable: bool

    async def actual(self, data: dict[str, Any]) -> int:
        return min(self.estimate, await size(data)) if self.is_refundable else self.estimate


def price_of(operation: Operation, variables: Mapping[str, Any] | None) -> Price:
    return Price(operation.measures(variables)["cost"], is_refundable=not operation.does_work)


async def size(data: dict[str, Any]) -> int:
    """Count fields and list items as the estimate does: a list's field counts once for each item."""
    found = steps = 0
    todo: list[Any] = [data]
    while todo:
        each = todo.pop()
        if each.__class__ is dict:
            found += len(each)
            each = each.values()
        else:
            found += len(each) - 1
        todo += [value for value in each if value.__class__ is dict or value.__class__ is list]
        steps += 1
        if not steps % BATCH:
            await next_turn()
    return found
