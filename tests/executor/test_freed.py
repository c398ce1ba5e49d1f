"""What an operation with errors refers to is freed with its result, without a garbage collection."""

import gc
import weakref
from collections.abc import Iterator

import pytest
from graphql import parse

from mainsheet.executor import Executor, Outcome, Request
from tests.executor.specification.both import operation
from tests.executor.specification.relation import Context
from tests.executor.specification.rows import Row
from tests.executor.specification.world import api
from tests.executor.test_prepared import Values

FAILING = {
    "resolver": "fails",
    "resolver of a non-null field": "failsMust",
    "batch": "broken { string }",
    "argument": 'find(id: "refused") { string }',
    "value": "even",
}


@pytest.fixture
def no_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("field", FAILING.values(), ids=FAILING)
async def test_nothing_of_an_operation_with_an_error_waits_for_the_garbage_collection(field: str) -> None:
    outcomes: list[Outcome] = []
    executor = Executor(api, observe=outcomes.append)
    prepared = operation(parse(f"query ($x: [Int]) {{ arguments(ints: $x) {field} }}"), None)
    values, context, root = Values([1]), Context({}), Row(child_id="a", even=1)
    held = [weakref.ref(each) for each in (values, context, root)]

    result = await executor.execute(Request(prepared, {"x": values}, context, root))
    assert result.errors
    assert outcomes == [Outcome.RECOVERED]
    del values, context, root, result

    assert [each() for each in held] == [None, None, None]
