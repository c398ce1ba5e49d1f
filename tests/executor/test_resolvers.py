"""Resolvers that are asynchronous or get `info` run in compiled code as in graphql-core."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Annotated, Any

import pytest
import strawberry
from graphql import parse
from strawberry.dataloader import DataLoader
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from mainsheet.executor import Executor, Outcome, Prepared, Request, core_schema
from tests.executor.comparing import COROUTINES_ARE_LEFT, compared

pytestmark = COROUTINES_ARE_LEFT
WHERE = ContextVar("WHERE", default="outside")


@pytest.fixture(autouse=True, scope="module")
def _collected() -> Iterator[None]:
    yield
    gc.collect()  # here, where the warnings are expected


class State:
    """What the resolvers of one operation share."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.events: dict[str, asyncio.Event] = {}
        self.batches: list[list[int]] = []
        self.loader = DataLoader(self.load)

    def event(self, name: str) -> asyncio.Event:
        return self.events.setdefault(name, asyncio.Event())

    async def load(self, keys: list[int]) -> list[str]:
        self.batches.append(keys)
        return [f"loaded {key}" for key in keys]


class Allowed(BasePermission):
    message = "not you"

    async def has_permission(self, source: Any, info: Any, **named: Any) -> bool:
        await asyncio.sleep(0)
        return bool(named["yes"])


class Twice(FieldExtension):
    async def resolve_async(self, next_: Callable[..., Any], source: Any, info: Info, **named: Any) -> Any:
        return [await next_(source, info, **named), await next_(source, info, **named)]


class Missing(Exception):
    pass


@strawberry.type
class NotFound:
    message: str


class Found(strawberry.ExceptionHandler[Missing, NotFound]):
    async def handle(self, exception: Missing, *, field: Any, info: Info) -> NotFound:
        return NotFound(message=f"{exception} {info.field_name}")


@strawberry.input
class Point:
    x: int


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Node(Named):
    number: int = 0

    @strawberry.field
    async def later(self, info: Info, fails: list[int] | None = None) -> str | None:
        return await later(self, info, fails)

    @strawberry.field
    async def must(self, info: Info, fails: list[int] | None = None) -> str:
        return await later(self, info, fails)

    @strawberry.field
    async def null(self) -> str:
        return None  # type: ignore[return-value]

    @strawberry.field
    async def wrong(self) -> int | None:
        return "wrong"  # type: ignore[return-value]

    @strawberry.field
    async def returned(self) -> str | None:
        return ValueError("returned")  # type: ignore[return-value]

    @strawberry.field
    def at_once(self, info: Info, fails: bool = False) -> str | None:
        info.context.calls.append(f"{self.name}.at_once")
        if fails:
            raise ValueError("at once")
        return f"{info.path.as_list()} {info.path.typename}"

    @strawberry.field
    async def next(self) -> "Node | None":
        await asyncio.sleep(0)
        return Node(name=f"{self.name}+", number=self.number + 1)

    @strawberry.field
    async def nodes(self, info: Info, count: int = 2) -> list["Node"]:
        await asyncio.sleep(0)
        return [Node(name=f"{self.name}{index}", number=index) for index in range(count)]

    @strawberry.field
    async def generated(self) -> list["Node"]:
        return (Node(name=name) for name in "ab")  # type: ignore[return-value]

    @strawberry.field(graphql_type=list[int])
    async def streamed(self) -> Any:
        async def numbers() -> AsyncIterator[int]:
            yield 1
            yield 2

        return numbers()

    @strawberry.field(graphql_type=list[str | None])
    async def awaitables(self, info: Info) -> Any:
        return [later(self, info, None), later(self, info, [self.number])]

    @strawberry.field
    async def named(self) -> Named:
        return Node(name="of an interface", number=7)

    @strawberry.field
    async def either(self) -> Annotated["Node | NotFound", strawberry.union("Either")]:
        raise Missing(self.name)

    @strawberry.field(permission_classes=[Allowed])
    async def secret(self, yes: bool) -> str | None:
        return "secret"

    @strawberry.field(extensions=[Twice()])
    async def twice(self) -> list[str]:
        return "twice"  # type: ignore[return-value]

    @strawberry.field
    async def loaded(self, info: Info) -> str:
        return str(await info.context.loader.load(self.number))

    @strawberry.field
    def loading(self, info: Info) -> str:
        return info.context.loader.load(self.number)  # type: ignore[no-any-return]

    @strawberry.field
    async def waits(self, info: Info, name: str) -> str:
        info.context.event("waits").set()
        await info.context.event(name).wait()
        return name

    @strawberry.field
    async def sets(self, info: Info, name: str) -> "Node":
        info.context.event(name).set()
        return self

    @strawberry.field
    async def where(self) -> str:
        return WHERE.get()

    @strawberry.field
    async def moves(self) -> "Node":
        WHERE.set(self.name)
        return self

    @strawberry.field
    def moves_all(self, info: Info) -> str:
        WHERE.set("all")
        return "all"

    @strawberry.field
    async def point(self, point: Point, more: list[Point] | None = None) -> str:
        return f"{point} {more}"

    @strawberry.field
    async def seen(self, info: Info) -> str:
        raw = info._raw_info  # noqa: SLF001 it is compared
        told = [
            info.field_name,
            info.python_name,
            info.path.as_list(),
            str(raw.return_type),
            str(raw.parent_type),
            info.variable_values,
            info.root_value.number,
            len(raw.field_nodes),
            raw.fragments.keys(),
            info.operation.name,
            raw.is_awaitable(asyncio.sleep),
            info.schema is not None,
            raw.async_helpers is not None,
        ]
        return f"{told} {info.selected_fields}"


