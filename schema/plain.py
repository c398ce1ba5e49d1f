"""Conversion of input objects to plain values."""

from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from strawberry import UNSET, Some
from strawberry.utils.str_converters import to_camel_case


def plain(value: Any) -> Any:
    """Convert an input object and all objects in it to mappings by Python names.

    Omitted fields are left out. Null is None for fields of the type `Maybe`, and left out for others.
    """
    if isinstance(value, Some):
        return plain(value.value)
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not is_dataclass(value):
        return value
    named = {each.name: getattr(value, each.name) for each in fields(value)}
    return {name: plain(each) for name, each in named.items() if each is not None and each is not UNSET}


def canonical(value: Any) -> Any:
    """Convert an input to mappings by GraphQL names, without values that are null or the default.

    The result stays the same if a release adds a field to the input or renames a Python attribute.
    """
    if isinstance(value, Some):
        return canonical(value.value)
    if isinstance(value, list):
        return [canonical(each) for each in value]
    if not is_dataclass(value):
        return value
    named = {each.name: getattr(value, each.name) for each in fields(value) if not _is_default(value, each)}
    return {to_camel_case(name): canonical(each) for name, each in named.items() if each is not None}


def _is_default(value: Any, field: "Field[Any]") -> bool:
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return bool(getattr(value, field.name) == default)
