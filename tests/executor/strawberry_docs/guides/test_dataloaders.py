"""Loads of one level are one batch, are cached, primed and cleared; an error is one key's."""

from collections.abc import Sequence
from typing import Any

import strawberry
from strawberry.dataloader import AbstractCache, DataLoader

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make

NAMES = {1: "Ada", 2: "Bob", 3: "Cyd"}
FRIENDS = {1: [2, 3], 2: [3], 3: []}


class Stored(AbstractCache[Any, Any]):
    def __init__(self) -> None:
        self.values: dict[Any, Any] = {}

    def get(self, key: Any) -> Any:
        return self.values.get(key)

    def set(self, key: Any, value: Any) -> None:
        self.values[key] = value

    def delete(self, key: Any) -> None:
        del self.values[key]

    def clear(self) -> None:
        self.values.clear()


class Context:
    """The batches of one operation, and its loader."""

    def __init__(self, **options: Any) -> None:
        self.batches: list[Sequence[int]] = []
        self.loader = DataLoader(self.load, **options)

    async def load(self, keys: list[int]) -> list["Person | ValueError"]:
        self.batches.append(keys)
        return [Person(id=key, name=NAMES[key]) if key in NAMES else ValueError(f"no {key}") for key in keys]


@strawberry.type
class Person:
    id: int
    name: str

    @strawberry.field
    async def friends(self, info: strawberry.Info[Context]) -> list["Person"]:
        return await info.context.loader.load_many(FRIENDS[self.id])


@strawberry.type
class Query:
    @strawberry.field
    async def person(self, info: strawberry.Info[Context], id: int) -> Person | None:
        return await info.context.loader.load(id)  # type: ignore[no-any-return]

    @strawberry.field
    def awaitable(self, info: strawberry.Info[Context], id: int) -> Person:
        return info.context.loader.load(id)  # type: ignore[return-value]

    @strawberry.field
    async def everybody(self, info: strawberry.Info[Context]) -> list[Person]:
        people = {key: Person(id=key, name=name) for key, name in NAMES.items()}
        info.context.loader.prime_many(people)
        return [*people.values()]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def saved(self, info: strawberry.Info[Context], id: int, clear: bool = False) -> Person:
        if clear:
            info.context.loader.clear(id)
        return await info.context.loader.load(id)  # type: ignore[no-any-return]


async def test_loads_are_one_batch(async_schema: Make) -> None:
    context = Context()

    await async_schema(Query).gives(
        "{ first: person(id: 1) { name } second: person(id: 2) { name } third: awaitable(id: 3) { name } }",
        {"first": {"name": "Ada"}, "second": {"name": "Bob"}, "third": {"name": "Cyd"}},
        Outcome.COMPILED,
        context_value=context,
    )

    assert [sorted(keys) for keys in context.batches] == [[1, 2, 3]]


async def test_loads_of_a_lower_level_are_one_batch(async_schema: Make) -> None:
    context = Context()

    await async_schema(Query).gives(
        "{ a: person(id: 1) { friends { name friends { name } } } b: person(id: 2) { friends { name } } }",
        {
            "a": {"friends": [{"name": "Bob", "friends": [{"name": "Cyd"}]}, {"name": "Cyd", "friends": []}]},
            "b": {"friends": [{"name": "Cyd"}]},
        },
        Outcome.COMPILED,
        context_value=context,
    )

    assert context.batches == [[1, 2], [3]]


async def test_an_error_is_that_of_its_key(async_schema: Make) -> None:
    context = Context()

    await async_schema(Query).gives(
        "{ a: person(id: 1) { name } b: person(id: 9) { name } }",
        {"a": {"name": "Ada"}, "b": None},
        Outcome.REPLAYED,
        errors=[said("no 9", "b", at=(1, 29))],
        context_value=context,
    )

    assert context.batches == [[1, 9]]


async def test_primed_values_are_not_loaded(async_schema: Make) -> None:
    context = Context()

    await async_schema(Query).gives(
        "{ everybody { friends { id } } }",
        {"everybody": [{"friends": [{"id": 2}, {"id": 3}]}, {"friends": [{"id": 3}]}, {"friends": []}]},
        Outcome.COMPILED,
        context_value=context,
    )

    assert context.batches == []


async def test_cleared_values_are_loaded_again(async_schema: Make) -> None:
    context = Context()

    await async_schema(Query, Mutation).gives(
        "mutation { a: saved(id: 1) { id } b: saved(id: 1, clear: true) { id } c: saved(id: 1) { id } }",
        {"a": {"id": 1}, "b": {"id": 1}, "c": {"id": 1}},
        Outcome.PARTS,
        context_value=context,
    )

    assert context.batches == [[1], [1]]


async def test_keys_are_cached_by_a_function(async_schema: Make) -> None:
    context = Context(cache_key_fn=lambda key: key % 10)

    await async_schema(Query).gives(
        "{ a: person(id: 1) { id } b: person(id: 11) { id } }",
        {"a": {"id": 1}, "b": {"id": 1}},
        Outcome.COMPILED,
        context_value=context,
    )

    assert context.batches == [[1]]


async def test_a_cache_is_given(async_schema: Make) -> None:
    cache = Stored()
    api, data = async_schema(Query), {"person": {"name": "Bob"}}

    for batches in ([[2]], []):
        context = Context(cache_map=cache)
        await api.gives("{ person(id: 2) { name } }", data, Outcome.COMPILED, context_value=context)
        assert context.batches == batches