async def later(node: Node, info: Info, fails: list[int] | None) -> str:
    info.context.calls.append(f"{node.name}.later")
    await asyncio.sleep(0)
    if node.number in (fails or ()):
        raise ValueError(f"{node.name} fails")
    return f"later {node.name}"


ROOT = Node(name="root")
API = strawberry.Schema(Node, exception_handlers=[Found()])


def request(text: str, **variables: Any) -> Request:
    document = parse(text)
    operation: Any = document.definitions[0]
    return Request(Prepared(core_schema(API), document, operation), variables, State(), ROOT)


async def same(text: str, **variables: Any) -> tuple[Any, Outcome, State]:
    """Assert that both executors give the same, and call the same resolvers. Return how the compiled one did it."""
    ours, reference = request(text, **variables), request(text, **variables)
    expected, outcome = await compared(API, ours, reference)
    assert sorted(ours.context.calls) == sorted(reference.context.calls)
    return expected, outcome, ours.context


@pytest.mark.parametrize(
    "text",
    [
        "{ later name again: later number }",
        "{ nodes { later next { nodes(count: 3) { name later atOnce next { later } } } } }",
        "{ next { next { atOnce nodes { atOnce } } } atOnce }",
        "{ named { name __typename ... on Node { later next { later } } } }",
        "{ either { __typename ... on NotFound { message } ... on Node { later } } }",
        "{ nodes { twice secret(yes: true) } }",
        "query ($x: Int!) { nodes { point(point: {x: $x}, more: [{x: 2}]) } }",
        "{ nodes { loaded next { loaded } } loaded }",
        "query ($x: Int!) { a: nodes { b: seen ...F } next { point(point: {x: $x}) } } fragment F on Node { b: seen }",
        "{ moves { where next { where } } nodes { movesAll where } where }",
        "{ where movesAll }",
        "{ nodes(count: 0) { later } }",
        "{ nodes { loading } later }",
    ],
)
async def test_results_are_compiled(text: str) -> None:
    _, outcome, _ = await same(text, **({"x": 1} if "$x" in text else {}))

    assert outcome is Outcome.COMPILED


@pytest.mark.parametrize(
    "text",
    [
        "{ later(fails: [0]) name }",
        "{ nodes(count: 4) { name later(fails: [1, 3]) next { later(fails: [2]) } } }",
        "{ nodes(count: 4) { name next { must(fails: [2]) } } later }",
        "{ next { next { null } name } name }",
        "{ nodes { wrong returned later } }",
        "{ nodes { atOnce(fails: true) later } }",
        "{ nodes { secret(yes: false) later } }",
        "{ generated { later } }",
        "{ streamed later }",
        "{ awaitables next { later } }",
        "query ($x: Int) { nodes { later(fails: [1]) next { point(point: {x: 3}) } atOnce } }",
    ],
)
async def test_failures_are_executed_again_without_calling_resolvers_twice(text: str) -> None:
    _, outcome, _ = await same(text)

    assert outcome is Outcome.REPLAYED


