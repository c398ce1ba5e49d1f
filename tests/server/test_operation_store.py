import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from graphql import GraphQLError, Node, Token

from mainsheet.executor import Executor, Prepared, Request, WorkerThread, core_schema
from mainsheet.executor.program import Program
from mainsheet.models.instrumentation import Instrumentation
from mainsheet.server.errors import InvalidOperation, RequestError
from mainsheet.server.operations.complexity import Limits
from mainsheet.server.operations.operation_store import INLINE_CHARACTERS, Operation, OperationStore
from tests.server.conftest import Serve
from tests.server.small_api import small_api

LIMITS = Limits(depth=20, fields=2_000, cost=1_000_000, tokens=20_000, values=20_000)
ROOM = 10_000_000
FIRST, SECOND, THIRD = "{ hello }", "{ thing { name } }", "{ things { totalCount } }"
TWO = "query A($x: [ID!]!) { byIds(ids: $x) { name } } query B($x: Boolean!) { hello @include(if: $x) }"


class Parsed(Instrumentation):
    def __init__(self) -> None:
        self.seconds: list[float] = []

    def parsed(self, seconds: float) -> None:
        self.seconds.append(seconds)


def store_of(capacity: int, **more: Any) -> OperationStore:
    return OperationStore(core_schema(small_api), LIMITS, capacity=capacity, **more)


async def size_of(*texts: str) -> int:
    store = store_of(ROOM)
    for text in texts:
        await store.get(text)
    return store.size


async def test_a_repeated_document_is_prepared_once() -> None:
    store = store_of(ROOM)

    assert await store.get(FIRST) is await store.get(FIRST)


async def test_an_operation_is_reported_as_parsed_when_it_is_prepared() -> None:
    parsed = Parsed()
    store = store_of(ROOM, instrumentation=parsed)

    for text in (FIRST, FIRST, SECOND):
        await store.get(text)
    with pytest.raises(InvalidOperation):
        await store.get("{ nothing }")

    assert len(parsed.seconds) == 2


async def test_the_operations_of_a_document_are_told_apart_by_name() -> None:
    store = store_of(ROOM)

    assert [(await store.get(TWO, name)).name for name in ("A", "B")] == ["A", "B"]


async def test_the_least_recently_used_operation_is_dropped_first() -> None:
    store = store_of(await size_of(FIRST, SECOND, THIRD) - 1)
    first, second = await store.get(FIRST), await store.get(SECOND)

    await store.get(FIRST)
    await store.get(THIRD)

    assert await store.get(FIRST) is first
    assert await store.get(SECOND) is not second


async def test_an_operation_larger_than_the_capacity_is_returned_but_not_kept() -> None:
    store = store_of(1)

    assert await store.get(FIRST) is not await store.get(FIRST)
    assert store.size == 0


async def test_an_invalid_document_is_refused_again() -> None:
    store = store_of(ROOM)

    for _ in range(2):
        with pytest.raises(InvalidOperation, match="Cannot query field 'unheard'"):
            await store.get("{ unheard }")


async def test_programs_count_for_the_capacity() -> None:
    empty = store_of(ROOM)
    executor = Executor(small_api)
    await executor.execute(Request((await empty.get(SECOND)).prepared))
    own = empty.size - await size_of(SECOND)
    store = store_of(await size_of(FIRST, SECOND) + own - 1)
    first = await store.get(FIRST)

    await executor.execute(Request((await store.get(SECOND)).prepared))

    assert own > 0
    assert await store.get(FIRST) is not first


async def test_a_program_of_a_dropped_operation_does_not_count() -> None:
    store = store_of(0)
    operation = await store.get(SECOND)

    await Executor(small_api).execute(Request(operation.prepared))

    assert store.size == 0


LONG = "{ thing { name } } # " + "x" * INLINE_CHARACTERS


async def test_requests_with_the_same_long_document_share_the_work() -> None:
    worker = WorkerThread()
    store = store_of(ROOM, worker=worker)

    operations = await asyncio.gather(*(store.get(LONG) for _ in range(5)))

    worker.close()
    assert len({id(each.prepared) for each in operations}) == 1


async def test_an_invalid_long_document_is_refused_for_each_request() -> None:
    worker = WorkerThread()
    store = store_of(ROOM, worker=worker)
    wrong = LONG.replace("name", "unheard")

    refusals = await asyncio.gather(*(store.get(wrong) for _ in range(2)), return_exceptions=True)

    worker.close()
    assert [type(each) for each in refusals] == [InvalidOperation] * 2


@asynccontextmanager
async def blocked() -> AsyncIterator[WorkerThread]:
    """Block a worker inside this context."""
    worker, begun = WorkerThread(), asyncio.Event()
    loop, may_end = asyncio.get_running_loop(), asyncio.Event()

    def block() -> None:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(may_end.wait(), loop).result()

    blocking = asyncio.create_task(worker.run("block", block))
    await begun.wait()
    try:
        yield worker
    finally:
        may_end.set()
        await blocking
        worker.close()


async def test_preparing_a_document_may_time_out() -> None:
    async with blocked() as worker:
        with pytest.raises(RequestError, match=r"couldn't be prepared within 0\.01 seconds"):
            await store_of(ROOM, worker=worker, timeout=0.01).get(LONG)


