"""Parses YAML strictly, for all files that we read. PyYAML reads YAML 1.1, and editors read YAML 1.2."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import yaml

# What PyYAML's functions for values raise if an explicit tag such as `!!bool` doesn't fit the value.
MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

MERGE = "tag:yaml.org,2002:merge"
NOT_RESOLVED = {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value"}  # texts in YAML 1.2
AMBIGUOUS = re.compile(r"[-+]?0+[1-7][0-7]+")  # octal in YAML 1.1, decimal in YAML 1.2
Pair: TypeAlias = tuple[yaml.Node, yaml.Node]


class BadYaml(ValueError):
    """A text isn't YAML, or has what we refuse. The message is one line."""


def parsed(text: str) -> Any:
    """Return the document. Raises `BadYaml`."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 it is a safe one
    except (yaml.YAMLError, RecursionError) as error:
        raise BadYaml(" ".join(str(error).split())) from None


class _Loader(yaml.SafeLoader):
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

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        if AMBIGUOUS.fullmatch(node.value):
            values = f"{int(node.value, 8)} in YAML 1.1 and {int(node.value)} in YAML 1.2"
            raise _refusal(f"{node.value} is {values}: write the one that you mean", node)
        return super().construct_yaml_int(node)


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
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
