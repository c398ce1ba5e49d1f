"""Entity interfaces, and interface objects that extend those of other services."""

import strawberry
from strawberry import federation

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@federation.interface(keys=["id"])
class Media:
    id: strawberry.ID


@federation.type(keys=["id"])
class Film(Media):
    title: str

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Film":
        return Film(id=id, title=f"Film {id}")


@federation.interface_object(keys=["id"])
class Product:
    id: strawberry.ID
    name: str

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Product":
        return Product(id=id, name="My Product")


@strawberry.type
class Query:
    @strawberry.field
    def media(self) -> list[Media]:
        return [Film(id=strawberry.ID("1"), title="One")]


async def test_interfaces_and_their_objects_are_resolved(schema: Make) -> None:
    text = """{
        media { __typename id ... on Film { title } }
        _entities(representations: [{__typename: "Product", id: "3"}, {__typename: "Film", id: "4"}]) {
            __typename ... on Product { name } ... on Film { title }
        }
    }"""
    data = {
        "media": [{"__typename": "Film", "id": "1", "title": "One"}],
        "_entities": [{"__typename": "Product", "name": "My Product"}, {"__typename": "Film", "title": "Film 4"}],
    }

    await schema(Query, base=federation.Schema, types=[Film, Product]).gives(text, data, Outcome.COMPILED)
