"""Every list in the arguments of a query has a limit, and one entry more is refused."""

from collections.abc import Iterator
from typing import Any

import graphql
import pytest

from mainsheet.executor import core_schema
from mainsheet.models import limits
from mainsheet.schema.api import api
from testbed.ask import Ask, Failed
from testbed.world import World
from tests.api.test_run_commands import do

SCHEMA = core_schema(api)
# A query for each filter, and for each argument that is a list.
QUERIES = {
    "JobFilter": "query ($value: JobFilter) { jobs(filter: $value) { nodes { id } } }",
    "JobRunFilter": "query ($value: JobRunFilter) { runs(filter: $value) { nodes { id } } }",
    "EventFilter": "query ($value: EventFilter) { events(filter: $value) { nodes { id } } }",
    "Query.nodes(ids:)": "query ($value: [ID!]!) { nodes(ids: $value) { id } }",
    "Query.clusters(statuses:)": "query ($value: [ClusterStatus!]) { clusters(statuses: $value) { nodes { id } } }",
    "Webhook.deliveries(statuses:)": """query ($value: [WebhookDeliveryStatus!]) {
      webhooks { nodes { deliveries(statuses: $value) { nodes { id } } } } }""",
}


def arguments() -> Iterator[tuple[str, Any]]:
    """Yield the arguments of all fields but mutations."""
    objects = [each for each in SCHEMA.type_map.values() if isinstance(each, graphql.GraphQLObjectType)]
    for owner in objects:
        if owner is SCHEMA.mutation_type:
            continue
        for name, field in owner.fields.items():
            yield from ((f"{owner.name}.{name}({argument}:)", each.type) for argument, each in field.args.items())


def is_list(kind: Any) -> bool:
    return graphql.is_list_type(graphql.get_nullable_type(kind))


def too_many(kind: Any) -> list[Any]:
    item = graphql.get_named_type(kind)
    value = next(iter(item.values)) if isinstance(item, graphql.GraphQLEnumType) else "X"
    return [value] * (limits.ENTRIES.maximum + 1)


def too_long() -> Iterator[tuple[str, str, Any]]:
    """Yield what takes each list (an argument, or an input type), the list's name, and a value that is too long."""
    for path, kind in arguments():
        if is_list(kind):
            yield path, path.partition("(")[2].rstrip(":)"), too_many(kind)
    for each in {graphql.get_named_type(kind) for _, kind in arguments()}:
        if isinstance(each, graphql.GraphQLInputObjectType):
            lists = {name: field.type for name, field in each.fields.items() if is_list(field.type)}
            yield from ((each.name, f"filter.{name}", {name: too_many(kind)}) for name, kind in lists.items())


async def test_a_list_over_its_limit_is_refused(ask: Ask, world: World) -> None:
    await do(ask, world.admin, "createWebhook", "webhook { id }", url="https://hooks.example/")
    refused = {}
    for taken_by, name, value in too_long():
        with pytest.raises(Failed) as failed:
            await ask(world.admin, QUERIES[taken_by], value=value)
        refused[taken_by, name] = {each.message for each in failed.value.errors}

    assert {taken_by for taken_by, _ in refused} == QUERIES.keys()
    assert refused == {(by, name): {f"{name}: at most 100, but there are 101."} for by, name in refused}


async def test_a_list_at_its_limit_is_accepted(ask: Ask, world: World) -> None:
    for name in ("ids", "keys", "tagsAllOf"):
        assert await ask(world.admin, QUERIES["JobFilter"], value={name: ["x"] * 100}) == {"jobs": {"nodes": []}}
