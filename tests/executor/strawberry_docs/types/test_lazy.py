"""Types that refer to each other name their modules."""

from typing import Annotated

import strawberry

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Post:
    title: str
    author: Annotated["User", strawberry.lazy(__name__)]


@strawberry.type
class User:
    name: str

    @strawberry.field
    def posts(self) -> list[Annotated["Post", strawberry.lazy(__name__)]]:
        return [Post(title=f"by {self.name}", author=self)]


@strawberry.type
class Query:
    @strawberry.field
    def users(self) -> list[User]:
        return [User(name="Ada")]


async def test_lazy_types_refer_to_each_other(schema: Make) -> None:
    data = {"users": [{"posts": [{"title": "by Ada", "author": {"name": "Ada"}}]}]}

    await schema(Query).gives("{ users { posts { title author { name } } } }", data, Outcome.COMPILED)
