"""The price of an operation: estimated from its document and variables, and counted in its result."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from mainsheet.executor.turns import next_turn
from mainsheet.server.operations.operation_store import Operation

BATCH = 100  # objects and lists


@dataclass(frozen=True, slots=True)
class Price:
    """The estimate; the part that wasn't used is given back, except if the operation does work that no size shows."""

    estimate: int
    is_refundable: bool

    async def actual(self, data: dict[str, Any]) -> int:
        return min(self.estimate, await size(data)) if self.is_refundable else self.estimate


def price_of(operation: Operation, variables: Mapping[str, Any] | None) -> Price:
    return Price(operation.measures(variables)["cost"], is_refundable=not operation.does_work)


async def size(data: dict[str, Any]) -> int:
    """Count fields and list items as the estimate does: a list's field counts once for each item.

    Several objects and lists at a time, because that leaves most of the work to C.
    """
    found = 0
    todo: list[Any] = [data]
    while todo:
        batch = todo[-BATCH:]
        del todo[-BATCH:]
        objects = [each for each in batch if each.__class__ is dict]
        lists = [each for each in batch if each.__class__ is list]
        values = [*chain.from_iterable(map(dict.values, objects)), *chain.from_iterable(lists)]
        found += len(values) - len(lists)
        todo += [each for each in values if each.__class__ is dict or each.__class__ is list]
        if len(todo) > BATCH:
            await next_turn()
    return found
