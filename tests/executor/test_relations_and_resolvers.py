"""Relations and resolvers that are asynchronous or get `info`, above, below and beside each other."""

import asyncio
import gc
import json
import types
from collections.abc import Coroutine, Generator, Iterator
from random import Random
from typing import Annotated, Any

import pytest
import strawberry
from graphql import parse
from strawberry.permission import BasePermission
from strawberry.types import Info

from mainsheet.executor import AnswerTooLarge, Executor, Outcome, Prepared, Request, core_schema, refer
from mainsheet.executor.unsupported import Unsupported
from tests.executor.comparing import COROUTINES_ARE_LEFT, compared
from tests.executor.specification.relation import Context, asked, related
from tests.executor.specification.rows import Row, by_keys, factor, failing, found, id_alone, multiples

pytestmark = COROUTINES_ARE_LEFT
COUNT = 300  # random operations
ROWS = 8


@pytest.fixture(autouse=True, scope="module")
def _collected() -> Iterator[None]:
    yield
    gc.collect()  # here, where the warnings are expected


class Even(BasePermission):
    message = "not yours"

    async def has_permission(self, source: Any, info: Info, **_: Any) -> bool:
        return bool(source.number % 2 == 0)


@strawberry.interface
class Named:
    number: int


@strawberry.type
class Other(Named):
    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        return bool(value.is_other)


def called(node: Any, info: Info, what: str) -> None:
    info.context.called.append(f"{what} of {node.number}")


def multiple(root: Any, info: Info, times: int = 2) -> Any:
    return info.context.load(multiples, root.number, factor(times=times))


@strawberry.type
class Node(Named):
    number: int

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        return not value.is_other

    @strawberry.field
    def doubled(self) -> int:
        return self.number * 2

    @strawberry.field
    async def later(self, info: Info) -> str | None:
        called(self, info, "later")
        await asyncio.sleep(0)
        if self.number in info.context.store["fails"]:
            raise ValueError(f"{self.number} fails")
        return f"later {self.number}"

    @strawberry.field
    async def must(self) -> int:
        return self.number if self.number % 5 else None  # type: ignore[return-value]

    @strawberry.field
    def where(self, info: Info) -> str:
        called(self, info, "where")
        return f"{info.path.as_list()}"

    @strawberry.field(permission_classes=[Even])
    def secret(self) -> int | None:
        return self.number

    @strawberry.field(graphql_type=Annotated["Node", strawberry.lazy(__name__)] | None)
    async def child(self, info: Info) -> Any:
        called(self, info, "child")
        return info.context.store.get(f"{(self.number + 1) % ROWS}")

    @strawberry.field(graphql_type=list[Annotated["Node", strawberry.lazy(__name__)]])
    async def children(self, info: Info, count: int = 2) -> Any:
        called(self, info, "children")
        return [info.context.store[f"{(self.number + index) % ROWS}"] for index in range(count)]

    @strawberry.field(graphql_type=list[Annotated["Node", strawberry.lazy(__name__)]])
    def at_once(self, info: Info) -> Any:
        return [self, self]

    next = related(by_keys, Annotated["Node", strawberry.lazy(__name__)] | None, "next_id")
    next_must = related(by_keys, Annotated["Node", strawberry.lazy(__name__)], "next_id", "nextMust")
    all = related(by_keys, list[Annotated["Node", strawberry.lazy(__name__)]] | None, "all_id")
    named = related(by_keys, Named | None, "named_id")
    found = asked(found, by_keys, None, Annotated["Node", strawberry.lazy(__name__)] | None, id_alone)
    times = asked(multiple, multiples, "number", int, factor)
    broken = related(failing, Annotated["Node", strawberry.lazy(__name__)] | None, "next_id")

    @strawberry.field(graphql_type=Annotated["Node", strawberry.lazy(__name__)])
    def same(self) -> Any:
        return self


API = strawberry.Schema(Node, types=[Other])


def store(fails: list[int] | None = None) -> dict[str, Any]:
    """Rows in a ring. Each third one has no next one, and some share their list."""
    nodes = {
        f"{number}": Row(
            number=number,
            all_id=f"all {number % 2}",
            next_id=f"{(number * 5 + 1) % ROWS}" if number % 3 else None,
            named_id=f"{(number + 2) % ROWS}" if number % 2 else "other",
        )
        for number in range(ROWS)
    }
    lists = {f"all {number}": [nodes[f"{number}"], nodes[f"{number + 3}"]] for number in range(2)}
    return {**nodes, **lists, "other": Row(number=99, is_other=True), "fails": fails or []}


