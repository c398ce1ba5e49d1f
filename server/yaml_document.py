"""Parses YAML strictly, for all files that we read."""

from typing import Any

import yaml

# What PyYAML's functions for values raise if an explicit tag such as `!!bool` doesn't fit the value.
MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


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

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except MISFITS:
            kind = node.tag.rpartition(":")[2]
            raise _refusal(f"the value isn't a !!{kind}", node) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        if isinstance(node, yaml.MappingNode):  # else the tag doesn't fit, which PyYAML refuses
            _refuse_repeated(node)
        made = super().construct_mapping(node, deep)
        for each in made:
            if not isinstance(each, str):
                raise _refusal(f"the key {each!r} isn't a text", node)
        return made


def _refusal(reason: str, node: yaml.Node) -> yaml.YAMLError:
    """Return the error that names the place of the node."""
    return yaml.constructor.ConstructorError(None, None, reason, node.start_mark)


def _refuse_repeated(node: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                raise _refusal(f"{key.value!r} is there twice", key)
            seen.add(key.value)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
