"""Code that completes scalars and enums (specification, section "Handling Field Errors" and "Result Coercion")."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from operator import methodcaller
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)
from graphql.pyutils import is_awaitable

from mainsheet.executor.bounds import NUMBER, TEXT
from mainsheet.executor.unsupported import Unsupported

# Conditions under which a value is already coerced for its type.
IS_COERCED = {
    GraphQLString.name: "{0}.__class__ is str",
    GraphQLID.name: "{0}.__class__ is str",
    GraphQLInt.name: "{0}.__class__ is int and -2147483648 <= {0} <= 2147483647",
    GraphQLBoolean.name: "({0} is True or {0} is False)",
}

EnumNames = tuple[type[Enum], dict[Any, str]]
ISO_8601 = methodcaller("isoformat")
MOMENTS = {"Date": len('"2026-01-01"'), "DateTime": len('"2026-01-01T00:00:00"')}
MOMENT = len('"00:00:00"')  # of any other scalar with `isoformat`
PLAIN = {str, int, float, bool}  # what most scalars are written as
TEXTS = {GraphQLString.name, GraphQLID.name}


@dataclass(frozen=True, eq=False)
class Leaf:
    """The shape of a scalar or an enum. Fields of one type share it, so that what follows from it is computed once."""

    nullable: bool
    type: GraphQLLeafType

    @cached_property
    def coerce(self) -> Callable[[Any], Any]:
        """A function that coerces a value, or raises."""
        return coercion(self.type)

    @cached_property
    def enum(self) -> EnumNames | None:
        return enum_names(self.type)

    @cached_property
    def is_iso_8601(self) -> bool:
        """Whether values are coerced by `isoformat`, like those of Strawberry's `DateTime`."""
        coerce: Any = self.type.coerce_output_value
        return isinstance(coerce, methodcaller) and coerce.__reduce__() == ISO_8601.__reduce__()

    @cached_property
    def size(self) -> int | None:
        """The minimum size of a value in JSON that isn't null, or None if it depends on the value."""
        if self.is_iso_8601:
            return MOMENTS.get(self.type.name, MOMENT)
        if self.enum is not None:
            return TEXT + min(map(len, self.enum[1].values()))
        return NUMBER if self.type.name in IS_COERCED and self.type.name not in TEXTS else None

    def is_coerced(self, value: str) -> str | None:
        """Return the condition under which `value` needs no coercion, or None if it always does."""
        condition = IS_COERCED.get(self.type.name)
        return condition and condition.format(value)


def coercion(type_: GraphQLLeafType) -> Callable[[Any], Any]:
    """Return a function that coerces a value, or raises."""
    coerce = type_.coerce_output_value

    def coerced(value: Any) -> Any:
        if value is None or value is Undefined or isinstance(value, Exception):
            raise ValueError("not a value")
        if is_awaitable(value):
            raise Unsupported("an awaitable", value)
        answer = coerce(value)
        if answer is None or answer is Undefined:
            raise ValueError("null")
        if answer.__class__ not in PLAIN and is_awaitable(answer):
            raise Unsupported("a scalar that is written asynchronously", answer)
        return answer

    return coerced


def enum_names(type_: GraphQLLeafType) -> EnumNames | None:
    """Return the type's Python enum, and the GraphQL names of its members by their values.

    Returns None for other types: not every GraphQL enum is a Python enum.
    """
    if not isinstance(type_, GraphQLEnumType):
        return None
    members = {name: each.value for name, each in type_.values.items()}
    classes = {each.__class__ for each in members.values()}
    if len(classes) != 1 or not issubclass(only := classes.pop(), Enum):
        return None
    try:
        return only, {each.value: name for name, each in members.items()}
    except TypeError:  # a value that isn't hashable
        return None
