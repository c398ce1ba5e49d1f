"""Which fields of an operation ask which batch."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from executor.relation import RELATION, Relation

Paths = dict[int, list[str]]  # by level: the number of relations from the root to the field, itself included


@dataclass(frozen=True)
class Place:
    parent: Any
    path: str = ""
    level: int = 0


def fields_of(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> Mapping[Hashable, Paths]:
    """Return the fields of each batch; an operation's size is limited before it gets here."""
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    found: dict[Hashable, Paths] = {}
    root = Place(schema.get_root_type(operation.operation))
    for place, definition in _walk(schema, fragments, operation.selection_set, root):
        if relation := _relation(definition):
            paths = found.setdefault(relation.batch, {}).setdefault(place.level, [])
            if place.path not in paths:
                paths.append(place.path)
    return found


def _walk(
    schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], selections: SelectionSetNode, place: Place
) -> Iterator[tuple[Place, GraphQLField]]:
    for node in selections.selections:
        match node:
            case FieldNode():
                definition = schema.get_field(place.parent, node.name.value)
                if definition is None:
                    continue
                here = _below(place, node, definition)
                yield here, definition
                if node.selection_set:
                    yield from _walk(schema, fragments, node.selection_set, here)
            case FragmentSpreadNode():
                fragment = fragments[node.name.value]
                inside = _as(schema, place, fragment.type_condition.name.value)
                yield from _walk(schema, fragments, fragment.selection_set, inside)
            case InlineFragmentNode(type_condition=condition):
                inside = _as(schema, place, condition.name.value) if condition else place
                yield from _walk(schema, fragments, node.selection_set, inside)


def _below(place: Place, node: FieldNode, definition: GraphQLField) -> Place:
    name = node.alias.value if node.alias else node.name.value
    path = f"{place.path}.{name}" if place.path else name
    return Place(get_named_type(definition.type), path, place.level + (_relation(definition) is not None))


def _as(schema: GraphQLSchema, place: Place, name: str) -> Place:
    return Place(schema.get_type(name), place.path, place.level)


def _relation(definition: GraphQLField) -> Relation | None:
    declared = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    relation: Relation | None = getattr(declared, "metadata", {}).get(RELATION)
    return relation
