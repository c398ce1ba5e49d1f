"""A type that extends one of another service, with an external field."""

import strawberry
from strawberry import federation

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@federation.type(extend=True, keys=["id"])
class Book:
    id: strawberry.ID = federation.field(external=True)
    reviews_count: int

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Book":
        return Book(id=id, reviews_count=3)


@strawberry.type
class Query:
    @strawberry.field
    def hi(self) -> str:
        return "Hello world!"


async def test_an_extended_type_is_an_entity(schema: Make) -> None:
    await schema(Query, base=federation.Schema, types=[Book]).gives(
        '{ hi _entities(representations: [{__typename: "Book", id: "5"}]) { ... on Book { id reviewsCount } } }',
        {"hi": "Hello world!", "_entities": [{"id": "5", "reviewsCount": 3}]},
        Outcome.COMPILED,
    )
