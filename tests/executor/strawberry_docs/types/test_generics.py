"""A generic type is a GraphQL type for each of its arguments."""

from typing import Annotated, Generic, TypeVar

import strawberry

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make

T = TypeVar("T")


@strawberry.type
class Page(Generic[T]):
    number: int
    items: list[T]

    @strawberry.field
    def last(self) -> T | None:
        return self.items[-1] if self.items else None


@strawberry.type
class User:
    name: str


@strawberry.type
class SpecialUsers(Page[User]):
    pass


@strawberry.input
class Collection(Generic[T]):
    values: list[T]


@strawberry.input
class Post:
    name: str


@strawberry.input
class Point(Generic[T]):
    x: T
    y: T


@strawberry.type
class Edge(Generic[T]):
    node: T


@strawberry.type
class Query:
    @strawberry.field
    def users(self) -> Page[User]:
        return Page(number=1, items=[User(name="Ada"), User(name="Bob")])

    @strawberry.field
    def numbers(self) -> Page[int]:
        return Page(number=2, items=[1, 2])

    @strawberry.field
    def special(self) -> SpecialUsers:
        return SpecialUsers(number=3, items=[User(name="Cyd")])

    @strawberry.field
    def posts(self, posts: Collection[Post]) -> list[str]:
        return [each.name for each in posts.values]

    @strawberry.field
    def line(self, a: Point[float], b: Point[int]) -> str:
        return f"{a.x} {a.y} {b.x} {b.y}"

    @strawberry.field
    def either(self, edge: bool) -> Annotated[Edge[User] | Page[int], strawberry.union("Either")]:
        return Edge(node=User(name="Dan")) if edge else Page(number=1, items=[7])


async def test_each_argument_makes_a_type(schema: Make) -> None:
    text = """{
        users { __typename number items { name } last { name } }
        numbers { __typename items last }
        special { __typename items { name } }
    }"""
    data = {
        "users": {
            "__typename": "UserPage",
            "number": 1,
            "items": [{"name": "Ada"}, {"name": "Bob"}],
            "last": {"name": "Bob"},
        },
        "numbers": {"__typename": "IntPage", "items": [1, 2], "last": 2},
        "special": {"__typename": "SpecialUsers", "items": [{"name": "Cyd"}]},
    }

    await schema(Query).gives(text, data, Outcome.COMPILED)


async def test_inputs_are_generic(schema: Make) -> None:
    text = '{ posts(posts: {values: [{name: "a"}, {name: "b"}]}) line(a: {x: 1, y: 2.5}, b: {x: 3, y: 4}) }'

    await schema(Query).gives(text, {"posts": ["a", "b"], "line": "1.0 2.5 3 4"}, Outcome.COMPILED)


async def test_a_union_has_generic_members(schema: Make) -> None:
    text = """{
        a: either(edge: true) { ...F } b: either(edge: false) { ...F }
    }
    fragment F on Either { __typename ... on UserEdge { node { name } } ... on IntPage { items } }"""
    data = {
        "a": {"__typename": "UserEdge", "node": {"name": "Dan"}},
        "b": {"__typename": "IntPage", "items": [7]},
    }

    await schema(Query).gives(text, data, Outcome.COMPILED)
