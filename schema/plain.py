"""An input as plain values: what wasn't sent isn't there; null is None where the input tells it from that."""

from dataclasses import fields, is_dataclass
from typing import Any

from strawberry import UNSET, Some


def plain(value: Any) -> Any:
    """Turn an input object into a mapping by Python names, all the way down."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not is_dataclass(value):
        return value
    named = {each.name: getattr(value, each.name) for each in fields(value)}
    sent = {name: each for name, each in named.items() if each is not None and each is not UNSET}
    return {name: plain(each.value if isinstance(each, Some) else each) for name, each in sent.items()}
