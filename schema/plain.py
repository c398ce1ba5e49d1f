"""An input as plain values."""

from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from strawberry import UNSET, Some
from strawberry.utils.str_converters import to_camel_case


def plain(value: Any) -> Any:
    """Turn an input object into a mapping by Python names, all the way down.

    What wasn't sent is left out; null is None where the input tells it from that.
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
    """Return the input by GraphQL names, without what is null or equals its default.

    It stays the same in a release that adds a field to the input or renames an attribute of ours.
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
