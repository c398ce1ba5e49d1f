"""`UNSET` is what a field that isn't given has by default."""

from typing import Any

import pytest
import strawberry

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.input
class Update:
    name: str | None = strawberry.UNSET
    phone: str | None = strawberry.UNSET


@strawberry.type
class Query:
    @strawberry.field
    def update(self, input: Update) -> list[bool]:
        return [input.name is strawberry.UNSET, input.phone is strawberry.UNSET, input.phone is None]

    @strawberry.field
    def find(self, name: str | None = strawberry.UNSET) -> str:
        return "unset" if name is strawberry.UNSET else f"{name}"


@pytest.mark.parametrize(
    ("text", "variables", "data"),
    [
        ("{ update(input: {}) }", {}, {"update": [True, True, False]}),
        ("{ update(input: {phone: null}) }", {}, {"update": [True, False, True]}),
        ("query ($x: Update!) { update(input: $x) }", {"x": {"name": "Ada"}}, {"update": [False, True, False]}),
        ("{ find }", {}, {"find": "unset"}),
        ("{ find(name: null) }", {}, {"find": "None"}),
        ("query ($name: String) { find(name: $name) }", {}, {"find": "unset"}),
    ],
)
async def test_what_is_not_given_is_unset(schema: Make, text: str, variables: dict[str, Any], data: Any) -> None:
    await schema(Query).gives(text, data, Outcome.COMPILED, variable_values=variables)
