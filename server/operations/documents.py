"""Parses, measures and validates documents."""

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    TokenKind,
    ValidationContext,
    ValidationRule,
    is_non_null_type,
    parse,
    specified_rules,
    type_from_ast,
    validate,
)

from mainsheet.server.errors import Code, InvalidOperation
from mainsheet.server.operations.complexity import Limits, too_large

MAX_VALIDATION_ERRORS = 20
COMPARISONS = 50_000  # a tenth of a second; graphql-core's own limit allows ten times as long
ABORTED = "Validation aborted."  # graphql-core's message at the limit


class FieldsCanBeMerged(OverlappingFieldsCanBeMergedRule):
    """The specification's rule with a limit: it compares all pairs of equally named fields, and of fragments."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = COMPARISONS


class OneOfMembersAreNotNull(ValidationRule):
    """The specification's rule for variables as members of `@oneOf` inputs, where those inputs are non-null.

    graphql-core checks only members of inputs that are nullable themselves.
    """

    def leave_operation_definition(self, operation: OperationDefinitionNode, *_: object) -> None:
        types = {each.variable.name.value: each for each in operation.variable_definitions or ()}
        for usage in self.context.get_recursive_variable_usages(operation):
            definition = types.get(usage.node.name.value)
            parent = usage.parent_type
            if definition is None or not is_non_null_type(parent):
                continue
            of_type, declared = parent.of_type, type_from_ast(self.context.schema, definition.type)
            if isinstance(of_type, GraphQLInputObjectType) and of_type.is_one_of and not is_non_null_type(declared):
                message = (
                    f"Variable '${usage.node.name.value}' is of type '{declared}', but must be non-null"
                    f" to be the only field of '{of_type}'."
                )
                self.report_error(GraphQLError(message, [definition, usage.node]))


RULES = [
    *(FieldsCanBeMerged if each is OverlappingFieldsCanBeMergedRule else each for each in specified_rules),
    OneOfMembersAreNotNull,
]


class OperationNotNamed(InvalidOperation):
    """A document has several operations, and the request names none."""


def parsed(text: str, max_tokens: int) -> DocumentNode:
    """Raise `InvalidOperation`."""
    try:
        return parse(text, max_lexical_tokens=max_tokens, max_comments=max_tokens, allow_empty_selection_sets=False)
    except GraphQLError as error:
        raise InvalidOperation(Code.GRAPHQL_PARSE_FAILED, [error]) from error


def unlink_tokens(document: DocumentNode) -> int:
    """Unlink a document's tokens from each other and return their number, without comments.

    Locations need only their first and last tokens. The doubly linked list would keep a dropped document in memory
    until a full garbage collection, which is rare.
    """
    token, count = document.loc and document.loc.start_token, 0
    while token:
        following = token.next
        token.prev = token.next = None
        count += token.kind is not TokenKind.COMMENT
        token = following
    return count


def check(
    schema: GraphQLSchema, document: DocumentNode, limits: Limits, max_errors: int = MAX_VALIDATION_ERRORS
) -> None:
    """Raise `InvalidOperation` if the document is invalid or too large. It has at most `max_errors` and one error."""
    # First, since it is linear, while the specification's rules are quadratic in the number of fields.
    if errors := too_large(document, limits):
        raise InvalidOperation(Code.QUERY_TOO_COMPLEX, errors)
    errors = validate(schema, document, RULES, max_errors=max_errors, allow_empty_selection_sets=False)
    if any(error.message == ABORTED for error in errors):
        message = "The query is too complex: too many fields of one name, or fragments, to compare with each other."
        raise InvalidOperation(Code.QUERY_TOO_COMPLEX, [GraphQLError(message)])
    if errors:
        raise InvalidOperation(Code.GRAPHQL_VALIDATION_FAILED, errors)


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Return the operation to run (specification, section "GetOperation")."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is None and len(operations) == 1:
        return operations[0]
    for operation in operations:
        if name is not None and operation.name and operation.name.value == name:
            return operation
    kind = OperationNotNamed if name is None and operations else InvalidOperation
    raise kind(Code.BAD_USER_INPUT, [GraphQLError(_no_operation(name, len(operations)))])


def label(operation: OperationDefinitionNode) -> str:
    """Return the operation's name, or the names of its fields if it has none."""
    if operation.name:
        return operation.name.value
    fields = [each.name.value for each in operation.selection_set.selections if isinstance(each, FieldNode)]
    return ", ".join(fields)


def _no_operation(name: str | None, count: int) -> str:
    if name is not None:
        return f"The document has no operation named {name!r:.120}."
    return f"The document has {count} operations: name one as `operationName`." if count else "Nothing to run."
