"""Enums are named by their members, by their values, or by names of their own."""

from enum import Enum
from typing import Any

import pytest
import strawberry

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


@strawberry.enum
class Flavour(Enum):
    VANILLA = strawberry.enum_value("vanilla")
    CHOCOLATE_COOKIE = strawberry.enum_value("chocolate", name="chocolateCookie")
    STRAWBERRY = strawberry.enum_value("strawberry", deprecation_reason="Let's call the whole thing off")


@strawberry.enum(graphql_name_from="value")
class Size(Enum):
    SMALL = "s"
    LARGE = "l"


class Elsewhere(Enum):
    ONE = 1
    TWO = 2


@strawberry.type
class Cone:
    flavour: Flavour
    size: Size
    number: Elsewhere


@strawberry.type
class Query:
    @strawberry.field
    def cone(
        self, flavour: Flavour = Flavour.VANILLA, size: Size = Size.LARGE, number: Elsewhere = Elsewhere.TWO
    ) -> Cone:
        assert isinstance(flavour, Flavour)
        assert isinstance(size, Size)
        assert isinstance(number, Elsewhere)
        return Cone(flavour=flavour, size=size, number=number)

    @strawberry.field
    def flavours(self) -> list[Flavour]:
        return [*Flavour]

    @strawberry.field
    def by_values(self) -> list[Flavour | None]:
        return ["vanilla", "chocolate"]  # type: ignore[list-item]

    @strawberry.field
    def unknown(self) -> Flavour | None:
        return "pistachio"  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("text", "variables", "data"),
    [
        ("{ cone { flavour size number } }", {}, {"cone": {"flavour": "VANILLA", "size": "l", "number": "TWO"}}),
        (
            "{ cone(flavour: chocolateCookie, size: s, number: ONE) { flavour size number } }",
            {},
            {"cone": {"flavour": "chocolateCookie", "size": "s", "number": "ONE"}},
        ),
        (
            "query ($f: Flavour!, $s: Size!) { cone(flavour: $f, size: $s) { flavour size } }",
            {"f": "STRAWBERRY", "s": "s"},
            {"cone": {"flavour": "STRAWBERRY", "size": "s"}},
        ),
        ("{ flavours }", {}, {"flavours": ["VANILLA", "chocolateCookie", "STRAWBERRY"]}),
        ("{ byValues }", {}, {"byValues": ["VANILLA", "chocolateCookie"]}),
    ],
)
async def test_members_have_names(schema: Make, text: str, variables: dict[str, Any], data: Any) -> None:
    await schema(Query).gives(text, data, Outcome.COMPILED, variable_values=variables)


async def test_a_value_without_a_member_is_an_error(schema: Make) -> None:
    error = said("Enum 'Flavour' cannot represent value: 'pistachio'", "unknown", at=(1, 3))

    await schema(Query).gives("{ unknown }", {"unknown": None}, Outcome.RECOVERED, errors=[error])


async def test_a_name_that_is_not_the_given_one_is_refused(schema: Make) -> None:
    message = (
        "Value 'CHOCOLATE_COOKIE' does not exist in 'Flavour' enum. Did you mean the enum value 'chocolateCookie'?"
    )

    await schema(Query).gives(
        "{ cone(flavour: CHOCOLATE_COOKIE) { size } }", None, None, errors=[said(message, at=(1, 17))]
    )