def request(text: str, fails: list[int] | None = None) -> Request:
    document = parse(text)
    operation: Any = document.definitions[0]
    rows = store(fails)
    return Request(Prepared(core_schema(API), document, operation), None, Context(rows), rows["1"])


async def same(text: str, fails: list[int] | None = None) -> tuple[Any, Outcome, Context]:
    """Assert that both executors give the same, call the same resolvers, and load the same."""
    ours, reference = request(text, fails), request(text, fails)
    answer, outcome = await compared(API, ours, reference)
    assert sorted(ours.context.called) == sorted(reference.context.called)
    assert outcome is Outcome.REPLAYED or loaded(ours.context) == loaded(reference.context)
    return answer, outcome, ours.context


def loaded(context: Context) -> list[tuple[str, str]]:
    return sorted((batch, key) for batch, keys in context.asked for key in keys)


@pytest.mark.parametrize(
    "text",
    [
        "{ next { later number where } }",
        "{ next { later next { later next { where secret } } } later }",
        "{ all { where next { number where } all { later } } }",
        "{ child { next { number } } }",
        "{ children(count: 5) { number next { number doubled all { number } } } }",
        "{ children { child { all { child { next { where } } } } } }",
        "{ named { number __typename ... on Node { where next { later } } } }",
        "{ child { named { __typename ... on Node { all { number } child { named { number } } } } } }",
        "{ same { same { next { same { where next { number } } } } } }",
        "{ a: next { where } b: next { where } c: same { next { where all { where } } } }",
        "{ atOnce { next { where number } } }",
        "{ child { same { all { same { child { number } } } } } }",
        "{ children(count: 0) { next { number } } }",
        "{ nextMust { where child { nextMust { number } } } }",
        '{ found(id: "4") { times where child { found(id: "5") { where times(times: 3) } } } child { times } }',
    ],
)
async def test_both_are_compiled(text: str) -> None:
    _, outcome, _ = await same(text)

    assert outcome is Outcome.COMPILED


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        ("{ next { later next { later } } children { next { later } } }", [6]),
        ("{ all { later all { later number } } }", [1]),
        ("{ child { all { must number } } }", []),
        ("{ children(count: 5) { must next { where } } }", []),
        ("{ child { broken { number } } later }", []),
        ("{ broken { later } later }", []),
        ("{ all { secret next { where } } }", []),
        ("{ child { next { nextMust { later } } } }", []),
        ("{ child { times next { times(times: -1) } } }", []),
        ('{ children { found(id: "refused") { where } } later }', []),
    ],
)
async def test_failures_are_executed_again_without_calling_resolvers_twice(text: str, fails: list[int]) -> None:
    answer, outcome, _ = await same(text, fails)

    assert answer[1]
    assert outcome is Outcome.REPLAYED


async def test_what_several_resolvers_returned_is_loaded_in_one_batch() -> None:
    _, _, context = await same("{ a: children(count: 4) { next { number } } b: child { next { number } } }")

    assert [sorted(keys) for _, keys in context.asked] == [["3", "5", "6"]]


async def test_each_parent_of_a_row_gets_its_own_path() -> None:
    answer, _, _ = await same("{ a: all { where } b: all { where } }")

    assert [[each["where"] for each in answer[0][key]] for key in "ab"] == [
        [f"['{key}', {index}, 'where']" for index in range(2)] for key in "ab"
    ]


