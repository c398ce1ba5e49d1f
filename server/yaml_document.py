"""Parses YAML strictly, for all files that we read.

PyYAML reads YAML 1.1, and editors read YAML 1.2. What the two read as other values is refused.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import yaml

# What PyYAML's functions for values raise if an explicit tag such as `!!bool` doesn't fit the value.
MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


MERGE, NULL, BOOL, INT, FLOAT, STR = (
    f"tag:yaml.org,2002:{each}" for each in ("merge", "null", "bool", "int", "float", "str")
)
AMBIGUOUS = "ambiguous:"  # before the tag in YAML 1.1
# The core schema of YAML 1.2 (section 10.3.2). What matches none of these is a text.
IN_1_2: Mapping[str, re.Pattern[str]] = {
    NULL: re.compile(r"(null|Null|NULL|~)?"),
    BOOL: re.compile(r"true|True|TRUE|false|False|FALSE"),
    INT: re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    FLOAT: re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"),
}
NOT_RESOLVED = {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value"}  # texts in YAML 1.2
Pair: TypeAlias = tuple[yaml.Node, yaml.Node]


class BadYaml(ValueError):
    """A text isn't YAML, or has what we refuse. The message is one line."""


def parsed(text: str) -> Any:
    """Return the document. Raises `BadYaml`."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 it is a safe one
    except (yaml.YAMLError, RecursionError) as error:
        raise BadYaml(" ".join(str(error).split())) from None


class Unambiguous(yaml.resolver.Resolver):
    """Finds plain values that YAML 1.1 and 1.2 read as other values. A dumper puts such texts in quotes."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> Any:
        tag = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]  # in its stub
        is_plain = kind is yaml.ScalarNode and implicit[0]
        return AMBIGUOUS + tag if is_plain and _is_ambiguous(value, tag) else tag


class _Loader(Unambiguous, yaml.SafeLoader):
    """Refuses keys that aren't texts, and a key that is there twice: PyYAML takes the last one. Dates stay texts."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        _refuse_repeated(node)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except MISFITS:
            kind = node.tag.rpartition(":")[2]
            raise _refusal(f"the value isn't a !!{kind}", node) from None

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Replace `<<` by the entries of the mappings that it names, but for keys that the node has itself.

        Of several mappings, an earlier one wins (https://yaml.org/type/merge.html): in PyYAML 6.0.4, a later one does.
        """
        pairs: Sequence[Pair] = node.value
        node.value = own = [each for each in pairs if each[0].tag != MERGE]
        present = {_identity(key) for key, _ in own}
        merged: dict[object, Pair] = {}
        for each in (part for key, value in pairs if key.tag == MERGE for part in _merged(value)):
            self.flatten_mapping(each)
            for pair in each.value:
                merged.setdefault(_identity(pair[0]), pair)
        node.value = [pair for key, pair in merged.items() if key not in present] + own

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        made = super().construct_mapping(node, deep)
        for each in made:
            if not isinstance(each, str):
                raise _refusal(f"the key {each!r} isn't a text", node)
        return made

    def refuse_ambiguous(self, tag: str, node: yaml.ScalarNode) -> Any:
        before = self.construct_object(yaml.ScalarNode(tag, node.value, node.start_mark))
        values = f"{json.dumps(before)} in YAML 1.1 and {json.dumps(_value_in_1_2(node.value))} in YAML 1.2"
        raise _refusal(f"{node.value} is {values}: write the one that you mean", node)


def _is_ambiguous(text: str, tag: str) -> bool:
    """Return whether a plain text, which has this tag in YAML 1.1, is another value in YAML 1.2."""
    if tag == MERGE or tag != _tag_in_1_2(text):
        return tag != MERGE
    digits = text.lstrip("+-")
    is_octal = tag == INT and re.fullmatch("0[0-7]+", digits)  # in YAML 1.1
    return bool(is_octal) and len(digits.lstrip("0")) > 1


def _tag_in_1_2(text: str) -> str:
    return next((tag for tag, pattern in IN_1_2.items() if pattern.fullmatch(text)), STR)


def _value_in_1_2(text: str) -> object:
    match _tag_in_1_2(text):
        case tag if tag == INT:
            return int(text, 8 if text.startswith("0o") else 10)
        case tag if tag == FLOAT:
            return float(text)
    return text


def _refusal(reason: str, node: yaml.Node) -> yaml.YAMLError:
    """Return the error that names the place of the node."""
    return yaml.constructor.ConstructorError(None, None, reason, node.start_mark)


def _merged(value: yaml.Node) -> Iterator[yaml.MappingNode]:
    """Yield the mappings that a `<<` names: one, or a list of them."""
    for each in value.value if isinstance(value, yaml.SequenceNode) else [value]:
        if not isinstance(each, yaml.MappingNode):
            raise _refusal("<< needs a mapping or a list of mappings", each)
        yield each


def _identity(key: yaml.Node) -> object:
    return (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key)


def _refuse_repeated(node: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                raise _refusal(f"{key.value!r} is there twice", key)
            seen.add(key.value)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in NOT_RESOLVED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_multi_constructor(AMBIGUOUS, _Loader.refuse_ambiguous)
