"""`strawberry.asdict` of objects and of inputs that resolvers get."""

from typing import Any

import pytest
import strawberry

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.input
class Input:
    name: str = "Lorem"
    a: strawberry.Maybe[str | None]
    b: strawberry.Maybe[str | None]
    unset: str | None = strawberry.UNSET


@strawberry.type
class User:
    name: str
    age: int


@strawberry.type
class Query:
    @strawberry.field
    def given(self, input: Input) -> str:
        return f"{strawberry.asdict(input)}"

    @strawberry.field
    def user(self) -> str:
        return f"{strawberry.asdict(User(name='Lorem', age=25))}"


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("{ user }", {"user": "{'name': 'Lorem', 'age': 25}"}),
        ('{ given(input: {a: "x", b: null}) }', {"given": "{'name': 'Lorem', 'a': 'x', 'b': None}"}),
        ("{ given(input: {}) }", {"given": "{'name': 'Lorem'}"}),
        ("{ given(input: {unset: null}) }", {"given": "{'name': 'Lorem', 'unset': None}"}),
    ],
)
async def test_objects_become_dictionaries(schema: Make, text: str, data: Any) -> None:
    await schema(Query).gives(text, data, Outcome.COMPILED)
