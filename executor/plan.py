"""Plans a validated operation: computes the shape of its response."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from inspect import iscoroutinefunction
from typing import Any, NoReturn, TypeAlias

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    VariableValues,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_composite_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import (
    CollectedFields,
    FieldDetails,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.pyutils import is_awaitable

from mainsheet.executor.shape import (
    Abstract,
    Field,
    Joined,
    Link,
    ListOf,
    Object,
    Shape,
    Source,
    TypeName,
    is_leaf,
)
from mainsheet.executor.sources import Sources
from mainsheet.executor.unsupported import Unsupported

# Fragments that double at each level can reach any size. Plans larger than this aren't worth compiling.
MAX_FIELDS = 5000
NO_JOINS: frozenset[str] = frozenset()
TYPE_NAME = "__typename"

Path: TypeAlias = tuple[str, ...]  # of response keys


def _not_planned(_: GraphQLResolveInfo[Any]) -> NoReturn:
    raise Unsupported("a type resolver that reads what isn't known when the operation is planned")


class TypeInfo(GraphQLResolveInfo[Any]):
    """The `info` for type resolvers: the field's name and nodes, the schema and the operation.

    A type resolver that reads more of it makes graphql-core execute the operation.
    """

    return_type = property(_not_planned)
    parent_type = property(_not_planned)
    path = property(_not_planned)
    fragments = property(_not_planned)
    root_value = property(_not_planned)
    variable_values = property(_not_planned)
    context = property(_not_planned)
    abort_signal = property(_not_planned)
    async_helpers = property(_not_planned)
    operation_extensions = property(_not_planned)


@dataclass
class Planner:
    """Plans one operation for given values of its `@skip` and `@include` conditions."""

    sources: Sources
    schema: GraphQLSchema
    fragments: dict[str, FragmentDetails]
    operation: OperationDefinitionNode
    variables: VariableValues
    believes_rows: bool
    joins: bool = True
    resolves: bool = False  # whether fields may have resolvers that get `info` or return an awaitable
    _count: int = field(default=0, init=False)

    def root(self) -> Object:
        """Return the shape of the whole operation. Raises `Unsupported`."""
        root_type, collected = self._collected()
        return self._object(root_type, collected, (), NO_JOINS, nullable=False)

    def roots(self) -> dict[str, tuple[GraphQLOutputType, list[FieldDetails], Path]]:
        """Return the root fields that have subfields, as `shape` takes them, but not introspection.

        Raises `Unsupported`.
        """
        root_type, collected = self._collected()
        fields = collected.grouped_field_set.items()
        names = {key: nodes[0].node.name.value for key, nodes in fields}
        found = {key: (self.schema.get_field(root_type, names[key]), nodes) for key, nodes in fields}
        return {
            key: (field.type, nodes, (key,))
            for key, (field, nodes) in found.items()
            if field and is_composite_type(get_named_type(field.type)) and not names[key].startswith("__")
        }

    def _collected(self) -> tuple[GraphQLObjectType, CollectedFields]:
        root_type = self.schema.get_root_type(self.operation.operation)
        if root_type is None:
            raise Unsupported("no such root")
        return root_type, collect_fields(self.schema, self.fragments, self.variables, root_type, self.operation)

    def shape(
        self, declared: GraphQLOutputType, details: list[FieldDetails], path: Path, joins: frozenset[str] = NO_JOINS
    ) -> Shape:
        """Return the shape of a value of this type, to which its batch can add `joins`. Raises `Unsupported`."""
        nullable, type_ = not is_non_null_type(declared), get_nullable_type(declared)
        if is_list_type(type_):
            return ListOf(nullable, self.shape(type_.of_type, details, path, joins))
        if is_leaf_type(type_):
            return self.sources.leaf(type_, nullable=nullable)
        if is_object_type(type_):
            return self._below(type_, details, self._subfields(type_, details), path, joins, nullable=nullable)
        if is_abstract_type(type_):
            return Abstract(nullable, type_, self._type_of(type_, details), self._possible(type_, details, path))
        raise Unsupported(f"the type {declared}")

    def _possible(self, type_: GraphQLAbstractType, details: list[FieldDetails], path: Path) -> dict[str, Object]:
        """Return the shapes of a value by the names of its possible types.

        Types with the same plan share one shape. Others share the leaves that have the same plan.
        """
        conditions = self._conditions(details)
        by_conditions: dict[frozenset[str], CollectedFields] = {}
        alike: dict[tuple[frozenset[str], Hashable], list[GraphQLObjectType]] = {}
        for each in self.schema.get_possible_types(type_):
            met = frozenset(name for name in conditions if self._is_met(name, each))
            if met not in by_conditions:
                by_conditions[met] = self._subfields(each, details)
            checked = None if self.believes_rows or each.is_type_of is None else each.name
            plans = checked, *(self._plan_of(each, of) for of in by_conditions[met].grouped_field_set.values())
            alike.setdefault((met, plans), []).append(each)
        found: dict[str, Object] = {}
        leaves: dict[Hashable, Field] = {}
        for (met, _), types in alike.items():
            made = self._below(types[0], details, by_conditions[met], path, NO_JOINS, nullable=False)
            fields = {key: self._shared(types, each, leaves) for key, each in made.fields.items()}
            found |= dict.fromkeys([each.name for each in types], replace(made, fields=fields))
        return found

    def _shared(self, types: Sequence[GraphQLObjectType], own: Field, leaves: dict[Hashable, Field]) -> Field:
        """Return a field of an object that these types share, if possible one that others share, too."""
        if isinstance(own.source, TypeName):
            return own if len(types) == 1 else replace(own, source=TypeName(None))
        if not is_leaf(own.shape):
            return own
        plan = self.sources.plan_of(types[0], self._definition(types[0], own.nodes), own.nodes, resolves=self.resolves)
        return leaves.setdefault((own.path, plan, *map(id, own.nodes)), own)

    def _conditions(self, details: list[FieldDetails]) -> set[str]:
        """Return the types that fragments in these fields' selections apply to."""
        found: set[str] = set()
        spread: set[str] = set()
        waiting = [each.node.selection_set for each in details]
        while waiting:
            selections = waiting.pop()
            for node in selections.selections if selections else ():
                fragment: InlineFragmentNode | FragmentDefinitionNode
                if isinstance(node, InlineFragmentNode):
                    fragment = node
                elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                    spread.add(node.name.value)
                    fragment = self.fragments[node.name.value].definition
                else:
                    continue
                waiting.append(fragment.selection_set)
                found |= {fragment.type_condition.name.value} if fragment.type_condition else set()
        return found

    def _is_met(self, condition: str, type_: GraphQLObjectType) -> bool:
        found = self.schema.get_type(condition)
        return found is type_ or (is_abstract_type(found) and self.schema.is_sub_type(found, type_))

    def _plan_of(self, parent: GraphQLObjectType, details: list[FieldDetails]) -> Hashable:
        """Return what is equal for fields of several types that have the same plan. Raises `Unsupported`."""
        nodes = [each.node for each in details]
        if nodes[0].name.value == TYPE_NAME:
            return TYPE_NAME
        return self.sources.plan_of(parent, self._definition(parent, nodes), nodes, resolves=self.resolves)

    def _definition(self, parent: GraphQLObjectType, nodes: Sequence[FieldNode]) -> GraphQLField:
        definition = self.schema.get_field(parent, nodes[0].name.value)
        if definition is None:
            raise Unsupported(f"{parent}.{nodes[0].name.value}, which isn't there")
        return definition

    def _subfields(self, type_: GraphQLObjectType, details: list[FieldDetails]) -> CollectedFields:
        return collect_subfields(self.schema, self.fragments, self.variables, self.operation, type_, details)

    def _below(
        self,
        type_: GraphQLObjectType,
        details: list[FieldDetails],
        collected: CollectedFields,
        path: Path,
        joins: frozenset[str],
        *,
        nullable: bool,
    ) -> Object:
        found = self._object(type_, collected, path, joins, nullable=nullable)
        return found if self.believes_rows else replace(found, is_type_of=self._is_type_of(type_, details))

    def _object(
        self, type_: GraphQLObjectType, collected: CollectedFields, path: Path, joins: frozenset[str], *, nullable: bool
    ) -> Object:
        groups = collected.grouped_field_set
        self._count += len(groups)
        if self._count > MAX_FIELDS:
            raise Unsupported("its size")
        fields = {key: self._field(type_, details, (*path, key), joins) for key, details in groups.items()}
        return Object(nullable, fields)

    def _field(
        self, parent: GraphQLObjectType, details: list[FieldDetails], path: Path, joins: frozenset[str]
    ) -> Field:
        nodes = [each.node for each in details]
        name, definition = nodes[0].name.value, self._definition(parent, nodes)
        source: Source
        if name == TYPE_NAME:
            source = TypeName(parent.name)
        else:
            source = self.sources.source(parent, definition, nodes, resolves=self.resolves)
        if isinstance(source, Link):
            join = source.relation.join
            if join is not None and join in joins:
                source, joins = Joined(join), _below_join(join, joins)
            else:
                joins = source.relation.joins if self.joins else NO_JOINS
        shape = self.shape(definition.type, details, path, joins)
        return Field(f"{parent.name}.{name}", path, source, shape, nodes)

    def _type_of(self, type_: GraphQLAbstractType, details: list[FieldDetails]) -> Callable[[Any], str]:
        resolve_type = type_.resolve_type
        if resolve_type is None or iscoroutinefunction(resolve_type):
            raise Unsupported(f"the type resolver of {type_}")
        info: Any = self._info(details)

        def type_of(value: Any) -> Any:
            name = None
            try:
                name = resolve_type(value, info, type_)
            finally:
                if name is None and is_awaitable(value):  # checked last, as few values are
                    raise Unsupported("an awaitable", value)
            return name

        return type_of

    def _is_type_of(self, type_: GraphQLObjectType, details: list[FieldDetails]) -> Callable[[Any], Any] | None:
        is_type_of = type_.is_type_of
        if is_type_of is None:
            return None
        info: Any = self._info(details)
        return lambda value: is_type_of(value, info)

    def _info(self, details: list[FieldDetails]) -> GraphQLResolveInfo[Any]:
        """Return the `info` for type resolvers. It contains nothing of a request."""
        nodes = [each.node for each in details]
        missing: Any = None
        return TypeInfo(
            nodes[0].name.value, nodes, missing, missing, missing, self.schema, {}, None, self.operation, missing,
            missing, is_awaitable, missing, missing,
        )  # fmt: skip


def _below_join(join: str, joins: frozenset[str]) -> frozenset[str]:
    """Return the attributes that can be joined inside a joined attribute."""
    prefix = f"{join}."
    return frozenset(each.removeprefix(prefix) for each in joins if each.startswith(prefix))
