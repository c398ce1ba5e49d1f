"""What an operation costs: estimated from its document, and counted in what it returned."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from graphql import DocumentNode, FieldNode, GraphQLSchema, Node, OperationDefinitionNode

from server.complexity import weigh, weighted_fields

MOST_KEPT = 256


@dataclass(frozen=True, slots=True)
class Price:
    """The estimate; what isn't used of it is given back, but where fields cost more than their size shows."""

    estimate: int
    is_refundable: bool

    def actual(self, data: dict[str, Any]) -> int:
        return min(self.estimate, size(data)) if self.is_refundable else self.estimate


class Prices:
    """Remembers the prices of operations seen last."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._weighted = weighted_fields(schema)
        self._known: dict[int, tuple[OperationDefinitionNode, Price]] = {}

    def of(self, document: DocumentNode, operation: OperationDefinitionNode) -> Price:
        known = self._known.get(id(operation))
        if known is not None and known[0] is operation:
            return known[1]
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        is_weighted = any(name in self._weighted for name in _field_names(document))
        price = Price(weigh(self._schema, document, operation)["cost"], is_refundable=not is_weighted)
        self._known[id(operation)] = operation, price
        return price


def _field_names(document: DocumentNode) -> Iterator[str]:
    waiting: list[Node] = list(document.definitions)
    while waiting:
        node = waiting.pop()
        if isinstance(node, FieldNode):
            yield node.name.value
        if selections := getattr(node, "selection_set", None):
            waiting.extend(selections.selections)


def size(data: dict[str, Any]) -> int:
    """Count fields and list items as the estimate does: a list's field counts once for each item.

    Level by level, because that leaves most of the work to C.
    """
    found = 0
    objects: list[dict[str, Any]] = [data]
    lists: list[list[Any]] = []
    while objects or lists:
        values = [*chain.from_iterable(map(dict.values, objects)), *chain.from_iterable(lists)]
        found += len(values) - len(lists)
        objects = [each for each in values if each.__class__ is dict]
        lists = [each for each in values if each.__class__ is list]
    return found
