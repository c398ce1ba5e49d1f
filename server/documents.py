"""From text to a document that is worth executing: parsed, weighed, validated, remembered."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    SelectionSetNode,
    ValidationContext,
    parse,
    specified_rules,
    validate,
)

from server.complexity import QueryTooComplex
from server.errors import Code, InvalidOperation

MAX_VALIDATION_ERRORS = 20
COMPARISONS = 50_000  # a tenth of a second; graphql-core would go on ten times as long
ABORTED = "Validation aborted."  # graphql-core's words, when they are used up


class FieldsCanBeMerged(OverlappingFieldsCanBeMergedRule):
    """The specification's rule, which compares fields of one name, and fragments, each with each other."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = COMPARISONS


RULES = [FieldsCanBeMerged if each is OverlappingFieldsCanBeMergedRule else each for each in specified_rules]


@dataclass
class Documents:
    """Knows the documents seen last, up to a total length of their texts."""

    schema: GraphQLSchema
    too_complex: type[QueryTooComplex]
    max_tokens: int
    capacity: int
    _known: OrderedDict[str, DocumentNode] = field(default_factory=OrderedDict)
    _size: int = 0

    def get(self, text: str) -> DocumentNode:
        """Raise `InvalidOperation` for a text that no execution can begin with."""
        if text in self._known:
            self._known.move_to_end(text)
            return self._known[text]
        document = self._validated(self._parsed(text))
        self._remember(text, document)
        return document

    def _parsed(self, text: str) -> DocumentNode:
        try:
            return parse(
                text,
                max_lexical_tokens=self.max_tokens,
                max_comments=self.max_tokens,
                allow_empty_selection_sets=False,
            )
        except GraphQLError as error:
            raise InvalidOperation(Code.GRAPHQL_PARSE_FAILED, [error]) from error

    def _validated(self, document: DocumentNode) -> DocumentNode:
        # First alone: it is linear, while the specification's rules are quadratic in the number of fields.
        if errors := validate(self.schema, document, [self.too_complex]):
            raise InvalidOperation(Code.QUERY_TOO_COMPLEX, errors)
        errors = validate(
            self.schema,
            document,
            RULES,
            max_errors=MAX_VALIDATION_ERRORS,
            allow_empty_selection_sets=False,
        )
        if any(error.message == ABORTED for error in errors):
            message = "The query is too complex: too many fields of one name, or fragments, to compare with each other."
            raise InvalidOperation(Code.QUERY_TOO_COMPLEX, [GraphQLError(message)])
        if errors:
            raise InvalidOperation(Code.GRAPHQL_VALIDATION_FAILED, errors)
        return document

    def _remember(self, text: str, document: DocumentNode) -> None:
        self._known[text] = document
        self._size += len(text)
        while self._size > self.capacity:
            forgotten, _ = self._known.popitem(last=False)
            self._size -= len(forgotten)


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Find what to run (specification, section "GetOperation")."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is None and len(operations) == 1:
        return operations[0]
    for operation in operations:
        if name is not None and operation.name and operation.name.value == name:
            return operation
    raise InvalidOperation(Code.BAD_USER_INPUT, [GraphQLError(_no_operation(name, len(operations)))])


def _no_operation(name: str | None, count: int) -> str:
    if name is not None:
        return f"The document has no operation named {name!r:.120}."
    return f"The document has {count} operations: name one as `operationName`." if count else "Nothing to run."


def root_fields(document: DocumentNode, operation: OperationDefinitionNode) -> list[str]:
    """List the names of an operation's root fields; the document need not be validated."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    return list(_root_fields(operation.selection_set, fragments, set()))


def _root_fields(
    selections: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode], seen: set[str]
) -> Iterator[str]:
    for node in selections.selections:
        match node:
            case FieldNode(name=name):
                yield name.value
            case FragmentSpreadNode(name=name):
                if name.value in fragments and name.value not in seen:  # the document may not be validated yet
                    seen.add(name.value)
                    yield from _root_fields(fragments[name.value].selection_set, fragments, seen)
            case InlineFragmentNode():
                yield from _root_fields(node.selection_set, fragments, seen)
