"""`@skip` and `@include` are compiled. Schemas with directives of their own are handed over."""

from typing import Any

import pytest
import strawberry
from strawberry.directive import DirectiveLocation, DirectiveValue
from strawberry.types import Info

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Person:
    name: str
    points: int = 3


@strawberry.type
class Query:
    @strawberry.field
    def person(self) -> Person:
        return Person(name="Jess")

    @strawberry.field
    async def later(self) -> Person:
        return Person(name="Jess")


@strawberry.directive(locations=[DirectiveLocation.FIELD], description="Make a text uppercase")
def turn_uppercase(value: DirectiveValue[str]) -> str:
    return value.upper()


@strawberry.directive(locations=[DirectiveLocation.FIELD])
def replace(value: DirectiveValue[str], old: str, new: str) -> str:
    return value.replace(old, new)


@strawberry.directive(locations=[DirectiveLocation.FIELD])
def prefixed(value: DirectiveValue[str], info: Info) -> str:
    return f"{info.context}{value}"


@pytest.mark.parametrize(
    ("text", "variables", "data"),
    [
        ("query ($y: Boolean!) { person { name points @include(if: $y) } }", {"y": False}, {"name": "Jess"}),
        (
            "query ($y: Boolean!) { person { name points @include(if: $y) } }",
            {"y": True},
            {"name": "Jess", "points": 3},
        ),
        ("query ($y: Boolean!) { person { name @skip(if: $y) points } }", {"y": True}, {"points": 3}),
        ("query ($y: Boolean!) { person { name ... @skip(if: $y) { points } } }", {"y": True}, {"name": "Jess"}),
        (
            "query ($y: Boolean!) { person { points ...F @include(if: $y) } } fragment F on Person { name }",
            {"y": True},
            {"points": 3, "name": "Jess"},
        ),
        ("query ($y: Boolean! = true) { person { points name @skip(if: $y) @include(if: true) } }", {}, {"points": 3}),
    ],
)
async def test_fields_are_skipped_and_included(schema: Make, text: str, variables: dict[str, Any], data: Any) -> None:
    await schema(Query).gives(text, {"person": data}, Outcome.COMPILED, variable_values=variables)


DIRECTIVES = [turn_uppercase, replace, prefixed]
PEOPLE = """query People($identified: Boolean!) {
    person { name @turnUppercase }
    jess: person { name @replace(old: "Jess", new: "Jessica") @turnUppercase }
    johnDoe: person { name @replace(old: "Jess", new: "John") @include(if: $identified) points }
    prefixed: person { name @prefixed }
}"""


@pytest.mark.parametrize("identified", [True, False])
async def test_directives_change_values(schema: Make, identified: bool) -> None:
    data = {
        "person": {"name": "JESS"},
        "jess": {"name": "JESSICA"},
        "johnDoe": {"name": "John", "points": 3} if identified else {"points": 3},
        "prefixed": {"name": "> Jess"},
    }

    await schema(Query, directives=DIRECTIVES).gives(
        PEOPLE, data, None, variable_values={"identified": identified}, context_value="> "
    )


async def test_directives_change_what_was_awaited(async_schema: Make) -> None:
    await async_schema(Query, directives=DIRECTIVES).gives(
        "{ later { name @turnUppercase } }", {"later": {"name": "JESS"}}, None
    )
