"""A prepared operation keeps programs by the variables in conditions, and nothing of a request."""

import asyncio
import gc
import weakref
from typing import Any

import pytest
from graphql import parse

from mainsheet.executor import Executor, Outcome, Prepared, Request, WorkerThread
from mainsheet.executor.prepared import MOST_PROGRAMS
from mainsheet.executor.program import NOT_COMPILED
from tests.executor.specification.both import operation
from tests.executor.specification.relation import Context
from tests.executor.specification.rows import Row
from tests.executor.specification.world import api

TWO = """
query A($x: [Int]) { arguments(ints: $x) ...F }
query B($x: Boolean!) { int @include(if: $x) ...G }
fragment F on Query { string }
fragment G on Query { string @skip(if: $x) }
"""
DECIDES = "query ($with: Boolean!, $other: Int) { int @include(if: $with) arguments(int: $other) }"


class Values(list[int]):
    """A list with weak references."""


async def run(prepared: Prepared, executor: Executor | None = None, **variables: Any) -> Any:
    request = Request(prepared, variables, Context({}), Row(int=1, string="s"))
    return (await (executor or Executor(api)).execute(request)).data


@pytest.mark.parametrize("name", ["A", "B"])
def test_only_the_operations_variables_decide_its_plan(name: str) -> None:
    assert operation(parse(TWO), name).deciding == (("x",) if name == "B" else ())


async def test_another_operations_condition_variable_may_be_a_list() -> None:
    assert (await run(operation(parse(TWO), "A"), x=[1]))["arguments"] == {"ints": [1], "default": 7}


async def test_programs_differ_only_by_variables_in_conditions() -> None:
    prepared, executor = operation(parse(DECIDES), None), Executor(api)

    for other in range(5):
        await run(prepared, executor, **{"with": True}, other=other, undeclared=other)
    await run(prepared, executor, **{"with": False})

    assert prepared.programs == 2


async def test_two_executors_do_not_share_programs() -> None:
    prepared = operation(parse("{ thing { string } }"), None)

    for believes_rows in (True, False):
        await run(prepared, Executor(api, believes_rows=believes_rows))

    assert prepared.programs == 2


async def test_the_number_of_programs_is_limited() -> None:
    flags = [f"f{number}" for number in range(MOST_PROGRAMS + 1)]
    declared = ", ".join(f"${each}: Boolean!" for each in flags)
    fields = " ".join(f"{each}: int @include(if: ${each})" for each in flags)
    sizes: list[int] = []
    prepared, executor = operation(parse(f"query ({declared}) {{ {fields} string }}"), None), Executor(api)
    prepared.grew = sizes.append

    for chosen in flags:
        await run(prepared, executor, **{each: each == chosen for each in flags})

    assert prepared.programs == MOST_PROGRAMS
    assert abs(sizes[-1]) < sizes[0] / 10  # a program about as large as the new one was evicted


class Dropping:
    """A key whose program is dropped while it is looked up for the second time, as another thread may do."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.hashed = 0

    def __hash__(self) -> int:
        self.hashed += 1
        if self.hashed == 4:  # two times to keep it, then to find it; now to mark it as used
            for number in range(MOST_PROGRAMS):
                self.prepared.keep(number, NOT_COMPILED)
        return 7


def test_a_program_may_be_dropped_by_another_thread() -> None:
    prepared = operation(parse("{ string }"), None)
    key = Dropping(prepared)
    prepared.keep(key, NOT_COMPILED)
    prepared.keep("another", NOT_COMPILED)

    assert prepared.program(key) is NOT_COMPILED
    assert prepared.program(key) is None


async def test_nothing_of_a_request_is_kept() -> None:
    prepared, executor = operation(parse("query ($x: [Int]) { arguments(ints: $x) }"), None), Executor(api)
    values, context, root = Values([1]), Context({}), Row()
    held = [weakref.ref(each) for each in (values, context, root)]

    await executor.execute(Request(prepared, {"x": values}, context, root))
    del values, context, root
    gc.collect()

    assert prepared.programs == 1
    assert [each() for each in held] == [None, None, None]


LARGE = "{ " + " ".join(f"a{number}: child {{ string child {{ int }} }}" for number in range(600)) + " }"


async def test_too_large_operations_are_interpreted() -> None:
    outcomes: list[Outcome] = []
    executor = Executor(api, observe=outcomes.append)
    store = {"a": Row(string="of a", child_id="b"), "b": Row(int=4)}
    root = Row(child_id="a")

    result = await executor.execute(Request(operation(parse(LARGE), None), None, Context(store), root))

    assert outcomes == [Outcome.INTERPRETED]
    assert result.errors is None
    assert result.data == {f"a{number}": {"string": "of a", "child": {"int": 4}} for number in range(600)}


async def turns_of_the_loop(executor: Executor) -> int:
    """Count the event loop's iterations while a program is compiled and run."""
    running, turns = asyncio.create_task(run(operation(parse(LARGE), None), executor)), 0
    while not running.done():
        await asyncio.sleep(0)
        turns += 1
    return turns


async def test_the_worker_doesnt_block_the_event_loop() -> None:
    worker = WorkerThread()

    inline, aside = [await turns_of_the_loop(Executor(api, worker=each)) for each in (None, worker)]

    worker.close()
    assert aside > 2 * inline


@pytest.mark.parametrize("text", [LARGE, "{ __schema { queryType { name } } }"], ids=["large", "introspection"])
def test_without_an_event_loop_no_worker_is_used(text: str) -> None:
    worker = WorkerThread()
    request = Request(operation(parse(text), None), None, Context({}), Row(int=1, string="s"))

    result = Executor(api, worker=worker).execute_sync(request)

    worker.close()
    assert result == Executor(api).execute_sync(request)
    assert result.errors is None
