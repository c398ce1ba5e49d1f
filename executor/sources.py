"""Decides where the value of a field comes from. What depends only on the schema is decided once for each field."""

from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from inspect import iscoroutinefunction
from typing import Any

import strawberry
from graphql import FieldNode, GraphQLField, GraphQLLeafType, GraphQLObjectType
from strawberry.types.field import StrawberryField

from mainsheet.executor.arguments import Arguments, Convert
from mainsheet.executor.conversion import conversion
from mainsheet.executor.leaves import Leaf
from mainsheet.executor.plain import plain_field
from mainsheet.executor.relation import READS, RELATION, Relation
from mainsheet.executor.resolver import Resolver, of_core, of_strawberry
from mainsheet.executor.shape import Attribute, Call, Link, Source
from mainsheet.executor.unsupported import Unsupported


class Sources:
    """The sources and leaves of a schema. Plans share those that have no arguments, and nothing of a request."""

    def __init__(self, api: strawberry.Schema) -> None:
        self._api = api
        self._leaves: dict[tuple[str, bool], Leaf] = {}
        self._shared: dict[tuple[str, str], Attribute | Call] = {}
        self._conversions: dict[tuple[str, str], Convert] = {}
        self._plans: dict[tuple[str, str, bool], Hashable] = {}

    def leaf(self, type_: GraphQLLeafType, *, nullable: bool) -> Leaf:
        """Return the shape of a leaf."""
        key = type_.name, nullable
        found = self._leaves.get(key)
        if found is None:
            found = self._leaves[key] = Leaf(nullable, type_)
        return found

    def source(
        self, parent: GraphQLObjectType, definition: GraphQLField, nodes: Sequence[FieldNode], *, resolves: bool
    ) -> Source:
        """Return the source of a field, which may have a resolver that gets `info` if it `resolves`.

        Raises `Unsupported`.
        """
        name = parent.name, nodes[0].name.value
        found = self._shared.get(name)
        if found is not None:
            return found
        made = self._made(parent, definition, nodes, resolves=resolves)
        if isinstance(made, Attribute | Call) and not definition.args:
            self._shared[name] = made
        return made

    def plan_of(
        self, parent: GraphQLObjectType, definition: GraphQLField, nodes: Sequence[FieldNode], *, resolves: bool
    ) -> Hashable:
        """Return what is equal for fields of several types that have the same plan if the same nodes select them.

        Raises `Unsupported`.
        """
        key = parent.name, nodes[0].name.value, resolves
        if key not in self._plans:
            source = self.source(parent, definition, nodes, resolves=resolves)
            self._plans[key] = str(definition.type), *_code_of(source, parent)
        return self._plans[key]

    def _made(
        self, parent: GraphQLObjectType, definition: GraphQLField, nodes: Sequence[FieldNode], *, resolves: bool
    ) -> Source:
        name = nodes[0].name.value
        if definition.resolve is None:
            return Call(partial(default_value, name=name), True, (), None, None)
        declared = plain_field(self._api, definition)
        if declared is None:
            return self._resolver(parent, definition, nodes, None, resolves=resolves)
        if (relation := declared.metadata.get(RELATION)) is not None:
            question = self._question(relation, parent, declared, definition, nodes[0])
            if relation.key is None and question is None:
                raise Unsupported(f"the relation {parent}.{name}: it has neither a key nor arguments")
            return Link(relation, question)
        resolver = declared.base_resolver
        if resolver is None:
            return attribute(declared)
        if resolver.is_async or resolver.info_parameter:
            return self._resolver(parent, definition, nodes, declared, resolves=resolves)
        function: Any = resolver.wrapped_func
        if not callable(function):
            raise Unsupported(f"the resolver of {parent}.{name}: it isn't callable")
        arguments = None
        if definition.args:
            convert = self._conversion(parent, name, declared, definition)
            arguments = Arguments(definition, nodes[0], convert, reusable=False)
        takes_self = resolver.self_parameter is not None
        names = {each.name for each in (resolver.parent_parameter, resolver.root_parameter) if each}
        named = declared.metadata.get(READS)
        return Call(function, takes_self, sorted(names), arguments, None if named is None else frozenset(named))

    def _resolver(
        self,
        parent: GraphQLObjectType,
        definition: GraphQLField,
        nodes: Sequence[FieldNode],
        declared: StrawberryField | None,
        *,
        resolves: bool,
    ) -> Resolver:
        """Return a resolver that isn't a plain function. Without a declaration, it is called as graphql-core does."""
        name = nodes[0].name.value
        is_introspection = name.startswith("__")  # which graphql-core runs in the worker
        if not resolves or is_introspection or definition.resolve is None:
            raise Unsupported(f"the resolver of {parent}.{name}")
        if declared is None:
            resolve = of_core(definition.resolve)
            convert: Convert = dict
        else:
            resolve = of_strawberry(declared, self._api.config.info_class)
            convert = self._conversion(parent, name, declared, definition)
        arguments = Arguments(definition, nodes[0], convert, reusable=False) if definition.args else None
        is_async = iscoroutinefunction(definition.resolve)
        return Resolver(resolve, arguments, definition, parent, nodes, is_async)

    def _question(
        self,
        relation: Relation,
        parent: GraphQLObjectType,
        declared: StrawberryField,
        definition: GraphQLField,
        node: FieldNode,
    ) -> Arguments | None:
        if not definition.args:
            return None
        convert = self._conversion(parent, node.name.value, declared, definition)
        return Arguments(definition, node, lambda values: relation.question(**convert(values)), reusable=True)

    def _conversion(
        self, parent: GraphQLObjectType, name: str, declared: StrawberryField, definition: GraphQLField
    ) -> Convert:
        key = parent.name, name
        if key not in self._conversions:
            self._conversions[key] = conversion(self._api, declared, definition)
        return self._conversions[key]


def attribute(declared: StrawberryField) -> Attribute | Call:
    """Return the source of a field without a resolver: the parent's attribute, or what the default resolver reads."""
    if declared.default_resolver is getattr:
        return Attribute(declared.python_name)
    return Call(lambda parent: declared.default_resolver(parent, declared.python_name), True, (), None, None)


def _code_of(source: Source, parent: GraphQLObjectType) -> tuple[Hashable, ...]:
    """Return what is equal for sources that read in the same way. One with arguments is like no other type's."""
    match source:
        case Attribute(name):
            return Attribute, name
        case Call(function, takes_self, names, None, reads):
            return Call, id(function), takes_self, reads, *names  # others may be equal to it, or it may have no hash
        case Link(relation, None):
            return Link, id(relation)
    return (parent.name,)


def default_value(source: Any, name: str) -> Any:
    """Return what graphql-core's `default_field_resolver` does."""
    value = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
    if callable(value):
        raise Unsupported("a method that takes `info`")
    return value
