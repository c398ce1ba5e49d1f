"""The limit of a response's size, for every way of executing."""

import asyncio
import json
import tracemalloc
from dataclasses import field
from datetime import date, datetime, time
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, get_introspection_query, parse

from mainsheet.executor import (
    AnswerTooLarge,
    CountedResult,
    Executor,
    Outcome,
    Prepared,
    Request,
    core_schema,
    refer,
    turns,
)
from mainsheet.executor.bounds import STEP
from tests.executor.specification.both import operation
from tests.executor.specification.relation import Context
from tests.executor.specification.rows import Row
from tests.executor.specification.world import Mood, api

LONG = "x" * 1_000
STORE = {
    "a": Row(string=LONG, int=1, child_id="b", boolean=True, float=0.5, mood=Mood.SAD, id="a", json={"a": [1, 2]}),
    "b": Row(string=LONG, int=2, child_id="b", text="t"),
    "dog": Row(kind="Dog", name="Rex", barks=True, owner_id="a", child_id="b"),
}
STORE["many"] = [STORE["a"]] * 50  # type: ignore[assignment]  # what a relation of many answers
ROOT = Row(
    string=LONG,
    strings=[LONG] * 10,
    ints=list(range(500)),
    things=[STORE["a"]] * 20,
    child_id="a",
    children_id="many",
    animal_id="dog",
    value=1,
)
COMPILED = [
    "{ string }",
    "{ ints }",
    "{ things { string int boolean float mood id json text even } }",
    "{ child { string child { string child { string } } } }",
    "{ children { string child { string } } }",
    "{ " + " ".join(f"a{number}: children {{ string }}" for number in range(20)) + " }",
    "{ childAnimal { __typename name child { string } ... on Dog { owner { string } } } }",
]
RECOVERED = "{ fails " + COMPILED[3].removeprefix("{")
PARTS = "mutation { a: add(number: 1) { thing { string } } b: add(number: 1) { value thing { string } } }"
INTERPRETED = "{ " + " ".join(f"a{number}: child {{ string child {{ int }} }}" for number in range(600)) + " }"
REFERENCE = get_introspection_query()
ALL = [
    *((text, Outcome.COMPILED) for text in COMPILED),
    (RECOVERED, Outcome.RECOVERED),
    (PARTS, Outcome.PARTS),
    (INTERPRETED, Outcome.INTERPRETED),
    (REFERENCE, Outcome.REFERENCE),
]


async def answer(text: str, most_bytes: int | None = None, expected: Outcome | None = None) -> Any:
    outcomes: list[Outcome] = []
    options = {} if most_bytes is None else {"most_bytes": most_bytes}
    executor = Executor(api, observe=outcomes.append, **options)  # type: ignore[arg-type]  # a dict of one option
    result = await executor.execute(Request(operation(parse(text), None), None, Context(STORE), ROOT))
    assert expected is None or outcomes == [expected]
    return result.data


def size(data: Any) -> int:
    return len(json.dumps(data, separators=(",", ":")))


@pytest.mark.parametrize(("text", "outcome"), ALL)
async def test_a_response_at_the_limit_is_returned(text: str, outcome: Outcome) -> None:
    data = await answer(text)

    assert await answer(text, size(data), outcome) == data


def values(data: Any) -> int:
    """Count entries and items. An entry that is a list isn't counted itself, and a JSON scalar is one value."""
    if not isinstance(data, dict | list) or data == STORE["a"].json:
        return 0
    inner = data.values() if isinstance(data, dict) else data
    return sum(not isinstance(each, list) for each in inner) + sum(map(values, inner))


@pytest.mark.parametrize("text", COMPILED)
async def test_compiled_results_count_their_values(text: str) -> None:
    result = await Executor(api).execute(Request(operation(parse(text), None), None, Context(STORE), ROOT))

    assert isinstance(result, CountedResult)
    assert result.values == values(result.data)
    assert result == ExecutionResult(result.data)


