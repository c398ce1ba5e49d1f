"""Generates random valid operations over a schema, with all features of the language."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_object_type,
    is_required_argument,
)

DEPTH = 5
PAGES: Sequence[Callable[[Random], dict[str, Any]]] = (
    lambda _: {},
    lambda random: {"limit": random.randint(0, 4)},
    lambda random: {"limit": random.randint(1, 4), "page": random.randint(1, 3)},
    lambda random: {"first": random.randint(0, 4)},
    lambda random: {"last": random.randint(1, 4)},
)
WRONG_PAGES: Sequence[dict[str, Any]] = (
    {"limit": 101},
    {"first": -1},
    {"page": 0},
    {"first": 1, "last": 1},
    {"after": "nonsense"},
)


@dataclass
class Operation:
    text: str
    variables: dict[str, Any]


@dataclass
class Writer:
    """Writes one operation; `values` gives arguments by field and argument name, `wrong` makes some invalid."""

    schema: GraphQLSchema
    random: Random
    values: Mapping[str, Callable[[Random], Any]]
    wrong: bool = False
    definitions: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    heads: dict[tuple[str, str], str] = field(default_factory=dict)

    def operation(self) -> Operation:
        assert self.schema.query_type
        body = self.selections(self.schema.query_type, DEPTH)
        declared = ", ".join(f"${name}: {text}" for name, text in self.definitions.items())
        head = f"query Made({declared})" if declared else "query Made"
        return Operation("\n".join([f"{head} {body}", *self.fragments]), self.variables)

    def selections(self, type_: Any, depth: int) -> str:
        if isinstance(type_, GraphQLUnionType) or (isinstance(type_, GraphQLInterfaceType) and self.chance(0.7)):
            some = self.some(self.schema.get_possible_types(type_), 3)
            parts = [f"... on {each.name} {self.selections(each, depth - 1)}" for each in some]
            return f"{{ __typename {' '.join(parts)} }}"
        names = self.some([name for name in type_.fields if depth > 1 or self._is_leaf(type_.fields[name])], 5)
        parts = [self.field(type_, name, depth) for name in names] or ["__typename"]
        if self.chance(0.2):
            parts.insert(self.random.randrange(len(parts) + 1), "__typename")
        if self.chance(0.15) and names:
            parts.append(self._again(type_, names[0], depth))
        if self.chance(0.15) and depth > 1:
            parts.append(self._fragment(type_, depth - 1))
        return f"{{ {' '.join(parts)} }}"

    def field(self, parent: Any, name: str, depth: int) -> str:
        definition: GraphQLField = parent.fields[name]
        arguments = self._arguments(parent, name, definition)
        is_leaf = self._is_leaf(definition)
        alias = f"{parent.name}_{name}" if is_leaf and not arguments else f"a{self.random.randrange(10**6)}"
        head = self.heads[parent.name, name] = f"{alias}: {name}{arguments}"
        return f"{head} {self._directive()} {self._below(definition, depth)}"

    def _again(self, parent: Any, name: str, depth: int) -> str:
        """Write a field that merges with the last one of its name and has another selection."""
        return f"{self.heads[parent.name, name]} {self._directive()} {self._below(parent.fields[name], depth)}"

    def _below(self, definition: GraphQLField, depth: int) -> str:
        return "" if self._is_leaf(definition) else self.selections(get_named_type(definition.type), depth - 1)

    def _is_leaf(self, definition: GraphQLField) -> bool:
        return is_leaf_type(get_named_type(definition.type))

    def _fragment(self, type_: Any, depth: int) -> str:
        type_ = self.random.choice([type_, *type_.interfaces])
        if self.chance(0.5):
            condition = f"on {type_.name}" if self.chance(0.7) or not is_object_type(type_) else ""
            return f"... {condition} {self._directive()} {self.selections(type_, depth)}"
        body = self.selections(type_, depth)
        name = f"F{len(self.fragments)}"
        self.fragments.append(f"fragment {name} on {type_.name} {body}")
        return f"...{name} {self._directive()}"

    def _directive(self) -> str:
        if not self.chance(0.1):
            return ""
        kind, value = self.random.choice(("skip", "include")), self.chance(0.5)
        return f"@{kind}(if: {self._given('Boolean!', value)})"

    def _arguments(self, parent: Any, name: str, definition: GraphQLField) -> str:
        given = self._paging(definition) if "limit" in definition.args else {}
        for key, argument in definition.args.items():
            made = self._value(f"{parent.name}.{name}.{key}", key, argument)
            if made is not None and key not in given:
                given[key] = made
        texts = [f"{key}: {self._given(str(definition.args[key].type), value)}" for key, value in given.items()]
        return f"({', '.join(texts)})" if texts else ""

    def _paging(self, definition: GraphQLField) -> dict[str, Any]:
        if self.wrong and self.chance(0.2):
            return dict(self.random.choice(WRONG_PAGES))
        return self.random.choice(PAGES)(self.random)

    def _value(self, path: str, key: str, argument: GraphQLArgument) -> Any:
        if path in self.values or key in self.values:
            if is_required_argument(argument) or self.chance(0.4):
                return self.values.get(path, self.values.get(key, lambda _: None))(self.random)
            return None
        type_ = get_named_type(argument.type)
        if isinstance(type_, GraphQLEnumType) and not is_list_type(get_nullable_type(argument.type)):
            return Name(self.random.choice(list(type_.values))) if self.chance(0.3) else None
        return self._input(type_) if isinstance(type_, GraphQLInputObjectType) and self.chance(0.3) else None

    def _input(self, type_: GraphQLInputObjectType) -> dict[str, Any]:
        makers = {name: self.values.get(f"{type_.name}.{name}", self.values.get(name)) for name in type_.fields}
        known = [(name, make) for name, make in makers.items() if make]
        return {name: make(self.random) for name, make in self.some(known, 2)}

    def _given(self, type_text: str, value: Any) -> str:
        """Write a value as a literal, as a variable, or as the default of an omitted variable."""
        if self.chance(0.5):
            return literal(value)
        name = f"v{len(self.definitions)}"
        self.definitions[name] = type_text
        if self.chance(0.3):
            self.definitions[name] += f" = {literal(value)}"
        else:
            self.variables[name] = plain(value)
        return f"${name}"

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def some(self, items: Sequence[Any], most: int) -> list[Any]:
        return self.random.sample(list(items), min(len(items), self.random.randint(1, most)))


class Name(str):
    """A GraphQL name, such as an enum value."""

    __slots__ = ()


def literal(value: Any) -> str:
    match value:
        case Name():
            return str(value)
        case dict():
            return f"{{{', '.join(f'{key}: {literal(each)}' for key, each in value.items())}}}"
        case list():
            return f"[{', '.join(map(literal, value))}]"
    return json.dumps(value)


def plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: plain(each) for key, each in value.items()}
        case list():
            return [plain(each) for each in value]
        case str():
            return str(value)
    return value
