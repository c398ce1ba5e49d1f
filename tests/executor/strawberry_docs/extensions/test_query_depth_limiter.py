"""Operations that are too deep are refused. Ignored fields don't count."""

from typing import Any

import pytest
import strawberry
from strawberry.extensions import IgnoreContext, QueryDepthLimiter

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Book:
    title: str

    @strawberry.field
    def author(self) -> "User":
        return User(name="Ada")


@strawberry.type
class User:
    name: str | None

    @strawberry.field
    def published_books(self) -> list[Book]:
        return [Book(title="The Guide")]


@strawberry.type
class Query:
    @strawberry.field
    def book(self) -> Book:
        return Book(title="The Guide")

    @strawberry.field
    def user(self, name: str | None = None) -> User:
        return User(name=name)


DEEP = "{ book { author { publishedBooks { title } } } }"
IGNORED = '{ user(name: "matt") { publishedBooks { author { publishedBooks { title } } } } }'


def by_name(ignore: IgnoreContext) -> bool:
    return ignore.field_name == "user"


def by_argument(ignore: IgnoreContext) -> bool:
    return ignore.field_args.get("name") == "matt"


async def test_depth_is_limited(schema: Make) -> None:
    depths: list[Any] = []
    api = schema(Query, extensions=[lambda: QueryDepthLimiter(max_depth=2, callback=depths.append)])

    result = await api.result(DEEP)

    assert [error.message for error in result.errors] == ["'anonymous' exceeds maximum operation depth of 2"]
    await api.gives("{ book { author { name } } }", {"book": {"author": {"name": "Ada"}}}, Outcome.COMPILED)
    assert depths[-1] == {"anonymous": 2}


@pytest.mark.parametrize("should_ignore", [by_name, by_argument])
async def test_fields_are_ignored(schema: Make, should_ignore: Any) -> None:
    api = schema(Query, extensions=[lambda: QueryDepthLimiter(max_depth=2, should_ignore=should_ignore)])
    books = [{"author": {"publishedBooks": [{"title": "The Guide"}]}}]

    await api.gives(IGNORED, {"user": {"publishedBooks": books}}, Outcome.COMPILED)
    assert (await api.result(DEEP)).errors