async def test_errors_do_not_end_the_attempts_to_compile() -> None:
    outcomes: list[Outcome] = []
    executor, given = Executor(API, observe=outcomes.append), request("query ($n: [Int!]) { later(fails: $n) }", n=[0])

    for _ in range(5):
        assert (await executor.execute(given)).errors

    assert outcomes == [Outcome.REPLAYED] * 5


async def test_each_field_goes_on_as_soon_as_its_own_resolver_returned() -> None:
    text = """{ a: next { waits(name: "b") } b: sets(name: "a") { next { sets(name: "b") { name } } } }"""

    data, outcome, _ = await same(text)

    assert data[0]["a"] == {"waits": "b"}
    assert outcome is Outcome.COMPILED


async def test_loads_of_one_level_are_one_batch() -> None:
    _, _, state = await same("{ nodes(count: 5) { loaded nodes { loaded } } }")

    assert state.batches == [[0, 1, 2, 3, 4]]  # what is below has keys that are loaded already


async def test_a_failed_root_does_not_wait_for_what_still_runs() -> None:
    text = """{ must(fails: [0]) waits(name: "never") }"""

    data, outcome, _ = await same(text)

    assert data[0] is None
    assert outcome is Outcome.REPLAYED


async def test_resolvers_are_cancelled_with_the_operation() -> None:
    given = request("""{ nodes { waits(name: "never") } waits(name: "never") }""")
    task = asyncio.create_task(Executor(API).execute(given))
    before = asyncio.all_tasks() - {task}
    await given.context.event("waits").wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert asyncio.all_tasks() == before


def test_resolvers_with_info_need_no_event_loop() -> None:
    outcomes: list[Outcome] = []
    executor = Executor(API, observe=outcomes.append)

    result = executor.execute_sync(request("{ atOnce again: atOnce }"))

    assert result.data == {"atOnce": "['atOnce'] Node", "again": "['again'] Node"}
    assert outcomes == [Outcome.COMPILED]


MUTATIONS = strawberry.Schema(strawberry.type(type("Query", (Node,), {})), Node, exception_handlers=[Found()])


@pytest.mark.parametrize(
    "text",
    [
        "mutation { nodes { later next { nodes(count: 3) { name later atOnce next { later } } } } }",
        "mutation { a: next { atOnce later } b: next { loaded nodes { loaded atOnce } } }",
        "mutation { named { name __typename ... on Node { later next { later } } } }",
        "mutation { next { a: nodes { b: seen ...F } } } fragment F on Node { b: seen }",
        "mutation { nodes(count: 4) { name later(fails: [1, 3]) next { later(fails: [2]) } } next { later } }",
        "mutation { a: next { next { null } name later } b: next { must(fails: [1]) atOnce } }",
        "mutation { a: nodes { next { must(fails: [2]) } later } b: nodes { wrong returned later } }",
        "mutation { generated { later } next { atOnce(fails: true) later } }",
    ],
)
async def test_resolvers_below_the_root_of_a_mutation_are_called_once(text: str) -> None:
    ours, reference = (Request(prepared(MUTATIONS, text), None, State(), ROOT) for _ in range(2))

    _, outcome = await compared(MUTATIONS, ours, reference)

    assert outcome is Outcome.PARTS
    assert sorted(ours.context.calls) == sorted(reference.context.calls)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def prepared(api: strawberry.Schema, text: str) -> Prepared:
    document = parse(text)
    operation: Any = document.definitions[0]
    return Prepared(core_schema(api), document, operation)


class Titled(Info[Any, Any]):
    @property
    def title(self) -> str:
        return self.field_name.title()


@strawberry.type
class Asking:
    @strawberry.field
    def title(self, info: Titled) -> str:
        return info.title


async def test_info_is_of_the_configured_class() -> None:
    api = strawberry.Schema(Asking, config=StrawberryConfig(info_class=Titled))
    document = parse("{ title }")
    operation: Any = document.definitions[0]
    outcomes: list[Outcome] = []

    result = await Executor(api, observe=outcomes.append).execute(
        Request(Prepared(core_schema(api), document, operation), root=Asking())
    )

    assert result.data == {"title": "Title"}
    assert outcomes == [Outcome.COMPILED]
