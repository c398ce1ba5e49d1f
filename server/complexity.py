"""How much an operation asks for, estimated before anything runs.

Each selection set is weighed once, fragments included, so that the work grows with the document and not with
what its fragments expand to. Three numbers follow the client's limits:

depth   fields below fields
fields  aliases count, and a fragment counts wherever it is spread
cost    fields, each times the sizes of the lists above it: `limit`, `first`, `last` or `count` where they are given,
        their default or the default page where a list takes them, the length of a list argument (`nodes(ids:)`),
        else `PLAIN_LIST`; a field whose `metadata` has a `weight` counts as so many
"""

from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar, Self

from graphql import (
    SKIP,
    DocumentNode,
    FieldNode,
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
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    TypeInfo,
    ValidationContext,
    ValidationRule,
    ValueNode,
    VisitorAction,
    get_named_type,
    get_nullable_type,
    is_composite_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from server.errors import Code

SIZE_ARGUMENTS = ("limit", "first", "last", "count")
DEFAULT_PAGE = 100
PLAIN_LIST = 10
# Fragments that double at each step reach any number; beyond this one nobody cares by how much.
CEILING = 10**12
DIGITS = 12


@dataclass(frozen=True, slots=True)
class Weight:
    """What a selection set asks for; `items` is its lists' cost per element: only the field above knows how many."""

    depth: int = 0
    fields: int = 0
    cost: int = 0
    items: int = 0

    def __add__(self, other: Self) -> "Weight":
        return Weight(
            max(self.depth, other.depth),
            min(self.fields + other.fields, CEILING),
            min(self.cost + other.cost, CEILING),
            min(self.items + other.items, CEILING),
        )

    def total(self, size: int) -> int:
        return min(self.cost + self.items * size, CEILING)


NOTHING = Weight()


@dataclass(frozen=True, slots=True)
class Limits:
    depth: int
    fields: int
    cost: int


class QueryTooComplex(ValidationRule):
    """Refuse operations over the limits; a subclass from `rule` has them."""

    limits: ClassVar[Limits]

    def enter_document(self, node: DocumentNode, *_: Any) -> VisitorAction:
        scale = Scale(self.context)
        for definition in node.definitions:
            # Fragments too: even unused ones are work for the rules that follow.
            selections = getattr(definition, "selection_set", None)
            if selections:
                self._compare(scale.weigh(selections, scale.type_of(definition)), definition)
        return SKIP

    def _compare(self, weight: Weight, definition: Any) -> None:
        for name, value in _measures(weight).items():
            limit: int = getattr(self.limits, name)
            if value > limit:
                self.report_error(_too_complex(name, limit, value, definition))


def weigh(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> dict[str, int]:
    """Return what is compared with the limits, of one operation."""
    scale = Scale(ValidationContext(schema, document, TypeInfo(schema), lambda _error: None))
    return _measures(scale.weigh(operation.selection_set, scale.type_of(operation)))


def weighted_fields(schema: GraphQLSchema) -> set[str]:
    """Return the names of fields that cost more than a field does."""
    objects = [each for each in schema.type_map.values() if isinstance(each, GraphQLObjectType)]
    return {name for each in objects for name, field in each.fields.items() if _own_weight(field) > 1}


def rule(limits: Limits) -> type[QueryTooComplex]:
    return type("QueryTooComplex", (QueryTooComplex,), {"limits": limits})


def _measures(weight: Weight) -> dict[str, int]:
    return {"depth": weight.depth, "fields": weight.fields, "cost": weight.total(PLAIN_LIST)}


def _too_complex(name: str, limit: int, actual: int, definition: Any) -> GraphQLError:
    return GraphQLError(
        f"The query is too complex: {name} {actual}, at most {limit}. Ask for less at once.",
        definition,
        extensions={"code": Code.QUERY_TOO_COMPLEX, "measure": name, "limit": limit, "actual": actual},
    )


class Scale:
    """Weighs the selections of one document, each fragment once."""

    def __init__(self, context: ValidationContext) -> None:
        self._schema: GraphQLSchema = context.schema
        self._fragment = context.get_fragment
        self._weighed: dict[str, Weight] = {}

    def type_of(self, definition: Any) -> GraphQLCompositeType | None:
        if definition.kind == "operation_definition":
            return self._schema.get_root_type(definition.operation)
        return self._composite(definition.type_condition.name.value)

    def _composite(self, name: str) -> GraphQLCompositeType | None:
        named = self._schema.get_type(name)
        return named if is_composite_type(named) else None

    def weigh(self, selections: SelectionSetNode, parent: GraphQLCompositeType | None) -> Weight:
        return reduce(Weight.__add__, (self._selection(node, parent) for node in selections.selections), NOTHING)

    def _selection(self, node: SelectionNode, parent: GraphQLCompositeType | None) -> Weight:
        match node:
            case FieldNode():
                return self._field(node, _field_of(self._schema, parent, node.name.value))
            case InlineFragmentNode(type_condition=condition):
                return self.weigh(node.selection_set, self._composite(condition.name.value) if condition else parent)
            case FragmentSpreadNode():
                return self._spread(node.name.value)
        return NOTHING

    def _spread(self, name: str) -> Weight:
        if name not in self._weighed:
            self._weighed[name] = NOTHING  # a fragment within itself; another rule tells the client
            if fragment := self._fragment(name):
                self._weighed[name] = self.weigh(fragment.selection_set, self.type_of(fragment))
        return self._weighed[name]

    def _field(self, node: FieldNode, field: GraphQLField | None) -> Weight:
        below = NOTHING
        if node.selection_set:
            named = get_named_type(field.type) if field else None
            below = self.weigh(node.selection_set, named if is_composite_type(named) else None)
        return _above(below, node, field)


def _above(below: Weight, node: FieldNode, field: GraphQLField | None) -> Weight:
    depth, fields = below.depth + 1, below.fields + 1
    if field and isinstance(get_nullable_type(field.type), GraphQLList):
        each, size = _own_weight(field) + below.total(PLAIN_LIST), _list_size(node, field)
        return Weight(depth, fields, items=each) if size is None else Weight(depth, fields, cost=size * each)
    return Weight(depth, fields, cost=1 + below.total(_page_size(node, field) if field else PLAIN_LIST))


def _own_weight(field: GraphQLField) -> int:
    declared = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return declared.metadata.get("weight", 1) if declared else 1


def _field_of(schema: GraphQLSchema, parent: GraphQLCompositeType | None, name: str) -> GraphQLField | None:
    if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        return schema.get_field(parent, name)
    return None


def _page_size(node: FieldNode, field: GraphQLField) -> int:
    sizes = [argument for name, argument in field.args.items() if name in SIZE_ARGUMENTS]
    if not sizes:
        return PLAIN_LIST
    given = [argument.value for argument in node.arguments or () if argument.name.value in SIZE_ARGUMENTS]
    defaults = (each.default_value for each in sizes)
    default = max((each for each in defaults if isinstance(each, int)), default=DEFAULT_PAGE)
    # The document is weighed once for all values of its variables: those count as the largest page.
    return max((_number(value) for value in given), default=default)


def _list_size(node: FieldNode, field: GraphQLField) -> int | None:
    if any(name in field.args for name in SIZE_ARGUMENTS):
        return _page_size(node, field)
    lists = [argument.value for argument in node.arguments or () if _is_list(field.args.get(argument.name.value))]
    return max((len(v.values) if isinstance(v, ListValueNode) else DEFAULT_PAGE for v in lists), default=None)


def _number(value: ValueNode) -> int:
    if isinstance(value, IntValueNode):
        return max(int(value.value), 0) if len(value.value) < DIGITS else CEILING
    return DEFAULT_PAGE


def _is_list(argument: GraphQLArgument | None) -> bool:
    return argument is not None and isinstance(get_nullable_type(argument.type), GraphQLList)
