"""The schema of these tests: a type with fields of every kind, and a root type with the same fields."""

import asyncio
from enum import Enum
from typing import Annotated, Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from tests.executor.specification import rows
from tests.executor.specification.relation import Context, asked, related
from tests.executor.specification.rows import (
    Row,
    by_keys,
    factor,
    failing,
    found,
    id_alone,
    multiple,
    multiples,
    tenfold,
    texts,
)

Even = NewType("Even", int)
Text = NewType("Text", str)
Int = int  # in the type below, `int` and `float` are fields
Float = float


def even(value: Any) -> Any:
    """A coercion that refuses odd numbers and returns None for zero."""
    if value % 2:
        raise ValueError(f"{value} is odd")
    return value or None


@strawberry.enum
class Mood(Enum):
    HAPPY = "happy"
    SAD = "sad"


@strawberry.enum
class Size(Enum):
    SMALL = 1
    LARGE = 2


@strawberry.input
class Point:
    x: int
    y: int = 2
    label: str | None = strawberry.UNSET
    inner: "Point | None" = strawberry.UNSET


def given(**values: Any) -> dict[str, Any]:
    """The arguments that a resolver got, without omitted ones."""
    return {name: plain(value) for name, value in values.items() if value is not strawberry.UNSET}


def plain(value: Any) -> Any:
    match value:
        case Point():
            return given(**vars(value))
        case list():
            return list(map(plain, value))
        case Enum():
            return repr(value)
    return value


Thing = Annotated["_Thing", strawberry.lazy("tests.executor.specification.world")]
Strict = Annotated["_Strict", strawberry.lazy("tests.executor.specification.world")]
Animal = Annotated["_Animal", strawberry.lazy("tests.executor.specification.world")]
Pet = Annotated[
    Annotated["Dog", strawberry.lazy("tests.executor.specification.world")]
    | Annotated["Cat", strawberry.lazy("tests.executor.specification.world")],
    strawberry.union("Pet"),
]


@strawberry.type
class Everything:
    int: Int | None
    float: Float | None
    string: str | None
    boolean: bool | None
    id: strawberry.ID | None
    mood: Mood | None
    size: Size | None
    even: Even | None
    text: Text | None
    json: JSON | None
    must: str
    must_even: Even

    ints: list[Int | None] | None
    ints_items: list[Int] | None = strawberry.field(name="intsItems")
    ints_list: list[Int | None] = strawberry.field(name="intsList")
    ints_both: list[Int] = strawberry.field(name="intsBoth")
    matrix: list[list[Int | None] | None] | None
    matrix_items: list[list[Int]] | None
    moods: list[Mood] | None

    thing: Thing | None
    thing_must: Thing
    things: list[Thing | None] | None
    things_items: list[Thing] | None
    thing_lists: list[list[Thing | None] | None] | None
    strict: Strict | None
    animal: Animal | None
    animals: list[Animal | None] | None
    pet: Pet | None
    pets: list[Pet] | None

    child = related(by_keys, Thing | None, "child_id")
    child_must = related(by_keys, Thing, "child_id")
    children = related(by_keys, list[Thing | None] | None, "children_id")
    children_items = related(by_keys, list[Thing] | None, "children_id")
    child_lists = related(by_keys, list[list[Thing]] | None, "children_id")
    child_animal = related(by_keys, Animal | None, "animal_id")
    child_animals = related(by_keys, list[Animal] | None, "animals_id")
    child_pet = related(by_keys, Pet | None, "animal_id")
    child_text = related(by_keys, str | None, "text_id")
    broken = related(failing, Thing | None, "child_id")
    broken_must = related(failing, Thing, "child_id")
    find = asked(found, by_keys, None, Thing | None, id_alone)
    multiple_must = asked(multiple, multiples, "int", Int, factor)
    multiple = asked(multiple, multiples, "int", Int | None, factor)  # from here on, the name is the field's
    tenfold = asked(tenfold, multiples, "int", Int | None, lambda *, times=10: times)
    repr = asked(rows.text, texts, "int", str | None, lambda *, value: value)

    @strawberry.field
    def fails(self) -> str | None:
        raise ValueError("it fails")

    @strawberry.field
    def fails_must(self) -> str:
        raise ValueError("it must not fail")

    @strawberry.field
    def fails_with(self) -> str | None:
        raise GraphQLError("it fails", extensions={"code": "WHY"})

    @strawberry.field(graphql_type=Thing | None)
    def myself(self) -> Any:
        return self

    @strawberry.field(graphql_type=str | None)
    def exactly(self, value: JSON) -> Any:
        return value

    @strawberry.field(graphql_type=list[str] | None)
    def words(self) -> Any:
        yield "one"
        yield "two"

    @strawberry.field(graphql_type=JSON)
    def arguments(
        self,
        int: Int | None = strawberry.UNSET,
        float: Float | None = strawberry.UNSET,
        string: str | None = strawberry.UNSET,
        mood: Mood | None = strawberry.UNSET,
        ints: list["Int | None"] | None = strawberry.UNSET,
        point: Point | None = strawberry.UNSET,
        points: list[Point] | None = strawberry.UNSET,
        even: Even | None = strawberry.UNSET,
        default: "Int | None" = 7,
    ) -> Any:
        return given(
            int=int, float=float, string=string, mood=mood, ints=ints, point=point, points=points, even=even,
            default=default,
        )  # fmt: skip

    @strawberry.field
    def needs(self, value: Int) -> Int | None:
        return value

    @strawberry.field
    async def later(self) -> str | None:
        await asyncio.sleep(0)
        return "later"

    @strawberry.field
    async def fails_later(self) -> str | None:
        await asyncio.sleep(0)
        raise ValueError("it fails later")

    @strawberry.field(graphql_type=JSON)
    def where(self, info: Info) -> Any:
        return info.path.as_list()


