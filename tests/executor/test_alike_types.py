"""Possible types that are completed by the same code share it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import strawberry
from graphql import parse

from mainsheet.executor import Executor, Outcome, Prepared, Request, core_schema, refer

QUERY = """{
  items { __typename kind: __typename name tags thing { __typename name } ... on Other { number } }
}"""


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Small(Named):
    pass


@strawberry.type
class Large(Named):
    pass


@strawberry.interface
class Item(Named):
    tags: list[str]
    thing: Named


def made(name: str, thing: type[Any]) -> type[Any]:
    return strawberry.type(type(name, (Item,), {"__annotations__": {"thing": thing}}))


ALIKE = [made(f"Alike{number}", Small) for number in range(3)]
SIMILAR = made("Similar", Large)


@strawberry.type
class Other(Item):
    number: int


def executor(types: Sequence[type[Any]], *, believes_rows: bool, outcomes: list[Outcome]) -> tuple[Any, Executor]:
    @strawberry.type
    class Query:
        @strawberry.field
        def items(self) -> list[Item]:
            found = [each(name="n", tags=["a", "b"], thing=Small(name="s")) for each in ALIKE]
            large = SIMILAR(name="o", tags=[], thing=Large(name="l"))
            return [*found, large, Other(name="p", tags=["c"], thing=Small(name="t"), number=1)]

    api = strawberry.Schema(Query, types=[*types, Small, Large, Other])
    return api, Executor(api, believes_rows=believes_rows, observe=outcomes.append)


def prepared(api: strawberry.Schema) -> Prepared:
    document = parse(QUERY)
    operation: Any = document.definitions[0]
    return Prepared(core_schema(api), document, operation)


@pytest.mark.parametrize("believes_rows", [True, False])
async def test_each_type_keeps_its_own_name(believes_rows: bool) -> None:
    outcomes: list[Outcome] = []
    api, ours = executor([*ALIKE, SIMILAR], believes_rows=believes_rows, outcomes=outcomes)

    result = await ours.execute(Request(prepared(api)))

    assert result == await refer(api, Request(prepared(api)))
    assert result.data
    assert [each["kind"] for each in result.data["items"]] == ["Alike0", "Alike1", "Alike2", "Similar", "Other"]
    assert outcomes == [Outcome.COMPILED]


@pytest.mark.parametrize("believes_rows", [True, False])
async def test_an_error_names_the_type_of_its_object(believes_rows: bool) -> None:
    @strawberry.type
    class Query:
        @strawberry.field
        def items(self) -> list[Item | None]:
            small: Any = Small(name="s")
            nameless: Any = None
            names = ["n", nameless, "o"]
            return [each(name=name, tags=["a"], thing=small) for each, name in zip(ALIKE, names, strict=True)]

    outcomes: list[Outcome] = []
    api = strawberry.Schema(Query, types=[*ALIKE, SIMILAR, Small, Large, Other])
    ours = Executor(api, believes_rows=believes_rows, observe=outcomes.append)

    result = await ours.execute(Request(prepared(api)))

    assert result == await refer(api, Request(prepared(api)))
    assert [error.message for error in result.errors or ()] == [
        "Cannot return null for non-nullable field Alike1.name."
    ]
    assert result.data
    assert [each and each["kind"] for each in result.data["items"]] == ["Alike0", None, "Alike2"]
    assert outcomes == [Outcome.RECOVERED]


async def test_code_does_not_grow_with_the_number_of_alike_types() -> None:
    grown: list[int] = []

    for count in (0, 40):
        more = [made(f"More{number}", Small) for number in range(count)]
        api, ours = executor([*ALIKE, SIMILAR, *more], believes_rows=True, outcomes=[])
        operation = prepared(api)
        operation.grew = grown.append
        await ours.execute(Request(operation))

    assert grown[0] == grown[1]


@dataclass
class Unhashable:
    """A resolver that equals others, and so has no hash."""

    number: int
    __name__ = __qualname__ = "number"

    def __call__(self) -> int:
        return self.number


class Equal(Unhashable):
    """A resolver that equals all of its class."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Equal)

    def __hash__(self) -> int:
        return 1


@pytest.mark.parametrize("kind", [Unhashable, Equal])
async def test_resolvers_that_equal_each_other_stay_apart(kind: type[Unhashable]) -> None:
    @strawberry.interface
    class Numbered:
        number: int

    @strawberry.type
    class One(Numbered):
        number: int = strawberry.field(resolver=kind(1))

    @strawberry.type
    class Two(Numbered):
        number: int = strawberry.field(resolver=kind(2))

    @strawberry.type
    class Query:
        @strawberry.field
        def items(self) -> list[Numbered]:
            return [One(), Two()]

    api = strawberry.Schema(Query, types=[One, Two])
    document = parse("{ items { number } }")
    (node,) = document.definitions

    result = await Executor(api).execute(Request(Prepared(core_schema(api), document, node)))  # type: ignore[arg-type]  # an operation

    assert result.data == {"items": [{"number": 1}, {"number": 2}]}
