"""A resolver is a function or a method. Its parameters are arguments, and `Info`, by any name."""

from typing import Annotated, Any

import pytest
import strawberry
from graphql import print_ast

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class User:
    name: str
    first_name: str = "Ada"

    @strawberry.field
    def described(self, execution: strawberry.Info) -> str:
        return f"{self.name} {execution.field_name}"


def last_user() -> User:
    return User(name="Marco")


def full_name(root: User, info: strawberry.Info) -> str:
    return f"{root.first_name} {root.name} {info.field_name} {info.python_name}"


@strawberry.type
class Named(User):
    full_name: str = strawberry.field(resolver=full_name)


@strawberry.type
class Query:
    last_user: User = strawberry.field(resolver=last_user)

    @strawberry.field
    def named(self) -> Named:
        return Named(name="Lovelace")

    @strawberry.field
    def user(self, id: strawberry.ID) -> User:
        return User(name=f"{type(id).__name__} {id}")

    @strawberry.field
    def hello(self, name: str | None = None) -> str:
        return f"Hello {name}!"

    @strawberry.field
    def greet(
        self,
        is_morning: Annotated[
            bool | None, strawberry.argument(name="morning", deprecation_reason="It is known.")
        ] = None,
    ) -> str:
        return f"{is_morning}"

    @strawberry.field
    def told(self, info: strawberry.Info, first_letter: str) -> list[str]:
        [selected] = info.selected_fields
        return [
            info.field_name,
            info.python_name,
            repr(info.context),
            repr(info.root_value),
            repr(info.variable_values),
            str(info.query),
            print_ast(info.operation),
            str(info.path.as_list()),
            f"{selected.name} {selected.alias} {selected.arguments}",  # type: ignore[union-attr]
            str(info.schema.query is Query),
        ]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("{ lastUser { name } }", {"lastUser": {"name": "Marco"}}),
        ("{ user(id: 5) { name } }", {"user": {"name": "str 5"}}),
        ("{ hello }", {"hello": "Hello None!"}),
        ("{ hello(name: null) }", {"hello": "Hello None!"}),
        ('{ hello(name: "Ada") }', {"hello": "Hello Ada!"}),
        ("{ greet(morning: true) }", {"greet": "True"}),
        ("{ greet }", {"greet": "None"}),
        ("{ lastUser { described } }", {"lastUser": {"described": "Marco described"}}),
        ("{ named { fullName } }", {"named": {"fullName": "Ada Lovelace fullName full_name"}}),
    ],
)
async def test_resolvers_are_called_with_their_arguments(schema: Make, text: str, data: Any) -> None:
    await schema(Query).gives(text, data, Outcome.COMPILED)


async def test_info_tells_of_the_execution(schema: Make) -> None:
    text = 'query Q($x: String! = "a") {\n  here: told(firstLetter: $x)\n}'
    told = [
        "told",
        "told",
        "'the context'",
        "'the root'",
        "{'x': 'a'}",
        text,
        text,
        "['here']",
        "told here {'firstLetter': 'a'}",
        "True",
    ]

    await schema(Query).gives(
        text, {"here": told}, Outcome.COMPILED, context_value="the context", root_value="the root"
    )
