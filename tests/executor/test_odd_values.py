"""Names and values that schemas rarely have. Our drop-in gives what Strawberry's schema gives."""

from typing import Annotated, Any

import pytest
import strawberry
from strawberry.types import Info

from mainsheet.executor import Schema

both = pytest.mark.parametrize("sync", [False, True], ids=["execute", "execute_sync"])


async def same(query: type, text: str, *, sync: bool) -> Any:
    """Assert that both classes of schemas give the same result, twice. Return its data and messages."""
    mutation = strawberry.type(type("Mutation", (query,), {}))
    reference, ours = (made(query, mutation) for made in (strawberry.Schema, Schema))
    expected = await shown(reference, text, sync=sync)
    for _ in range(2):
        assert await shown(ours, text, sync=sync) == expected
    data, errors = expected
    return data, [error["message"] for error in errors]


async def shown(api: strawberry.Schema, text: str, *, sync: bool) -> tuple[Any, list[Any]]:
    result = api.execute_sync(text) if sync else await api.execute(text)
    return result.data, [error.formatted for error in result.errors or ()]


@strawberry.type
class Named:
    @strawberry.field
    def named(self, info: Info, source: str, call: str, me: Annotated[str, strawberry.argument(name="self")]) -> str:
        return source + call + me

    @strawberry.field
    def fails(self) -> str | None:
        raise ValueError("it fails")


@strawberry.type
class Names:
    @strawberry.field
    def names(self) -> Named:
        return Named()


@both
@pytest.mark.parametrize("kind", ["query", "mutation"])
async def test_arguments_may_have_any_name_beside_an_error(kind: str, sync: bool) -> None:
    text = f'{kind} {{ names {{ named(source: "a", call: "b", self: "c") fails }} }}'

    found = await same(Names, text, sync=sync)

    assert found == ({"names": {"named": "abc", "fails": None}}, ["it fails"])
