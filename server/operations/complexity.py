"""Estimates the complexity of an operation before it runs.

Each selection set is weighed once, fragments included, so that the work grows with the document and not with
what its fragments expand to. Three numbers follow the client's limits:

depth   fields below fields
fields  the number of fields; an alias counts as a field, and a fragment counts at each spread
cost    the number of fields, each multiplied by the sizes of the lists above it. A size is the argument `limit`,
        `first`, `last` or `count`, or its default; the length of a list argument (`nodes(ids:)`); otherwise `items` in
        the field's `metadata`, or `PLAIN_LIST`. The lists of a field with `batch` in its `metadata` are as long as the
        longest list in its input. A field with a `weight` in its `metadata` counts as that many fields.

Depth and fields follow from the document. The cost is a polynomial in the sizes that variables give
(`server/operations/cost.py`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Self

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLCompositeType,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from mainsheet.server.errors import Code, with_code
from mainsheet.server.operations.cost import CEILING, FREE, Cost, Size, capped
from mainsheet.server.settings import Settings

SIZE_ARGUMENTS = ("limit", "first", "last", "count")
DEFAULT_PAGE = 100
PLAIN_LIST = 10
DIGITS = 12


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of an operation. `tokens` counts its document, `values` its variables."""

    depth: int
    fields: int
    cost: int
    tokens: int
    values: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            depth=settings.max_depth,
            fields=settings.max_fields,
            cost=settings.max_cost,
            tokens=settings.max_tokens,
            values=settings.max_variable_values,
        )


@dataclass(frozen=True, slots=True)
class Extent:
    depth: int = 0
    fields: int = 0

    def __add__(self, other: Self) -> "Extent":
        return Extent(max(self.depth, other.depth), capped(self.fields + other.fields))


@dataclass(frozen=True, slots=True)
class Weight:
    """The cost of a selection set. `items` is the cost per element of its lists, whose size the parent field has."""

    cost: Cost = FREE
    items: Cost = FREE

    @classmethod
    def total(cls, weights: Iterable["Weight"]) -> Self:
        found = list(weights)
        return cls(Cost.total(each.cost for each in found), Cost.total(each.items for each in found))

    def of(self, size: Size) -> Cost:
        return Cost.total([self.cost, self.items * size])


def too_large(document: DocumentNode, limits: Limits) -> list[GraphQLError]:
    """Return an error for each definition that is deeper, or has more fields, than the limits allow.

    Fragments that aren't used count too: they are work for validation.
    """
    extents = _Extents(document)
    found: list[GraphQLError] = []
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            extent = extents.of(definition.selection_set)
            measured = {"depth": extent.depth, "fields": extent.fields}
            found += too_complex(measured, limits, definition)
    return found


def too_complex(measured: dict[str, int], limits: Limits, node: Node) -> Iterable[GraphQLError]:
    for name, value in measured.items():
        limit: int = getattr(limits, name)
        if value > limit:
            message = f"The query is too complex: {name} {value}, at most {limit}. Ask for less at once."
            extensions = {"measure": name, "limit": limit, "actual": value}
            yield with_code(GraphQLError(message, node, extensions=extensions), Code.QUERY_TOO_COMPLEX)


def extent_of(document: DocumentNode, operation: OperationDefinitionNode) -> Extent:
    return _Extents(document).of(operation.selection_set)


