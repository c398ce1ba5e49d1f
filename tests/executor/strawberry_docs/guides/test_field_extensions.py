"""Field extensions wrap the resolver of a field: the last one is called first."""

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


class Upper(FieldExtension):
    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **given: Any) -> Any:
        return str(next_(source, info, **given)).upper()

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: strawberry.Info, **given: Any
    ) -> Any:
        return str(await next_(source, info, **given)).upper()


class Marking(FieldExtension):
    def __init__(self, mark: str) -> None:
        self.mark = mark

    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **given: Any) -> Any:
        return f"{self.mark}{next_(source, info, **given)}{self.mark}"


class AsyncOnly(FieldExtension):
    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: strawberry.Info, **given: Any
    ) -> Any:
        return f"async {await next_(source, info, **given)}"


class Doubling(FieldExtension):
    """Changes an argument."""

    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **given: Any) -> Any:
        return next_(source, info, number=given["number"] * 2)


@strawberry.schema_directive(locations=[Location.FIELD_DEFINITION])
class Cached:
    time: int = 100


class Caching(FieldExtension):
    def __init__(self) -> None:
        self.results: list[Any] = []

    def apply(self, field: StrawberryField) -> None:
        field.directives.append(Cached(time=200))

    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **given: Any) -> Any:
        if not self.results:
            self.results.append(next_(source, info, **given))
        return self.results[0]


@strawberry.type
class Item:
    number: int

    @strawberry.field(extensions=[Upper()])
    def shout(self, info: strawberry.Info) -> str:
        return f"{info.field_name} {self.number}"


@strawberry.type
class Query:
    attribute: str = strawberry.field(default="attribute", extensions=[Upper()])

    @strawberry.field(extensions=[Upper()])
    def string(self) -> str:
        return "This is a test!!"

    @strawberry.field(extensions=[Marking("a"), Marking("b")])
    def marked(self) -> str:
        return "-"

    @strawberry.field(extensions=[Doubling()])
    def doubled(self, number: int = 2) -> int:
        return number

    @strawberry.field(extensions=[Upper()])
    async def later(self) -> str:
        return "later"

    @strawberry.field(extensions=[Upper(), AsyncOnly()])
    def both(self) -> str:
        return "both"

    @strawberry.field
    def items(self) -> list[Item]:
        return [Item(number=1), Item(number=2)]

    @strawberry.field(extensions=[Upper()])
    def fails(self) -> str | None:
        raise ValueError("it fails")


async def test_extensions_wrap_resolvers(schema: Make) -> None:
    await schema(Query).gives(
        "{ string attribute doubled(number: 3) items { shout } }",
        {
            "string": "THIS IS A TEST!!",
            "attribute": "ATTRIBUTE",
            "doubled": 6,
            "items": [{"shout": "SHOUT 1"}, {"shout": "SHOUT 2"}],
        },
        Outcome.COMPILED,
        root_value=Query(),
    )


async def test_the_last_extension_is_called_first(schema: Make) -> None:
    await schema(Query).gives("{ marked }", {"marked": "ba-ab"}, Outcome.COMPILED)


async def test_extensions_are_asynchronous(async_schema: Make) -> None:
    await async_schema(Query).gives("{ later both }", {"later": "LATER", "both": "async BOTH"}, Outcome.COMPILED)


async def test_errors_pass_through_extensions(schema: Make) -> None:
    await schema(Query).gives(
        "{ fails }", {"fails": None}, Outcome.REPLAYED, errors=[said("it fails", "fails", at=(1, 3))]
    )


async def test_extensions_change_their_field(schema: Make) -> None:
    calls: list[str] = []

    @strawberry.type
    class Client:
        @strawberry.field(extensions=[Caching()])
        def analyzed_hours(self) -> int:
            calls.append("analyzed")
            return 7

    api = schema(Client)

    for _ in range(2):
        await api.gives("{ analyzedHours }", {"analyzedHours": 7}, Outcome.COMPILED)

    assert calls == ["analyzed"]
    assert "analyzedHours: Int! @cached(time: 200)" in api.schema.as_str()
