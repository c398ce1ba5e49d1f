"""Mutations run one after the other; those of a namespace only if their namespaces have aliases."""

import asyncio
from typing import Annotated

import strawberry
from strawberry.field_extensions import InputMutationExtension

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Query:
    @strawberry.field
    def hello() -> str:
        return "world"


@strawberry.type
class Fruit:
    id: strawberry.ID
    weight: float

    @strawberry.field
    def seen(self, info: strawberry.Info) -> str:
        info.context.append(f"seen {self.id}")
        return f"{len(info.context)}"


@strawberry.type
class FruitMutations:
    @strawberry.mutation
    async def add(self, info: strawberry.Info, id: strawberry.ID) -> Fruit:
        info.context.append(f"begin {id}")
        await asyncio.to_thread(int)  # whatever takes time
        info.context.append(f"end {id}")
        return Fruit(id=id, weight=1)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def add_fruit(self, info: strawberry.Info, id: strawberry.ID, weight: float = 2) -> Fruit:
        info.context.append(f"add {id}")
        if id == "none":
            raise ValueError("no fruit")
        return Fruit(id=id, weight=weight)

    @strawberry.mutation
    def restart(self, info: strawberry.Info) -> None:
        info.context.append("restart")

    @strawberry.mutation(extensions=[InputMutationExtension()])
    def update_weight(
        self,
        info: strawberry.Info,
        id: strawberry.ID,
        weight: Annotated[float, strawberry.argument(description="The fruit's new weight in grams")],
    ) -> Fruit:
        info.context.append(f"update {id}")
        return Fruit(id=id, weight=weight)

    @strawberry.field
    def fruit(self) -> FruitMutations:
        return FruitMutations()


async def test_mutations_run_in_order(schema: Make) -> None:
    calls: list[str] = []
    text = "mutation { a: addFruit(id: 1) { seen id } restart b: addFruit(id: 2, weight: 3) { weight seen } }"
    data = {"a": {"seen": "2", "id": "1"}, "restart": None, "b": {"weight": 3.0, "seen": "5"}}

    await schema(Query, Mutation).gives(text, data, Outcome.PARTS, context_value=calls)

    assert calls == ["add 1", "seen 1", "restart", "add 2", "seen 2"]


async def test_no_mutation_follows_an_error_that_makes_the_data_null(schema: Make) -> None:
    calls: list[str] = []
    text = 'mutation { restart a: addFruit(id: "none") { id } b: addFruit(id: 2) { id } }'

    await schema(Query, Mutation).gives(
        text,
        None,
        Outcome.PARTS,
        errors=[said("no fruit", "a", at=(1, 20))],
        context_value=calls,
    )

    assert calls == ["restart", "add none"]


async def test_a_mutation_without_a_result_is_null(schema: Make) -> None:
    calls: list[str] = []

    await schema(Query, Mutation).gives(
        "mutation { restart }", {"restart": None}, Outcome.REFERENCE, context_value=calls
    )

    assert calls == ["restart"]


async def test_arguments_are_given_as_one_input(schema: Make) -> None:
    calls: list[str] = []
    text = "mutation ($input: UpdateWeightInput!) { updateWeight(input: $input) { id weight } }"

    await schema(Query, Mutation).gives(
        text,
        {"updateWeight": {"id": "7", "weight": 2.5}},
        Outcome.PARTS,
        variable_values={"input": {"id": "7", "weight": 2.5}},
        context_value=calls,
    )

    assert calls == ["update 7"]


async def test_mutations_of_one_namespace_run_at_the_same_time(async_schema: Make) -> None:
    calls: list[str] = []

    await async_schema(Query, Mutation).gives(
        "mutation { fruit { a: add(id: 1) { id } b: add(id: 2) { id } } }",
        {"fruit": {"a": {"id": "1"}, "b": {"id": "2"}}},
        Outcome.PARTS,
        context_value=calls,
    )

    assert calls[:2] == ["begin 1", "begin 2"]
    assert sorted(calls[2:]) == ["end 1", "end 2"]


async def test_mutations_of_aliased_namespaces_run_in_order(async_schema: Make) -> None:
    calls: list[str] = []

    await async_schema(Query, Mutation).gives(
        "mutation { a: fruit { add(id: 1) { id } } b: fruit { add(id: 2) { id } } }",
        {"a": {"add": {"id": "1"}}, "b": {"add": {"id": "2"}}},
        Outcome.PARTS,
        context_value=calls,
    )

    assert calls == ["begin 1", "end 1", "begin 2", "end 2"]
