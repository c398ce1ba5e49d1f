"""References are resolved by a class method, also with `info` or asynchronously, or by the default one."""

from typing import Any

import strawberry
from strawberry import federation
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Api, Make


@federation.type(keys=["id"])
class Book:
    id: strawberry.ID
    title: str

    @classmethod
    def resolve_reference(cls, info: strawberry.Info, id: strawberry.ID) -> "Book | None":
        if id == "none":
            raise LookupError("no such book")
        return Book(id=id, title=f"Book {id} of {info.context}")


@federation.type(keys=["id"])
class Counted:
    id: strawberry.ID
    reviews_count: int = strawberry.field(resolver=lambda: 3)


@strawberry.type(directives=[Key(fields=FieldSet("code"))])
class Manual:
    code: str

    @classmethod
    async def resolve_reference(cls, code: str) -> "Manual":
        return Manual(code=f"{code}!")


@strawberry.type
class Query:
    @strawberry.field
    def hi(self) -> str:
        return "hi"


TEXT = """query ($references: [_Any!]!) { _entities(representations: $references) {
    ... on Book { title } ... on Counted { id reviewsCount } ... on Manual { code }
} }"""


def federated(schema: Make) -> Api:
    return schema(Query, base=federation.Schema, types=[Book, Counted, Manual])


def references(**keys: Any) -> dict[str, Any]:
    return {"references": [{"__typename": name, **key} for name, key in keys.items()]}


async def test_references_are_resolved(schema: Make) -> None:
    await federated(schema).gives(
        TEXT,
        {"_entities": [{"title": "Book 1 of me"}, {"id": "2", "reviewsCount": 3}]},
        Outcome.COMPILED,
        variable_values=references(Book={"id": "1"}, Counted={"id": "2"}),
        context_value="me",
    )


async def test_references_are_resolved_asynchronously(async_schema: Make) -> None:
    """The list has awaitables, which compiled code hands to graphql-core."""
    await federated(async_schema).gives(
        TEXT,
        {"_entities": [{"code": "a!"}, {"title": "Book 1 of me"}]},
        Outcome.REPLAYED,
        variable_values=references(Manual={"code": "a"}, Book={"id": "1"}),
        context_value="me",
    )


async def test_a_reference_that_fails_is_null(schema: Make) -> None:
    error = said("no such book", "_entities", 0, at=(1, 33))

    await federated(schema).gives(
        TEXT,
        {"_entities": [None, {"id": "2", "reviewsCount": 3}]},
        Outcome.REPLAYED,
        errors=[error],
        variable_values=references(Book={"id": "none"}, Counted={"id": "2"}),
    )