@pytest.mark.parametrize(("text", "outcome"), ALL)
async def test_a_response_over_the_limit_is_refused(text: str, outcome: Outcome) -> None:
    most = size(await answer(text)) // 3

    with pytest.raises(AnswerTooLarge) as refused:
        await answer(text, most)

    assert refused.value.size > refused.value.limit == most


@pytest.mark.parametrize("text", [*COMPILED, PARTS, REFERENCE])
async def test_the_reference_has_the_same_limit(text: str) -> None:
    prepared = operation(parse(text), None)
    whole = size((await refer(api, Request(prepared, None, Context(STORE), ROOT))).data)

    assert (await refer(api, Request(prepared, None, Context(STORE), ROOT), whole)).errors is None
    with pytest.raises(AnswerTooLarge):
        await refer(api, Request(prepared, None, Context(STORE), ROOT), whole // 3)


async def test_changes_are_kept_if_the_response_is_too_large() -> None:
    context = Context(STORE)
    request = Request(operation(parse(PARTS), None), None, context, ROOT)

    with pytest.raises(AnswerTooLarge):
        await Executor(api, most_bytes=1_500).execute(request)

    assert context.called == ["add 1", "add 1"]


class Fresh(Row):
    """A row that creates a new text on each read, as a driver does."""

    def __getattribute__(self, name: str) -> Any:
        return bytes(100_000).decode() if name == "string" else super().__getattribute__(name)


async def test_values_beyond_the_limit_are_never_in_memory() -> None:
    request = Request(operation(parse("{ things { string } }"), None), None, Context({}), Row(things=[Fresh()] * 1_000))
    executor = Executor(api, most_bytes=1_000_000)
    tracemalloc.start()

    with pytest.raises(AnswerTooLarge):
        await executor.execute(request)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000  # of 100 MB


WIDE = "{ things { " + " ".join(f"a{number}: string" for number in range(2_000)) + " } }"  # too long to compile


@pytest.mark.parametrize("text", ["{ things { string } }", "{ children { string } }", WIDE])
async def test_building_a_large_response_yields_to_other_tasks(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SLICE", 0)
    rows = [Row(string="x" * 500)] * (10 if text is WIDE else 10_000)
    context, root = Context({"many": rows}), Row(things=rows, children_id="many")
    operated = operation(parse(text), None)
    running = asyncio.create_task(Executor(api).execute(Request(operated, None, context, root)))
    others = 0
    while not running.done():
        await asyncio.sleep(0)
        others += 1

    assert others > size((await running).data) // (2 * STEP)


async def test_a_recovered_response_at_the_limit_is_not_refused() -> None:
    text = "{ a: int b: int c: int ints fails }"
    root = Row(int=1, ints=[1, 2])
    given = Request(operation(parse(text), None), None, Context(STORE), root)
    size = len(json.dumps((await refer(api, given)).data, separators=(",", ":")))
    outcomes: list[Outcome] = []

    result = await Executor(api, observe=outcomes.append, most_bytes=size).execute(given)

    assert result.data
    assert outcomes == [Outcome.RECOVERED]


@strawberry.type
class Short:
    """The shortest values of their scalars."""

    days: list[date] = field(default_factory=lambda: 100 * [date(2026, 1, 1)])
    moments: list[datetime] = field(default_factory=lambda: 100 * [datetime(2026, 1, 1)])  # noqa: DTZ001 naive
    times: list[time] = field(default_factory=lambda: 100 * [time(1)])
    texts: list[str | None] = field(default_factory=lambda: 50 * ["", None])


@pytest.mark.parametrize("selection", ["days", "moments", "times", "texts"])
async def test_a_response_of_exactly_the_limit_is_built(selection: str) -> None:
    schema = strawberry.Schema(Short)
    document = parse(f"{{ {selection} }}")
    request = Request(Prepared(core_schema(schema), document, document.definitions[0]), root=Short())  # type: ignore[arg-type]  # an operation
    most = len(json.dumps((await refer(schema, request)).data, separators=(",", ":")))

    result = await Executor(schema, most_bytes=most).execute(request)

    assert isinstance(result, CountedResult)
    assert result.values == 100
