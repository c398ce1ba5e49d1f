"""`Maybe` tells a field that is absent from one that is null."""

from typing import Any

import pytest
import strawberry

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.input
class Update:
    name: str | None = None
    title: strawberry.Maybe[str]
    phone: strawberry.Maybe[str | None]
    tags: strawberry.Maybe[list[str] | None]


@strawberry.type
class Query:
    @strawberry.field
    def update(self, input: Update) -> str:
        return f"{input.name} {input.title} {input.phone} {input.tags}"

    @strawberry.field
    def find(self, name: strawberry.Maybe[str | None] = None) -> str:
        return f"{name}"


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({}, "None None None None"),
        ({"name": None, "phone": None}, "None None Some(None) None"),
        ({"title": "Dr", "phone": "1"}, "None Some('Dr') Some('1') None"),
        ({"tags": ["a"]}, "None None None Some(['a'])"),
        ({"tags": None}, "None None None Some(None)"),
    ],
)
async def test_absent_and_null_differ(schema: Make, given: dict[str, Any], seen: str) -> None:
    text = "query ($input: Update!) { update(input: $input) }"

    await schema(Query).gives(text, {"update": seen}, Outcome.COMPILED, variable_values={"input": given})


@pytest.mark.parametrize(
    ("text", "variables", "seen"),
    [
        ("{ find }", {}, "None"),
        ("{ find(name: null) }", {}, "Some(None)"),
        ('{ find(name: "Ada") }', {}, "Some('Ada')"),
        ("query ($name: String) { find(name: $name) }", {}, "None"),
        ("query ($name: String) { find(name: $name) }", {"name": None}, "Some(None)"),
    ],
)
async def test_arguments_may_be_absent(schema: Make, text: str, variables: dict[str, Any], seen: str) -> None:
    await schema(Query).gives(text, {"find": seen}, Outcome.COMPILED, variable_values=variables)


async def test_null_is_refused_where_it_is_no_value(schema: Make) -> None:
    result = await schema(Query).result("{ update(input: {title: null}) }")

    assert result.data is None
    assert [error.message.split(".")[0] for error in result.errors] == ["Expected value of type 'str', found null"]


async def test_null_in_a_variable_is_refused_before_the_resolver(schema: Make) -> None:
    text = "query ($input: Update!) { update(input: $input) }"
    api = schema(Query)

    result = await api.result(text, variable_values={"input": {"title": None}})

    assert result.data is None
    assert [error.path for error in result.errors] == [["update"]]
    api.was_executed(Outcome.RECOVERED)
