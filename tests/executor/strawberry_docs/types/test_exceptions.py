"""Exceptions of the execution are errors with the message that the page gives."""

from collections.abc import Sequence

import pytest
import strawberry
from strawberry.dataloader import DataLoader
from strawberry.exceptions import MissingQueryError

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Outside:
    c: int


@strawberry.type
class A:
    a: int


@strawberry.type
class B:
    b: int


async def two(keys: Sequence[int]) -> list[int]:
    return [1, 2]


@strawberry.type
class Query:
    attribute: A | B | None = None

    @strawberry.field
    def hello(self) -> A | B:
        return Outside(c=5)  # type: ignore[return-value]

    @strawberry.field
    async def loaded(self) -> int | None:
        return await DataLoader(two).load(1)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def hello(self) -> A | B:
        return Outside(c=5)  # type: ignore[return-value]


UNALLOWED = f"""The type "{Outside}" of the field "hello" is not in the list of the types of the union: "['A', 'B']\""""


async def test_an_object_that_is_no_member_of_a_union(schema: Make) -> None:
    error = said(UNALLOWED, "hello", at=(1, 3))

    await schema(Query).gives("{ hello { __typename ... on A { a } } }", None, Outcome.REPLAYED, errors=[error])


async def test_a_mutation_that_returns_no_member_of_a_union(schema: Make) -> None:
    error = said(UNALLOWED, "hello", at=(1, 12))

    await schema(Query, Mutation).gives(
        "mutation { hello { __typename ... on B { b } } }", None, Outcome.PARTS, errors=[error]
    )


async def test_a_value_that_is_no_object(schema: Make) -> None:
    message = (
        'The type "<class \'str\'>" cannot be resolved for the field "attribute" , are you using a strawberry.field?'
    )

    await schema(Query).gives(
        "{ attribute { __typename } }",
        {"attribute": None},
        Outcome.REPLAYED,
        errors=[said(message, "attribute", at=(1, 3))],
        root_value=Query(attribute="ciao"),  # type: ignore[arg-type]
    )


async def test_a_loader_that_returns_another_number_of_results(async_schema: Make) -> None:
    message = "Received wrong number of results in dataloader, expected: 1, received: 2"

    await async_schema(Query).gives(
        "{ loaded }", {"loaded": None}, Outcome.REPLAYED, errors=[said(message, "loaded", at=(1, 3))]
    )


@pytest.mark.parametrize("text", [None, ""])
async def test_a_request_without_a_query(schema: Make, text: str | None) -> None:
    with pytest.raises(MissingQueryError, match='Request data is missing a "query" value'):
        await schema(Query).result(text)
