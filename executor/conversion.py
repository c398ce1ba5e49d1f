"""Converts coerced arguments to the values that Strawberry passes to resolvers."""

from collections.abc import Callable
from typing import Any

import strawberry
from graphql import GraphQLField, get_nullable_type, is_leaf_type
from strawberry.relay import GlobalID
from strawberry.types.arguments import StrawberryArgument, convert_argument
from strawberry.types.base import StrawberryMaybe, StrawberryOptional
from strawberry.types.field import StrawberryField


def conversion(
    api: strawberry.Schema, declared: StrawberryField, definition: GraphQLField
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a function that converts a field's arguments, as Strawberry's `convert_arguments` does.

    Strawberry computes each argument's name for every call. Here that is done once, and scalars and enums, which need
    no conversion, are passed through.
    """
    registry, config = api.schema_converter.scalar_registry, api.config
    named = [(config.name_converter.from_argument(each), str(each.python_name), each) for each in declared.arguments]
    plain = {name for name, _, argument in named if _is_plain(argument, definition.args[name].type)}

    def convert(values: dict[str, Any]) -> dict[str, Any]:
        return {
            own: values[name]
            if name in plain
            else convert_argument(values[name], argument.type, registry, config, path=(name,))
            for name, own, argument in named
            if name in values
        }

    return convert


def _is_plain(argument: StrawberryArgument, type_: Any) -> bool:
    declared: Any = argument.type
    if isinstance(declared, StrawberryMaybe):
        return False
    inner = declared.of_type if isinstance(declared, StrawberryOptional) else declared
    return is_leaf_type(get_nullable_type(type_)) and inner is not GlobalID
