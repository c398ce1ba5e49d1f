"""Every list of the API with all that it can be asked: found by a walk of the schema, so that nothing new is missed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLArgument, GraphQLEnumType, GraphQLInputObjectType, get_named_type

from schema.api import api
from schema.page import PAGE_PARAMETERS

SCHEMA: Any = api._schema

# Where each type that has lists is found: one of it, and many.
WAYS: Mapping[str, Sequence[str]] = {
    "Query": ("%s",),
    "Viewer": ("me { %s }",),
    "Organization": ("organization { %s }",),
    "Team": ("team(id: $team) { %s }", "teams(limit: 5) { nodes { %s } }"),
    "Cluster": ("cluster(id: $cluster) { %s }", "clusters(limit: 5) { nodes { %s } }"),
    "Member": ("me { member { %s } }", "team(id: $team) { members(limit: 5) { nodes { %s } } }"),
    "Job": ("job(id: $job) { %s }", "jobs(limit: 5) { nodes { %s } }"),
}
VALUES: Mapping[str, str] = {
    "filter.search": '"order"',
    "filter.status": "[PAUSED]",
    "filter.teams": "[$team]",
    "filter.clusters": "[$cluster]",
    "filter.hasDraft": "true",
    "filter.hasSchedule": "false",
    "filter.createdBy": "[$author]",
    "filter.updatedSince": '"2026-01-01T00:00:00Z"',
    "statuses": "[FAILED]",
}
SHORT_SEARCH = '{search: "or"}'
VARIABLES = {"team": "ID!", "cluster": "ID!", "job": "ID!", "author": "ID!"}


@dataclass(frozen=True)
class List:
    way: str
    name: str
    conditions: str  # what its filter asks
    orders: Sequence[str]

    def __str__(self) -> str:
        place = (self.way % self.name).replace("$", "").translate(str.maketrans(" {", "._", "}"))
        return f"{place}-{self.conditions}"

    def asked(self, arguments: str) -> str:
        selected = f"{self.name}({arguments}) {{ nodes {{ id }} pageInfo {{ startCursor endCursor }} totalCount }}"
        query = self.way % selected
        declared = ", ".join(f"${name}: {type_}" for name, type_ in VARIABLES.items() if f"${name}" in query)
        return f"query {declared and f'({declared})'} {{ {query} }}"


def connections() -> set[tuple[str, str]]:
    return {
        (owner.name, name)
        for owner in SCHEMA.type_map.values()
        for name, field in getattr(owner, "fields", {}).items()
        if str(getattr(field, "type", "")).endswith("Connection!")
    }


def lists() -> Iterator[List]:
    for owner, name in sorted(connections()):
        own = {each: argument for each, argument in SCHEMA.type_map[owner].fields[name].args.items() if _is_own(each)}
        orders = list(_orders(own))
        for way in WAYS[owner]:
            for conditions in ("", *_conditions(own)):
                yield List(way, name, conditions, orders)


def _is_own(argument: str) -> bool:
    return argument not in PAGE_PARAMETERS


def _orders(arguments: Mapping[str, GraphQLArgument]) -> Iterator[str]:
    enums = {name: get_named_type(argument.type) for name, argument in arguments.items() if name.startswith("sort")}
    written = [[f"{name}: {value}" for value in _values(enum)] for name, enum in enums.items()]
    match written:
        case []:
            yield ""
        case [one]:
            yield from one
        case [some, others]:
            yield from (f"{first}, {second}" for first in some for second in others)


def _values(enum: Any) -> Sequence[str]:
    assert isinstance(enum, GraphQLEnumType)
    return list(enum.values)


def _conditions(arguments: Mapping[str, GraphQLArgument]) -> Iterator[str]:
    for name, argument in arguments.items():
        kind = get_named_type(argument.type)
        if isinstance(kind, GraphQLInputObjectType):
            yield from (f"{name}: {{{field}: {VALUES[f'{name}.{field}']}}}" for field in kind.fields)
            yield f"{name}: {SHORT_SEARCH}"
        elif not name.startswith("sort"):
            yield f"{name}: {VALUES[name]}"
