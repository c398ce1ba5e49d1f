"""Object types refer to each other, and have the name of their class or a name of their own."""

import strawberry

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Character:
    name: str
    age: int


@strawberry.type(name="Novel", description="A book with a hero.")
class Book:
    title: str
    main_character: Character
    others: list[Character | None]


@strawberry.type
class Query:
    book: Book
    sequel: Book | None = None


BOOK = Book(title="Emma", main_character=Character(name="Emma", age=20), others=[None, Character(name="Ann", age=60)])
ROOT = Query(book=BOOK)


async def test_fields_are_read_from_attributes(schema: Make) -> None:
    text = "{ book { title mainCharacter { age name } others { name } } sequel { title } }"
    data = {
        "book": {"title": "Emma", "mainCharacter": {"age": 20, "name": "Emma"}, "others": [None, {"name": "Ann"}]},
        "sequel": None,
    }

    await schema(Query).gives(text, data, Outcome.COMPILED, root_value=ROOT)


async def test_types_have_the_given_name(schema: Make) -> None:
    data = {"__typename": "Query", "book": {"__typename": "Novel", "mainCharacter": {"__typename": "Character"}}}

    await schema(Query).gives(
        "{ __typename book { __typename mainCharacter { __typename } } }", data, Outcome.COMPILED, root_value=ROOT
    )


async def test_descriptions_are_found_by_introspection(schema: Make) -> None:
    data = {"__type": {"description": "A book with a hero."}}

    await schema(Query).gives('{ __type(name: "Novel") { description } }', data, Outcome.REFERENCE, root_value=ROOT)