def cost_of(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> Cost:
    """Return the cost of an operation whose number of fields is limited."""
    weight = _Weights(schema, document).of(operation.selection_set, schema.get_root_type(operation.operation))
    return weight.of(Size(PLAIN_LIST))


def fields_with_work(schema: GraphQLSchema) -> frozenset[str]:
    """Return the names of the fields that declare `work`."""
    objects = [each for each in schema.type_map.values() if isinstance(each, GraphQLObjectType)]
    return frozenset(name for each in objects for name, field in each.fields.items() if _declared(field, "work", 0))


def field_names(document: DocumentNode) -> Iterator[str]:
    waiting: list[Node] = list(document.definitions)
    while waiting:
        node = waiting.pop()
        if isinstance(node, FieldNode):
            yield node.name.value
        if selections := getattr(node, "selection_set", None):
            waiting.extend(selections.selections)


class _Extents:
    def __init__(self, document: DocumentNode) -> None:
        self._fragments = _fragments(document)
        self._fragment_extents: dict[str, Extent] = {}

    def of(self, selections: SelectionSetNode) -> Extent:
        return reduce(add, map(self._selection, selections.selections), Extent())

    def _selection(self, node: SelectionNode) -> Extent:
        match node:
            case FieldNode(selection_set=selections):
                below = self.of(selections) if selections else Extent()
                return Extent(below.depth + 1, below.fields + 1)
            case InlineFragmentNode():
                return self.of(node.selection_set)
            case FragmentSpreadNode():
                return self._spread(node.name.value)
        return Extent()

    def _spread(self, name: str) -> Extent:
        if name not in self._fragment_extents:
            self._fragment_extents[name] = Extent()  # a fragment that contains itself: another rule reports it
            if fragment := self._fragments.get(name):
                self._fragment_extents[name] = self.of(fragment.selection_set)
        return self._fragment_extents[name]


class _Weights:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = _fragments(document)
        self._fragment_weights: dict[str, Weight] = {}

    def of(self, selections: SelectionSetNode, parent: GraphQLCompositeType | None) -> Weight:
        return Weight.total(self._selection(node, parent) for node in selections.selections)

    def _composite(self, name: str) -> GraphQLCompositeType | None:
        named = self._schema.get_type(name)
        return named if is_composite_type(named) else None

    def _selection(self, node: SelectionNode, parent: GraphQLCompositeType | None) -> Weight:
        match node:
            case FieldNode():
                return self._field(node, _field_of(self._schema, parent, node.name.value))
            case InlineFragmentNode(type_condition=condition):
                return self.of(node.selection_set, self._composite(condition.name.value) if condition else parent)
            case FragmentSpreadNode():
                return self._spread(node.name.value)
        return Weight()

    def _spread(self, name: str) -> Weight:
        if name not in self._fragment_weights:
            fragment = self._fragments[name]
            self._fragment_weights[name] = self.of(
                fragment.selection_set, self._composite(fragment.type_condition.name.value)
            )
        return self._fragment_weights[name]

    def _field(self, node: FieldNode, field: GraphQLField | None) -> Weight:
        below = Weight()
        if node.selection_set:
            named = get_named_type(field.type) if field else None
            below = self.of(node.selection_set, named if is_composite_type(named) else None)
        return _above(below, node, field)


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}


def _above(below: Weight, node: FieldNode, field: GraphQLField | None) -> Weight:
    own = Cost.of(_declared(field, "weight", 1))
    if field is None or not isinstance(get_nullable_type(field.type), GraphQLList):
        return Weight(Cost.total([own, below.of(_page_size(node, field) if field else Size(PLAIN_LIST))]))
    each, size = Cost.total([own, below.of(Size(PLAIN_LIST))]), _list_size(node, field)
    return Weight(items=each) if size is None else Weight(each * size)


def _declared(field: GraphQLField | None, name: str, default: int) -> int:
    declared = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF) if field else None
    found: int = declared.metadata.get(name, default) if declared else default
    return found


def _field_of(schema: GraphQLSchema, parent: GraphQLCompositeType | None, name: str) -> GraphQLField | None:
    if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        return schema.get_field(parent, name)
    return None


def _page_size(node: FieldNode, field: GraphQLField) -> Size:
    sizes = [argument for name, argument in field.args.items() if name in SIZE_ARGUMENTS]
    if not sizes:
        return _batch_size(node) if _declared(field, "batch", 0) else Size(_declared(field, "items", PLAIN_LIST))
    given = [argument.value for argument in node.arguments or () if argument.name.value in SIZE_ARGUMENTS]
    defaults = (each.default_value for each in sizes)
    return _size(given, max((each for each in defaults if isinstance(each, int)), default=DEFAULT_PAGE))


def _batch_size(node: FieldNode) -> Size:
    """Return the length of the longest list in the field's arguments, which are input objects."""
    given = [argument.value for argument in node.arguments or ()]
    lists = [each.value for value in given if isinstance(value, ObjectValueNode) for each in value.fields]
    return _size([*lists, *(value for value in given if isinstance(value, VariableNode))], DEFAULT_PAGE)


def _list_size(node: FieldNode, field: GraphQLField) -> Size | None:
    if any(name in field.args for name in SIZE_ARGUMENTS):
        return _page_size(node, field)
    lists = [argument.value for argument in node.arguments or () if _is_list(field.args.get(argument.name.value))]
    if lists:
        return _size(lists, DEFAULT_PAGE)
    items = _declared(field, "items", 0)
    return Size(items) if items else None


def _size(values: Iterable[ValueNode], default: int) -> Size:
    """Return the largest of the given sizes, or the default where none is given."""
    literals, variables = [], []
    for value in values:
        if isinstance(value, VariableNode):
            variables.append(value.name.value)
        elif (size := _literal(value)) is not None:
            literals.append(size)
    if literals or variables:
        return Size(max(literals, default=0), tuple(sorted(variables)), default)
    return Size(default)


def _literal(value: ValueNode) -> int | None:
    match value:
        case IntValueNode():
            return max(int(value.value), 0) if len(value.value) < DIGITS else CEILING
        case ListValueNode():
            return len(value.values)
    return None


def _is_list(argument: GraphQLArgument | None) -> bool:
    return argument is not None and isinstance(get_nullable_type(argument.type), GraphQLList)
