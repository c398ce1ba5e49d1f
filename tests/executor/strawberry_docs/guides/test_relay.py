"""Nodes are fetched by their global id, and connections are paginated."""

from collections.abc import AsyncIterator, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from strawberry import relay

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Fruit(relay.Node):
    code: relay.NodeID[int]
    name: str
    weight: float = 1

    @classmethod
    def resolve_nodes(  # type: ignore[override]  # as the page has it
        cls, *, info: strawberry.Info, node_ids: Iterable[str], required: bool = False
    ) -> list["Fruit | None"]:
        return [FRUITS[int(each)] if required else FRUITS.get(int(each)) for each in node_ids]


NAMES = ["apple", "banana", "cherry", "date"]
FRUITS = {code: Fruit(code=code, name=name) for code, name in enumerate(NAMES)}


@strawberry.type
class StoredConnection(relay.ListConnection[Fruit]):
    @classmethod
    def resolve_node(cls, node: Any, *, info: strawberry.Info, **given: Any) -> Fruit:
        return Fruit(code=node.key, name=node.title)


@strawberry.type
class ByName(relay.Connection[Fruit]):
    @classmethod
    def resolve_connection(  # type: ignore[override]
        cls, nodes: Iterable[Fruit], *, info: strawberry.Info, after: str | None = None, first: int = 2, **given: Any
    ) -> "ByName":
        edges = [relay.Edge(node=each, cursor=each.name) for each in nodes if after is None or each.name > after]
        shown = edges[:first]
        return cls(
            edges=shown,
            page_info=relay.PageInfo(
                start_cursor=shown[0].cursor if shown else None,
                end_cursor=shown[-1].cursor if shown else None,
                has_previous_page=after is not None,
                has_next_page=len(edges) > first,
            ),
        )


def query() -> type:
    """Return a new class: a schema changes the fields of relay."""

    @strawberry.type
    class Query:
        node: relay.Node = relay.node()
        maybe: relay.Node | None = relay.node()
        nodes: list[relay.Node] = relay.node()
        maybe_nodes: list[relay.Node | None] = relay.node()

        @relay.connection(relay.ListConnection[Fruit])
        def fruits(self) -> Iterable[Fruit]:
            return FRUITS.values()

        @relay.connection(relay.ListConnection[Fruit], max_results=2)
        def generated(self, info: strawberry.Info, name_endswith: str = "") -> Iterator[Fruit]:
            return (each for each in FRUITS.values() if each.name.endswith(name_endswith))

        @relay.connection(relay.ListConnection[Fruit])
        async def streamed(self) -> AsyncIterator[Fruit]:
            for each in FRUITS.values():
                yield each

        @relay.connection(StoredConnection)
        def stored(self) -> Iterable[Any]:
            return [SimpleNamespace(key=7, title="elder")]

        @relay.connection(ByName)
        def by_name(self) -> Iterable[Fruit]:
            return FRUITS.values()

    return Query


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def update_weight(self, info: strawberry.Info, id: relay.GlobalID, weight: float) -> Fruit:
        fruit = await id.resolve_node(info, ensure_type=Fruit)
        return Fruit(code=fruit.code, name=f"{fruit.name} {id.type_name} {id.node_id}", weight=weight)

    @strawberry.mutation
    def update_weight_sync(self, info: strawberry.Info, id: relay.GlobalID, weight: float) -> Fruit:
        fruit = id.resolve_node_sync(info, ensure_type=Fruit)
        return Fruit(code=fruit.code, name=fruit.name, weight=weight)


def global_id(code: int) -> str:
    return relay.to_base64("Fruit", code)


def cursor(index: int) -> str:
    return relay.to_base64("arrayconnection", index)


async def test_a_node_is_fetched_by_its_id(schema: Make) -> None:
    text = "query ($id: ID!) { node(id: $id) { __typename id ... on Fruit { name weight } } }"
    data = {"node": {"__typename": "Fruit", "id": global_id(1), "name": "banana", "weight": 1.0}}

    await schema(query()).gives(text, data, Outcome.COMPILED, variable_values={"id": global_id(1)})


async def test_nodes_are_fetched_by_their_ids(schema: Make) -> None:
    text = """query ($ids: [ID!]!, $none: [ID!]!, $no: ID!) {
        nodes(ids: $ids) { ...F } maybeNodes(ids: $none) { ...F } maybe(id: $no) { id }
    } fragment F on Fruit { name }"""
    variables = {
        "ids": [global_id(2), global_id(0)],
        "none": [global_id(3), global_id(9)],
        "no": global_id(9),
    }
    data = {"nodes": [{"name": "cherry"}, {"name": "apple"}], "maybeNodes": [{"name": "date"}, None], "maybe": None}

    await schema(query()).gives(text, data, Outcome.COMPILED, variable_values=variables)


