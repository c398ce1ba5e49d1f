"""`@defer` and `@stream` are handed over. Their fields are compiled where nothing is deferred."""

from collections.abc import AsyncGenerator
from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Api, Make

INCREMENTAL = StrawberryConfig(enable_experimental_incremental_execution=True)


@strawberry.type
class Author:
    name: str


@strawberry.type
class Comment:
    content: str


@strawberry.type
class Article:
    title: str

    @strawberry.field
    async def author(self) -> Author:
        return Author(name="Jane")

    @strawberry.field
    async def comments(self) -> strawberry.Streamable[Comment]:
        for number in range(3):
            yield Comment(content=f"comment {number}")


@strawberry.type
class Query:
    @strawberry.field
    async def article(self) -> Article:
        return Article(title="Defer")


async def payloads(api: Api, text: str) -> list[Any]:
    """Execute an operation. Return its initial result and what is delivered later."""
    result = await api.schema.execute(text)
    later = [each.formatted async for each in result.subsequent_results]
    return [result.initial_result.formatted, *later]


async def test_deferred_fields_are_delivered_later(async_schema: Make) -> None:
    api = async_schema(Query, config=INCREMENTAL)

    initial, *later = await payloads(api, "{ article { title ... on Article @defer { author { name } } } }")

    assert initial["data"] == {"article": {"title": "Defer"}}
    assert initial["hasNext"]
    assert [each["data"] for one in later for each in one.get("incremental", [])] == [{"author": {"name": "Jane"}}]
    assert not later[-1]["hasNext"]
    api.was_executed(Outcome.REFERENCE)


async def test_streamed_items_are_delivered_later(async_schema: Make) -> None:
    api = async_schema(Query, config=INCREMENTAL)

    initial, *later = await payloads(api, "{ article { comments @stream(initialCount: 1) { content } } }")

    assert initial["data"] == {"article": {"comments": [{"content": "comment 0"}]}}
    items = [item["content"] for one in later for each in one.get("incremental", []) for item in each["items"]]
    assert items == ["comment 1", "comment 2"]
    api.was_executed(Outcome.REFERENCE)


async def test_nothing_is_deferred_on_request(async_schema: Make) -> None:
    text = "query ($d: Boolean!) { article { title ... @defer(if: $d) { author { name } } } }"

    await async_schema(Query, config=INCREMENTAL).gives(
        text,
        {"article": {"title": "Defer", "author": {"name": "Jane"}}},
        Outcome.REFERENCE,
        variable_values={"d": False},
    )


async def test_operations_without_these_directives_are_compiled(async_schema: Make) -> None:
    await async_schema(Query, config=INCREMENTAL).gives(
        "{ article { title author { name } } }",
        {"article": {"title": "Defer", "author": {"name": "Jane"}}},
        Outcome.COMPILED,
    )


async def test_a_streamable_field_is_a_list(async_schema: Make) -> None:
    comments = [{"content": f"comment {number}"} for number in range(3)]

    await async_schema(Query, config=INCREMENTAL).gives(
        "{ article { comments { content } } }", {"article": {"comments": comments}}, Outcome.REPLAYED
    )


async def test_frames_are_streamed(async_schema: Make) -> None:
    """As the views of Strawberry read them."""
    api = async_schema(Query, config=INCREMENTAL)

    stream: AsyncGenerator[Any, None] = await api.schema.stream("{ article { ... @defer { author { name } } } }")
    initial, *later = [each async for each in stream]

    assert initial.data == {"article": {}}
    assert [each.data for one in later for each in one.incremental or ()] == [{"author": {"name": "Jane"}}]
    api.was_executed(Outcome.REFERENCE)
