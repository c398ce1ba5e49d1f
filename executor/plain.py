"""Decides what may be compiled: schemas and fields that behave as Strawberry's own classes do.

graphql-core executes everything else by the way that Strawberry laid out, so that nothing is skipped.
"""

import strawberry
from graphql import Executor as CoreExecutor
from graphql import GraphQLField, GraphQLInputObjectType, GraphQLNamedType, get_named_type
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver


def is_plain_schema(api: strawberry.Schema) -> bool:
    """Return whether the schema's executor is graphql-core's or Strawberry's own. Compiled code does as they do."""
    return api.execution_context_class in {CoreExecutor, StrawberryGraphQLCoreExecutionContext}


def plain_field(api: strawberry.Schema, definition: GraphQLField) -> StrawberryField | None:
    """Return a field's declaration if Strawberry would do nothing but call its resolver or read its attribute."""
    declared = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(declared, StrawberryField) or declared.extensions or _is_changed(declared, definition):
        return None
    if any(_is_given_info(get_named_type(each.type), set()) for each in definition.args.values()):
        return None
    # Strawberry has no public name for the handlers that a field's exceptions are passed to.
    return None if api.schema_converter._get_field_exception_handlers(declared) else declared  # noqa: SLF001


def _is_given_info(type_: GraphQLNamedType, seen: set[str]) -> bool:
    """Return whether an input type, or one below it, builds its own value, for which it gets `info`."""
    if not isinstance(type_, GraphQLInputObjectType) or type_.name in seen:
        return False
    seen.add(type_.name)
    declared = type_.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if getattr(declared, "from_input", None) is not None:
        return True
    return any(_is_given_info(get_named_type(each.type), seen) for each in type_.fields.values())


def _is_changed(declared: StrawberryField, definition: GraphQLField) -> bool:
    """Return whether a subclass or an assignment changes how the field gets its value."""
    get_result: object = getattr(declared.get_result, "__func__", None)
    resolver_class = StrawberryResolver if declared.base_resolver is None else type(declared.base_resolver)
    return (
        get_result is not StrawberryField.get_result
        or resolver_class.__call__ is not StrawberryResolver.__call__
        or getattr(definition.resolve, "__module__", None) != GraphQLCoreConverter.__module__
    )
