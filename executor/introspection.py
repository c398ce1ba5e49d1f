"""Recognizes operations that select only the schema."""

from collections.abc import Iterator

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)


def is_introspection(document: DocumentNode, operation: OperationDefinitionNode) -> bool:
    """Return whether an operation selects only the schema."""
    return all(name.startswith("__") for name in root_fields(document, operation))


def root_fields(document: DocumentNode, operation: OperationDefinitionNode) -> list[str]:
    """Return the names of an operation's root fields. The document need not be validated."""
    return list(_root_fields(operation.selection_set, fragments(document), set()))


def fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Return a document's fragments by name."""
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


def _root_fields(
    selections: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode], seen: set[str]
) -> Iterator[str]:
    for node in selections.selections:
        match node:
            case FieldNode(name=name):
                yield name.value
            case FragmentSpreadNode(name=name):
                if name.value in fragments and name.value not in seen:
                    seen.add(name.value)
                    yield from _root_fields(fragments[name.value].selection_set, fragments, seen)
            case InlineFragmentNode():
                yield from _root_fields(node.selection_set, fragments, seen)
