"""The parent is `self`, `root`, or any parameter annotated with `Parent`, and need not be an instance of its type."""

from types import SimpleNamespace
from typing import Any

import pytest
import strawberry

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


def by_parent(user: "strawberry.Parent[User]") -> str:
    return f"{user.first_name} {user.last_name}"


def by_root(root: "User") -> str:
    return f"{root.first_name} {root.last_name}"


@strawberry.type
class User:
    first_name: str
    last_name: str
    parent: str = strawberry.field(resolver=by_parent)
    root: str = strawberry.field(resolver=by_root)

    @strawberry.field
    def itself(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @strawberry.field
    def method(self, parent: strawberry.Parent[Any]) -> str:
        return f"{parent.first_name} {self.last_name}"

    @strawberry.field
    @staticmethod
    def static(parent: strawberry.Parent[Any]) -> str:
        return f"{parent.first_name} {parent.last_name}"

    @strawberry.field
    def informed(self, info: strawberry.Info, parent: strawberry.Parent[Any], greeting: str = "Hi") -> str:
        return f"{greeting} {parent.first_name} {self.last_name} {info.field_name}"


@strawberry.type
class Query:
    @strawberry.field
    def user(self) -> User:
        return User(first_name="Albert", last_name="Heijn")

    @strawberry.field(graphql_type=User)
    def model(self) -> Any:
        return SimpleNamespace(first_name="Ada", last_name="Lovelace")


@pytest.mark.parametrize("field", ["parent", "root", "itself", "method", "static"])
async def test_resolvers_get_their_parent(schema: Make, field: str) -> None:
    await schema(Query).gives(
        f"{{ user {{ {field} }} model {{ {field} }} }}",
        {"user": {field: "Albert Heijn"}, "model": {field: "Ada Lovelace"}},
        Outcome.COMPILED,
    )


async def test_resolvers_get_their_parent_beside_info(schema: Make) -> None:
    await schema(Query).gives(
        '{ model { informed(greeting: "Yo") } }',
        {"model": {"informed": "Yo Ada Lovelace informed"}},
        Outcome.COMPILED,
    )