@strawberry.type(name="Thing")
class _Thing(Everything):
    pass


@strawberry.type(name="Strict")
class _Strict:
    string: str | None

    @classmethod
    def is_type_of(cls, row: Any, _info: Any) -> bool:
        return bool(row.kind == "Strict")


@strawberry.interface(name="Animal")
class _Animal:
    name: str
    child = related(by_keys, Thing | None, "child_id")

    @classmethod
    def is_type_of(cls, row: Any, _info: Any) -> bool:
        return bool(row.kind == cls.__name__)


@strawberry.type
class Dog(_Animal):
    barks: bool | None
    owner = related(by_keys, Thing | None, "owner_id")
    must: str


@strawberry.type
class Cat(_Animal):
    lives: int | None
    owner = related(by_keys, Thing | None, "owner_id")


@strawberry.type
class Query(Everything):
    pass


@strawberry.type
class Counter:
    value: int
    thing = related(by_keys, Thing | None, "child_id")
    broken = related(failing, Thing | None, "child_id")
    must: str


@strawberry.type
class Mutation:
    @strawberry.mutation(graphql_type=Counter)
    def add(self, info: Info[Context, Any], number: int) -> Any:
        return changed(info, number)

    @strawberry.mutation(graphql_type=Counter | None)
    async def add_later(self, info: Info[Context, Any], number: int) -> Any:
        before = changed(info, number)
        for _ in range(3):
            await asyncio.sleep(0)
        info.context.called.append(f"{number} is added")
        return before

    @strawberry.mutation(graphql_type=Counter | None)
    def refuse(self) -> Any:
        raise ValueError("refused")

    @strawberry.mutation(graphql_type=Counter)
    def refuse_must(self) -> Any:
        raise ValueError("refused, and must not be")


def changed(info: Info[Context, Any], number: int) -> Row:
    info.context.called.append(f"add {number}")
    return Row(value=number, child_id="a")


api = strawberry.Schema(
    Query,
    Mutation,
    types=[Dog, Cat],
    config=StrawberryConfig(
        scalar_map={
            Even: strawberry.scalar(name="Even", serialize=even, parse_value=even),
            Text: strawberry.scalar(name="Text", serialize=str, parse_value=str),
        }
    ),
)
