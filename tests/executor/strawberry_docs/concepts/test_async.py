"""Asynchronous resolvers and others are mixed."""

import strawberry

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


async def resolve_hello(root: "Query | None") -> str:
    return "Hello world"


@strawberry.type
class Item:
    number: int

    @strawberry.field
    async def later(self) -> int:
        return self.number + 1

    @strawberry.field
    def doubled(self) -> int:
        return self.number * 2


@strawberry.type
class Query:
    hello: str = strawberry.field(resolver=resolve_hello)

    @strawberry.field
    async def items(self) -> list[Item]:
        return [Item(number=1), Item(number=2)]

    @strawberry.field
    def first(self) -> Item:
        return Item(number=1)

    @strawberry.field
    async def fails(self) -> str | None:
        raise ValueError("it fails later")


async def test_resolvers_are_mixed(async_schema: Make) -> None:
    await async_schema(Query).gives(
        "{ hello items { number later doubled } first { doubled later } }",
        {
            "hello": "Hello world",
            "items": [{"number": 1, "later": 2, "doubled": 2}, {"number": 2, "later": 3, "doubled": 4}],
            "first": {"doubled": 2, "later": 2},
        },
        Outcome.COMPILED,
    )


async def test_an_awaited_resolver_fails(async_schema: Make) -> None:
    await async_schema(Query).gives(
        "{ fails hello }",
        {"fails": None, "hello": "Hello world"},
        Outcome.REPLAYED,
        errors=[said("it fails later", "fails", at=(1, 3))],
    )
