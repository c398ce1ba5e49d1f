"""Fields of the query: functions, methods, `graphql_type`, and arguments."""

from typing import Annotated, Any, NewType

import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make

FRUITS = ["Strawberry", "Apple", "Orange"]
BigInt = NewType("BigInt", int)
BIG_INT = StrawberryConfig(scalar_map={BigInt: strawberry.scalar(name="BigInt", serialize=str, parse_value=int)})


def get_name() -> str:
    return "Strawberry"


class User:
    def __init__(self, id: str, name: str) -> None:
        self.id = id
        self.name = name


@strawberry.type(name="User")
class UserType:
    id: strawberry.ID
    name: str


@strawberry.type
class Query:
    name: str = strawberry.field(resolver=get_name)

    @strawberry.field
    def own_name(self) -> str:
        return "own"

    @strawberry.field(graphql_type=UserType)
    def user(self) -> User:
        return User(id="ringo", name="Ringo")

    @strawberry.field
    def fruit(
        self, startswith: Annotated[str, strawberry.argument(description="Prefix to filter fruits by.")]
    ) -> str | None:
        return next((each for each in FRUITS if each.startswith(startswith)), None)

    @strawberry.field(graphql_type=list[BigInt])
    def doubled(self, ids: Annotated[list[int], strawberry.argument(graphql_type=list[BigInt])]) -> Any:
        return [each * 2 for each in ids]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("{ name ownName }", {"name": "Strawberry", "ownName": "own"}),
        ("{ user { __typename id name } }", {"user": {"__typename": "User", "id": "ringo", "name": "Ringo"}}),
        ('{ fruit(startswith: "A") }', {"fruit": "Apple"}),
        ('{ fruit(startswith: "B") }', {"fruit": None}),
        ('{ doubled(ids: ["4503599627370496", "2"]) }', {"doubled": ["9007199254740992", "4"]}),
    ],
)
async def test_fields_are_resolved(schema: Make, text: str, data: Any) -> None:
    await schema(Query, config=BIG_INT).gives(text, data, Outcome.COMPILED)