async def test_an_id_that_is_none_is_an_error(schema: Make) -> None:
    error = said('Value cannot represent a GlobalID: "nonsense".', "maybe", at=(1, 3))

    await schema(query()).gives('{ maybe(id: "nonsense") { id } }', {"maybe": None}, Outcome.REPLAYED, errors=[error])


async def test_a_missing_node_is_an_error_where_it_is_required(schema: Make) -> None:
    text = "query ($id: ID!) { node(id: $id) { id } }"

    await schema(query()).gives(
        text,
        None,
        Outcome.REPLAYED,
        errors=[said("9", "node", at=(1, 20))],
        variable_values={"id": global_id(9)},
    )


PAGE = "fragment P on FruitConnection { pageInfo { hasNextPage hasPreviousPage startCursor endCursor } ...E }"
EDGES = "fragment E on FruitConnection { edges { cursor node { id name } } }"


def page(first: int, last: int, of: int = 4) -> dict[str, Any]:
    return {
        "pageInfo": {
            "hasNextPage": last < of - 1,
            "hasPreviousPage": first > 0,
            "startCursor": cursor(first),
            "endCursor": cursor(last),
        },
        "edges": [
            {"cursor": cursor(index), "node": {"id": global_id(index), "name": NAMES[index]}}
            for index in range(first, last + 1)
        ],
    }


@pytest.mark.parametrize(
    ("arguments", "data"),
    [
        ("", page(0, 3)),
        ("(first: 2)", page(0, 1)),
        (f'(first: 2, after: "{cursor(0)}")', page(1, 2)),
        (f'(before: "{cursor(2)}")', page(0, 1)),
        ("(last: 2)", page(2, 3)),
    ],
)
async def test_a_connection_is_paginated(schema: Make, arguments: str, data: Any) -> None:
    await schema(query()).gives(
        f"{{ fruits{arguments} {{ ...P }} }} {PAGE} {EDGES}", {"fruits": data}, Outcome.COMPILED
    )


async def test_a_connection_has_a_maximum_and_further_arguments(schema: Make) -> None:
    text = '{ generated(nameEndswith: "e") { edges { node { name } } } }'
    data = {"generated": {"edges": [{"node": {"name": "apple"}}, {"node": {"name": "date"}}]}}

    await schema(query()).gives(text, data, Outcome.COMPILED)
    await schema(query()).gives(
        "{ generated { edges { node { name } } } }",
        {"generated": {"edges": [{"node": {"name": "apple"}}, {"node": {"name": "banana"}}]}},
        Outcome.COMPILED,
    )


async def test_a_connection_is_made_of_an_async_generator(async_schema: Make) -> None:
    await async_schema(query()).gives(
        f"{{ streamed(first: 2) {{ ...P }} }} {PAGE} {EDGES}", {"streamed": page(0, 1)}, Outcome.COMPILED
    )


async def test_rows_become_nodes(schema: Make) -> None:
    await schema(query()).gives(
        "{ stored { edges { node { id name } } } }",
        {"stored": {"edges": [{"node": {"id": global_id(7), "name": "elder"}}]}},
        Outcome.COMPILED,
    )


async def test_a_connection_has_its_own_pagination(schema: Make) -> None:
    await schema(query()).gives(
        '{ byName(after: "apple", first: 2) { pageInfo { endCursor hasNextPage } edges { cursor } } }',
        {
            "byName": {
                "pageInfo": {"endCursor": "cherry", "hasNextPage": True},
                "edges": [{"cursor": "banana"}, {"cursor": "cherry"}],
            }
        },
        Outcome.COMPILED,
    )


@pytest.mark.parametrize("field", ["updateWeight", "updateWeightSync"])
async def test_a_mutation_resolves_a_global_id(async_schema: Make, field: str) -> None:
    text = f"mutation ($id: ID!) {{ {field}(id: $id, weight: 2.5) {{ id weight }} }}"

    await async_schema(query(), Mutation).gives(
        text,
        {field: {"id": global_id(1), "weight": 2.5}},
        Outcome.PARTS,
        variable_values={"id": global_id(1)},
    )