async def test_the_size_is_counted_once_for_each_parent() -> None:
    text = "{ a: all { where number next { number } } b: child { all { number } next { all { number } } } }"
    size = len(json.dumps((await refer(API, request(text))).data, separators=(",", ":")))

    result = await Executor(API, most_bytes=size).execute(request(text))
    with pytest.raises(AnswerTooLarge) as caught:
        await Executor(API, most_bytes=size // 2).execute(request(text))

    assert result.data
    assert size / 2 < caught.value.size <= size


async def test_a_mutations_root_field_has_both_below_it() -> None:
    api = strawberry.Schema(strawberry.type(type("Query", (Node,), {})), Node, types=[Other])
    document = parse("mutation { a: child { next { later } } b: children { next { number all { where secret } } } }")
    operation: Any = document.definitions[0]
    rows = store()
    ours, reference = (
        Request(Prepared(core_schema(api), document, operation), None, Context(rows), rows["1"]) for _ in range(2)
    )

    _, outcome = await compared(api, ours, reference)

    assert outcome is Outcome.PARTS
    assert sorted(ours.context.called) == sorted(reference.context.called)


async def test_no_batch_is_left_when_the_operation_is_cancelled() -> None:
    began, given = asyncio.Event(), request("{ children { next { number } } }")

    async def waits(*_: Any) -> Any:
        began.set()
        await asyncio.Event().wait()

    given.context.load_all = waits
    task = asyncio.create_task(Executor(API).execute(given))
    await began.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert asyncio.all_tasks() == {asyncio.current_task()}


@types.coroutine
def rest(coroutine: Coroutine[Any, Any, Any], waited_for: Any) -> Generator[Any, Any, Any]:
    """Run the rest of a coroutine that waits for something."""
    while True:
        try:
            yield waited_for
            waited_for = coroutine.send(None)
        except StopIteration as end:
            return end.value


def eager(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> "asyncio.Future[Any]":
    """Begin a task at once, as `asyncio.eager_task_factory` does, which Python 3.11 hasn't."""
    try:
        waited_for = coroutine.send(None)
    except StopIteration as end:
        future = loop.create_future()
        future.set_result(end.value)
        return future
    return asyncio.Task(rest(coroutine, waited_for), loop=loop, **options)


@pytest.mark.parametrize("text", ["{ next { later number where } }", "{ all { later next { later } } }"])
async def test_tasks_of_applications_may_be_eager(text: str) -> None:
    asyncio.get_running_loop().set_task_factory(eager)

    _, outcome, _ = await same(text)

    assert outcome is Outcome.COMPILED


async def test_without_an_event_loop_it_is_handed_over() -> None:
    outcomes: list[Outcome] = []

    result: Any = Executor(API, observe=outcomes.append).execute_sync(request("{ next { where } }"))

    assert (await result).data == {"next": {"where": "['next', 'where']"}}
    assert outcomes == [Outcome.REFERENCE]


def test_an_operation_with_both_is_not_explained() -> None:
    with pytest.raises(Unsupported, match="beside resolvers"):
        Executor(API).rehearsal(request("{ next { where } }"))


LEAVES = ["number", "doubled", "later", "must", "where", "secret", "times", "times(times: 3)", "__typename"]
BRANCHES = ["child", "children", "atOnce", "next", "nextMust", "all", "same", 'found(id: "4")', "broken"]


def selection(random: Random, depth: int) -> str:
    """Return a random selection of a node's fields."""
    fields = [f"f{LEAVES.index(each)}: {each}" for each in random.sample(LEAVES, random.randint(1, 2))]
    if depth:
        branches = random.choices(BRANCHES, weights=[3, 3, 2, 4, 1, 3, 2, 1, 0.3], k=random.randint(0, 2))
        fields += [f"b{BRANCHES.index(each)}: {each} {selection(random, depth - 1)}" for each in branches]
        if random.random() < 0.2:
            fields.append(f"named {{ number ... on Node {selection(random, depth - 1)} }}")
    random.shuffle(fields)
    return f"{{ {' '.join(fields)} }}"


async def test_random_operations_have_the_same_result() -> None:
    outcomes = set()
    for number in range(COUNT):
        random = Random(number)
        text, fails = selection(random, 3), random.sample(range(ROWS), random.choice([0, 0, 1]))
        outcomes.add(await alike(text, fails))

    assert outcomes == {Outcome.COMPILED, Outcome.REPLAYED}


async def alike(text: str, fails: list[int]) -> Outcome:
    """Assert equal data, and equal calls unless there are errors: which one makes a position null may differ."""
    outcomes: list[Outcome] = []
    ours, reference = request(text, fails), request(text, fails)

    expected = await refer(API, reference)
    result = await Executor(API, observe=outcomes.append).execute(ours)

    assert result.data == expected.data, text
    assert bool(result.errors) == bool(expected.errors), text
    if not expected.errors:
        assert sorted(ours.context.called) == sorted(reference.context.called), text
        assert loaded(ours.context) == loaded(reference.context), text
        assert outcomes == [Outcome.COMPILED], text
    return outcomes[0]