async def test_several_errors_of_a_short_document_are_found_in_the_worker() -> None:
    async with blocked() as worker:
        store = store_of(ROOM, worker=worker, timeout=0.01)
        with pytest.raises(InvalidOperation, match="'a'"):
            await store.get("{ a }")
        with pytest.raises(RequestError, match="couldn't be prepared"):
            await store.get("{ a b c }")

    worker = WorkerThread()
    with pytest.raises(InvalidOperation) as refused:
        await store_of(ROOM, worker=worker).get("{ a b c }")
    worker.close()
    assert len(refused.value.errors) == 3


SAME = "thing { name } " * 400
FRAGMENTS = "".join(f" fragment F{number} on Thing {{ name tags }}" for number in range(300))
SPREADS = " ".join(f"...F{number}" for number in range(300))
MANY = " ".join(f"a{number}: thing {{ name }}" for number in range(900))


@pytest.mark.parametrize(
    "text", [f"{{ {SAME}}}", f"{{ thing {{ {SPREADS} }} }}{FRAGMENTS}"], ids=["fields", "fragments"]
)
async def test_documents_with_too_many_comparisons_are_refused(text: str) -> None:
    with pytest.raises(InvalidOperation, match="too many fields of one name, or fragments") as refused:
        await store_of(0).get(text)

    assert [error.extensions for error in refused.value.errors] == [{"code": "QUERY_TOO_COMPLEX"}]


@pytest.mark.parametrize("text", [f"{{ {MANY} }}", f"{{ {'thing { name } ' * 60}}}"], ids=["other names", "some"])
async def test_documents_with_few_comparisons_are_accepted(text: str) -> None:
    assert await store_of(0).get(text)


def refusal(operation: Operation, variables: dict[str, Any]) -> GraphQLError:
    with pytest.raises(InvalidOperation) as refused:
        operation.check(variables)
    (error,) = refused.value.errors
    return error


async def test_the_number_of_variable_values_is_limited() -> None:
    store = OperationStore(core_schema(small_api), Limits(20, 2_000, 10**9, 1_000, values=10), capacity=0)
    operation = await store.get("query ($ids: [ID!]!) { byIds(ids: $ids) { name } }")

    operation.check({"ids": ["x"] * 9})
    error = refusal(operation, {"ids": ["x"] * 10})

    assert error.message == "The query is too complex: values 11, at most 10. Ask for less at once."
    assert error.extensions == {"code": "QUERY_TOO_COMPLEX", "measure": "values", "limit": 10, "actual": 11}


async def test_values_of_undeclared_variables_count() -> None:
    store = OperationStore(core_schema(small_api), Limits(20, 2_000, 10**9, 1_000, values=10), capacity=0)
    operation = await store.get(FIRST)

    assert refusal(operation, {"other": {"a": [{"b": [1] * 10}]}}).extensions


async def test_a_variable_of_another_operation_does_not_decide_the_plan(serve: Serve) -> None:
    server = await serve()

    for x in (["a", "b"], ["c"]):
        response = await server.post(TWO, operationName="A", variables={"x": x})

        assert await response.json() == {"data": {"byIds": []}}


@pytest.fixture
def _only_new_objects() -> Iterator[None]:
    """Leave all older objects, those of other tests among them, out of collections and counts, and collect nothing."""
    gc.disable()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.enable()


WEIGHED = [
    f"{{ {MANY} }}",
    "{ " + "thing { parent { parent { name tags } } } " * 20 + "}",
    "query (" + "".join(f"$v{n}: Int " for n in range(200)) + ") { "
    + "".join(f"a{n}: things(limit: $v{n}) {{ nodes {{ name }} }} " for n in range(200)) + "}",
    '{ hello(name: """' + "x" * 100_000 + '""") }',
    "{ hello }" + "#\n" * 10_000,
]  # fmt: skip


@pytest.mark.usefixtures("_only_new_objects")
@pytest.mark.parametrize("text", WEIGHED, ids=["fields", "depth", "variables", "a long text", "comments"])
async def test_the_weight_is_at_least_the_memory_used(text: str) -> None:
    executor, store = Executor(small_api), store_of(100 * ROOM)
    await executor.execute(Request((await store.get("{ hello thing { name } }")).prepared))  # what is made once
    before = store.size
    gc.collect()
    tracemalloc.start()

    await executor.execute(Request((await store.get(text)).prepared))

    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken <= store.size - before
    assert store.size - before < 20 * taken


DECIDED = "query ($with: Boolean = true) { hello @include(if: $with) thing { tags } }"


def count(kind: type) -> int:
    return sum(isinstance(each, kind) for each in gc.get_objects())


@pytest.mark.usefixtures("_only_new_objects")
@pytest.mark.parametrize("text", [f"{{ {MANY} }}", DECIDED, "mutation { greet }"], ids=["large", "decided", "mutation"])
async def test_a_dropped_operation_is_freed_without_gc(text: str) -> None:
    store, executor = store_of(0), Executor(small_api)
    before = [count(each) for each in (Token, Node, Prepared, Program)]

    operation = await store.get(text)
    await executor.execute(Request(operation.prepared))
    gc.collect()  # garbage of the validation, which is collected soon
    assert count(Token) > before[0]
    del operation

    assert [count(each) for each in (Token, Node, Prepared, Program)] == before
