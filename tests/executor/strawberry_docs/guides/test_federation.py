"""A federated schema serves its fields, its SDL, and the entities of other services."""

from types import SimpleNamespace
from typing import Any

import strawberry
from strawberry import federation
from strawberry.extensions import DisableIntrospection

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Api, Make


@strawberry.type
class Review:
    id: int
    body: str


def get_reviews(root: "Book") -> list[Review]:
    return [Review(id=number, body=f"A review for {root.id}") for number in range(root.reviews_count)]


@federation.type(keys=["id"])
class Book:
    id: strawberry.ID
    reviews_count: int
    reviews: list[Review] = strawberry.field(resolver=get_reviews)

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Book":
        return Book(id=id, reviews_count=2)


@strawberry.type
class Query:
    hi: str = strawberry.field(resolver=lambda: "Hello World!")

    @strawberry.field
    def all_books(self) -> list[Book]:
        return [Book(id=strawberry.ID("1"), reviews_count=1)]

    @strawberry.field(graphql_type=Book)
    def stored(self) -> Any:
        return SimpleNamespace(id="2", reviews_count=1)


def federated(schema: Make, **options: Any) -> Api:
    return schema(Query, base=federation.Schema, types=[Book, Review], **options)


async def test_fields_are_compiled(schema: Make) -> None:
    await federated(schema).gives(
        "{ hi allBooks { id reviews { body } } stored { reviews { id } } }",
        {
            "hi": "Hello World!",
            "allBooks": [{"id": "1", "reviews": [{"body": "A review for 1"}]}],
            "stored": {"reviews": [{"id": 0}]},
        },
        Outcome.COMPILED,
    )


async def test_entities_are_resolved_by_their_references(schema: Make) -> None:
    text = """query ($references: [_Any!]!) {
        _entities(representations: $references) { __typename ... on Book { id reviewsCount reviews { body } } }
    }"""
    books = [
        {"__typename": "Book", "id": id_, "reviewsCount": 2, "reviews": [{"body": f"A review for {id_}"}] * 2}
        for id_ in ("1", "7")
    ]

    await federated(schema).gives(
        text,
        {"_entities": books},
        Outcome.COMPILED,
        variable_values={"references": [{"__typename": "Book", "id": id_} for id_ in ("1", "7")]},
    )


async def test_the_sdl_is_served(schema: Make) -> None:
    for extensions in ([], [DisableIntrospection]):
        api = federated(schema, extensions=extensions)

        result = await api.result("{ _service { sdl } }")

        assert 'type Book @key(fields: "id")' in result.data["_service"]["sdl"]
        api.was_executed(Outcome.COMPILED)
