"""Several operations in one HTTP request."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make
from tests.executor.strawberry_docs.http import served


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "World") -> str:
        return f"Hello {name}"

    @strawberry.field
    def fails(self) -> str | None:
        raise ValueError("it fails")


@strawberry.type
class Mutation:
    @strawberry.mutation
    def greet(self, name: str) -> Query:
        return Query()


BATCHING = StrawberryConfig(batching_config={"max_operations": 3})


async def test_each_operation_has_a_response(async_schema: Make) -> None:
    api = async_schema(Query, Mutation, config=BATCHING)
    operations = [
        {"query": "query ($n: String!) { hello(name: $n) }", "variables": {"n": "Ada"}},
        {"query": "{ fails }"},
        {"query": 'mutation { greet(name: "a") { hello } }'},
    ]

    async with served(api) as client:
        response = await client.post("/graphql", json=operations)
        answers = await response.json()

    assert [each["data"] for each in answers] == [
        {"hello": "Hello Ada"},
        {"fails": None},
        {"greet": {"hello": "Hello World"}},
    ]
    assert [[error["message"] for error in each.get("errors", [])] for each in answers] == [[], ["it fails"], []]
    api.was_executed(Outcome.COMPILED, Outcome.RECOVERED, Outcome.PARTS)


async def test_too_many_operations_are_refused(async_schema: Make) -> None:
    api = async_schema(Query, config=BATCHING)

    async with served(api) as client:
        response = await client.post("/graphql", json=[{"query": "{ hello }"}] * 4)
        text = await response.text()

    assert (response.status, text) == (400, "Too many operations")
    api.was_executed()


async def test_batching_is_off_by_default(async_schema: Make) -> None:
    async with served(async_schema(Query)) as client:
        response = await client.post("/graphql", json=[{"query": "{ hello }"}])
        text = await response.text()

    assert (response.status, text) == (400, "Batching is not enabled")
