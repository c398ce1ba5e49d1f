"""Conversion of the conditions of lists: of filters, and of arguments that are lists."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from strawberry.utils.str_converters import to_camel_case

from mainsheet.models import limits
from mainsheet.models.errors import BadInput
from mainsheet.schema.moment import utc
from mainsheet.schema.plain import plain

T = TypeVar("T")
EACH_LIST = f"A list has at most {limits.ENTRIES.maximum} entries; an empty one matches nothing."
THIS_LIST = f"At most {limits.ENTRIES.maximum} entries. An empty list matches nothing."


def conditions(wanted: Any) -> dict[str, Any]:
    """Return the conditions of a `filter` by Python names: lists as tuples, times in UTC.

    Raises `BadInput` for a list that is too long, and for a time that can't be converted to UTC.
    """
    if wanted is None:
        return {}
    given, names = plain(wanted), _names(wanted)
    return {name: _condition(f"filter.{names[name]}", value) for name, value in given.items()}


def entries(name: str, values: Sequence[T]) -> tuple[T, ...]:
    """Return the values of a list. Raises `BadInput` with its name if there are too many."""
    if any(limits.ENTRIES.check(len(values), ())):
        raise BadInput(f"{name}: at most {limits.ENTRIES.maximum}, but there are {len(values)}.")
    return tuple(values)


def _names(wanted: Any) -> dict[str, str]:
    """Return the GraphQL names of an input's fields by their Python names."""
    return {each.name: getattr(each, "graphql_name", None) or to_camel_case(each.name) for each in fields(wanted)}


def _condition(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return entries(name, value)
    return utc(value, name) if isinstance(value, datetime) else value
