"""How tests ask for changes, and compare them."""

from collections.abc import Mapping, Sequence
from typing import Any

CHANGES = "path label kind before { ...Value } after { ...Value }"
VALUE = """
fragment Value on ConfigValue {
  ... on TextValue { text }
  ... on NumberValue { number }
  ... on NodeValue { key }
  ... on SecretValue { reference }
  ... on HiddenValue { isHidden }
}
"""


def flat(changes: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return the path as a text, the kind and both values of each change. An object is its key."""
    return [(".".join(each["path"]), each["kind"], value(each["before"]), value(each["after"])) for each in changes]


def value(shown: Mapping[str, Any] | None) -> Any:
    return None if shown is None else list(shown.values())[-1]
