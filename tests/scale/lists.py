"""All lists of the API with their arguments, found by a walk of the schema so that new ones are included."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, product
from typing import Any

from graphql import GraphQLArgument, GraphQLEnumType, GraphQLInputObjectType, get_named_type

from mainsheet.executor import core_schema
from mainsheet.schema.api import api
from mainsheet.schema.connection import PAGE_PARAMETERS

SCHEMA: Any = core_schema(api)

# The paths to each type that has lists: to one object, and to many.
WAYS: Mapping[str, Sequence[str]] = {
    "Query": ("%s",),
    "Viewer": ("me { %s }",),
    "Organization": ("organization { %s }",),
    "Team": ("team(id: $team) { %s }", "teams(limit: 2) { nodes { %s } }"),
    "Cluster": ("cluster(id: $cluster) { %s }", "clusters(limit: 2) { nodes { %s } }"),
    "Actor": ("me { actor { %s } }",),
    "ServiceAccount": ("serviceAccounts(limit: 2) { nodes { %s } }",),
    "Member": ("me { actor { ... on Member { %s } } }", "team(id: $team) { members(limit: 2) { nodes { %s } } }"),
    "SavedQuery": ("savedQueries(limit: 2) { nodes { %s } }",),
    "Webhook": ("webhooks(limit: 2) { nodes { %s } }",),
    "JobVersion": ("job(id: $job) { currentVersion { %s } }",),
    "Job": ("job(id: $job) { %s }", "jobs(limit: 2) { nodes { %s } }"),
}
FILTERS: Mapping[str, Any] = {
    "search": ["order"],
    "statuses": [["PAUSED"]],
    "teamIds": [["$team"]],
    "clusterIds": [["$cluster"]],
    "tagsAllOf": [["daily", "finance"]],
    "tagsAnyOf": [["daily"]],
    "hasDraft": [True, False],
    "hasSchedule": [True, False],
    "sourceKinds": [["PYTHON_WHEEL"]],
    "latestRunStatuses": [["FAILED"], ["RUNNING", None]],
    "createdByIds": [["$author"]],
    "updatedByIds": [["$author"]],
    "createdSince": ["2026-01-01T00:00:00Z"],
    "updatedSince": ["2026-01-01T00:00:00Z"],
    "ids": [["$job"]],
    "JobRunFilter.statuses": [["FAILED"]],
    "jobIds": [["$job"]],
    "since": ["2026-01-01T00:00:00Z"],
    "until": ["2026-01-01T00:00:00Z"],
    "scheduledSince": ["2026-01-01T00:00:00Z"],
    "scheduledUntil": ["2026-01-01T00:00:00Z"],
    "keys": [["fleet-0000001-x"]],
    "actions": [["JOB_UPDATED"]],
    "actorIds": [["$author"]],
    "subjectIds": [["$job"]],
}
STATUSES = ["FAILED"]
IDS = ("team", "cluster", "job", "author")
PAGE = {"limit": "Int", "page": "Int", "first": "Int", "after": "String"}


@dataclass(frozen=True)
class List:
    """A list field and a query for it, in which all arguments are variables."""

    owner: str
    name: str
    way: str

    @property
    def arguments(self) -> Mapping[str, GraphQLArgument]:
        own: dict[str, GraphQLArgument] = SCHEMA.type_map[self.owner].fields[self.name].args
        return {name: argument for name, argument in own.items() if name not in PAGE_PARAMETERS}

    @property
    def query(self) -> str:
        own = {name: str(argument.type) for name, argument in self.arguments.items()}
        known = SCHEMA.type_map[self.owner].fields[self.name].args
        page = {name: type_ for name, type_ in PAGE.items() if name in known}  # the feed has no numbered pages
        given = ", ".join(f"{name}: ${name}" for name in (*page, *own))
        query = self.way % f"{self.name}({given}) {{ nodes {{ id }} pageInfo {{ startCursor endCursor }} totalCount }}"
        types = page | own | {name: "ID!" for name in IDS if f"${name}" in query}
        return f"query ({', '.join(f'${name}: {type_}' for name, type_ in types.items())}) {{ {query} }}"

    def variables(self) -> Iterator[dict[str, Any]]:
        """Yield variables for each order, and for each condition in two orders, which differ from list to list."""
        orders = list(_orders(self.arguments))
        yield from orders
        others = cycle(orders[::2])  # the other ones are descending
        for _ in self.owner + self.name:
            next(others)
        for condition in _conditions(self.arguments):
            yield from (next(others) | condition for _ in orders[:2])


def connections() -> set[tuple[str, str]]:
    return {
        (owner.name, name)
        for owner in SCHEMA.type_map.values()
        for name, field in getattr(owner, "fields", {}).items()
        if str(getattr(field, "type", "")).endswith("Connection!")
    }


def lists() -> Iterator[List]:
    for owner, name in sorted(connections()):
        yield from (List(owner, name, way) for way in WAYS[owner])


def _orders(arguments: Mapping[str, GraphQLArgument]) -> Iterator[dict[str, Any]]:
    kinds = {name: get_named_type(each.type) for name, each in arguments.items() if name.startswith("sort")}
    for values in product(*(_values(kind) for kind in kinds.values())):
        yield dict(zip(kinds, values, strict=True))


def _values(enum: Any) -> Sequence[str]:
    assert isinstance(enum, GraphQLEnumType)
    return list(enum.values)


def _conditions(arguments: Mapping[str, GraphQLArgument]) -> Iterator[dict[str, Any]]:
    for name, argument in arguments.items():
        kind = get_named_type(argument.type)
        if isinstance(kind, GraphQLInputObjectType):
            yield from ({name: {field: value}} for field in kind.fields for value in _samples(kind.name, field))
        elif not name.startswith("sort"):
            yield {name: STATUSES if name == "statuses" else FILTERS[name][0]}


def _samples(kind: str, field: str) -> Sequence[Any]:
    samples: Sequence[Any] = FILTERS.get(f"{kind}.{field}") or FILTERS[field]
    return samples


def filled(value: Any, ids: Mapping[str, str]) -> Any:
    """Replace names by ids."""
    if isinstance(value, dict):
        return {name: filled(each, ids) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, ids) for each in value]
    return ids[value[1:]] if isinstance(value, str) and value.startswith("$") else value
