"""The page's tests: a query with variables, a mutation, and a subscription."""

from collections.abc import AsyncGenerator

import strawberry

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Book:
    title: str
    author: str


BOOKS = [Book(title="The Great Gatsby", author="F. Scott Fitzgerald")]


@strawberry.type
class Query:
    @strawberry.field
    def books(self, title: str) -> list[Book]:
        return [each for each in BOOKS if each.title == title]


@strawberry.type
class Mutation:
    @strawberry.mutation
    def add_book(self, title: str, author: str) -> Book:
        return Book(title=title, author=author)


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, target: int = 100) -> AsyncGenerator[int, None]:
        for number in range(target):
            yield number


async def test_a_query_is_tested(schema: Make) -> None:
    text = "query TestQuery($title: String!) { books(title: $title) { title author } }"
    api = schema(Query)

    for title in ("The Great Gatsby", "Emma"):
        books = [{"title": each.title, "author": each.author} for each in BOOKS if each.title == title]
        await api.gives(text, {"books": books}, Outcome.COMPILED, variable_values={"title": title})


async def test_a_mutation_is_tested(schema: Make) -> None:
    text = "mutation ($title: String!, $author: String!) { addBook(title: $title, author: $author) { title } }"
    variables = {"title": "The Little Prince", "author": "Antoine de Saint-Exupéry"}

    await schema(Query, Mutation).gives(
        text, {"addBook": {"title": "The Little Prince"}}, Outcome.PARTS, variable_values=variables
    )


async def test_a_subscription_is_tested(async_schema: Make) -> None:
    api = async_schema(Query, subscription=Subscription)

    results = [each async for each in await api.schema.subscribe("subscription { count(target: 3) }")]

    assert [(each.data, each.errors) for each in results] == [({"count": number}, None) for number in range(3)]
