"""`create_type` and `merge_types` make types that are compiled."""

import strawberry
from strawberry.tools import create_type, merge_types

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.field
def hello(info: strawberry.Info) -> str:
    return f"World of {info.context}"


@strawberry.field
def age() -> int:
    return 7


@strawberry.type
class Other:
    @strawberry.field
    def other(self) -> str:
        return "other"


async def test_types_are_created_and_merged(schema: Make) -> None:
    query = merge_types("Query", (create_type("Hello", [hello, age]), Other))

    await schema(query).gives(
        "{ hello age other }",
        {"hello": "World of me", "age": 7, "other": "other"},
        Outcome.COMPILED,
        context_value="me",
    )
