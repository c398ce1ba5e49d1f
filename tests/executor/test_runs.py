"""One run of asynchronous resolvers: its end, its limit, its context variables, and what graphql-core gets of it."""

import asyncio
import gc
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Annotated, Any

import pytest
import strawberry
from graphql import GraphQLResolveInfo, parse
from strawberry.permission import BasePermission
from strawberry.types import Info

from mainsheet.executor import AnswerTooLarge, Executor, Outcome, Prepared, Request, core_schema, refer
from tests.executor.comparing import COROUTINES_ARE_LEFT, compared

pytestmark = COROUTINES_ARE_LEFT
WHERE = ContextVar("WHERE", default="outside")
MANY = 3_000  # objects, more than are completed in one turn


@pytest.fixture(autouse=True, scope="module")
def _collected() -> Iterator[None]:
    yield
    gc.collect()  # here, where the warnings are expected


class State:
    """What the resolvers of one operation share."""

    def __init__(self) -> None:
        self.rows = [Row(number=1, owner="ada"), Row(number=2, owner="ada")]
        self.calls = Counter[str]()
        self.events: dict[str, asyncio.Event] = {}

    def event(self, name: str) -> asyncio.Event:
        return self.events.setdefault(name, asyncio.Event())


class Owned(BasePermission):
    message = "not yours"

    def has_permission(self, source: Any, info: Info, **_: Any) -> bool:
        return bool(source.owner == "ada")


class Allowed(BasePermission):
    async def has_permission(self, source: Any, info: Any, **_: Any) -> bool:
        return True


@strawberry.type
class Row:
    number: int
    owner: strawberry.Private[str]

    @strawberry.field(permission_classes=[Owned])
    def body(self) -> str | None:
        return f"body of {self.number}"

    @strawberry.field
    async def later(self, info: Info) -> str:
        info.context.calls[f"later {self.number}"] += 1
        return f"later {self.number}"


@strawberry.type
class Place:
    padding: str = "x" * 100

    @strawberry.field
    async def where(self) -> str:
        return WHERE.get()

    @strawberry.field
    def moves_all(self, info: Info) -> str:
        WHERE.set("all")
        return "all"

    @strawberry.field
    def fails_now(self, info: Info) -> str | None:
        raise ValueError("now")


Either = Annotated[Row | Place, strawberry.union("Either")]


@strawberry.type
class Root:
    @strawberry.field
    async def places(self, name: str) -> list[Place]:
        WHERE.set(name)
        await asyncio.sleep(0)
        return [Place() for _ in range(MANY)]

    @strawberry.field
    async def place(self, info: Info, name: str, waits: str | None = None) -> Place:
        WHERE.set(name)
        if waits:
            await info.context.event(waits).wait()
        return Place()

    @strawberry.field
    def rows(self, info: Info) -> list[Row]:
        return info.context.rows  # type: ignore[no-any-return]

    @strawberry.field
    def copies(self) -> list[Row]:
        return [Row(number=number, owner="ada") for number in range(3)]

    @strawberry.field
    async def either(self) -> Either:
        return Place()

    @strawberry.field
    async def changes(self, info: Info) -> str | None:
        """Fail when all others have run, after a change of the list that they read."""
        await asyncio.sleep(0)
        info.context.rows.insert(0, Row(number=9, owner="eve"))
        raise ValueError("changed")

    @strawberry.field
    async def fails(self) -> str | None:
        await asyncio.sleep(0)
        raise ValueError("failed")

    @strawberry.field(permission_classes=[Allowed])
    async def allowed(self) -> str:
        return "allowed"

    @strawberry.field
    def returns_error(self, info: Info) -> list[int] | None:
        return ValueError("returned")  # type: ignore[return-value]

    @strawberry.field
    def handled(self, info: Info) -> str | None:
        """Return the exception that is being handled."""
        handled = sys.exception()
        return repr(handled) if handled else None

    @strawberry.field
    async def number(self) -> int:
        return 1

    @strawberry.field
    async def large(self, info: Info) -> str:
        info.context.calls["large"] += 1
        return "x" * 1_000

    @strawberry.field
    async def many(self) -> list["Root"]:
        return [Root() for _ in range(200)]

    @strawberry.field
    async def never(self, info: Info) -> str:
        await info.context.event("never").wait()
        return "never"

    @strawberry.field
    async def stubborn(self, info: Info) -> "Root":
        info.context.event("began").set()
        try:
            await info.context.event("never").wait()
        except asyncio.CancelledError:
            info.context.calls["cancelled"] += 1
        return self


API = strawberry.Schema(Root, types=[Row, Place])


def request(text: str, **options: Any) -> Request:
    document = parse(text)
    operation: Any = document.definitions[0]
    return Request(Prepared(core_schema(API), document, operation), None, State(), Root(), options)


async def same(text: str) -> tuple[Any, Outcome, State]:
    """Assert that both executors give the same. Return it, how the compiled one did it, and its state."""
    ours = request(text)
    expected, outcome = await compared(API, ours, request(text))
    return expected, outcome, ours.context


async def test_children_start_in_the_context_variables_of_their_own_parent() -> None:
    data, outcome, _ = await same('{ a: places(name: "a") { padding where } b: places(name: "b") { padding where } }')

    assert {each["where"] for each in data[0]["b"]} == {"b"}
    assert outcome is Outcome.COMPILED


@pytest.mark.parametrize(
    "text",
    [
        '{ place(name: "moved") { where } fails }',
        '{ a: place(name: "a") { movesAll where } place(name: "moved") { where failsNow movesAll } fails }',
        '{ place(name: "moved") { where failsNow } }',
    ],
)
async def test_context_variables_are_kept_after_a_failure(text: str) -> None:
    _, outcome, _ = await same(text)

    assert outcome is Outcome.REPLAYED


async def test_results_belong_to_their_parents_when_a_list_changed_before_the_failure() -> None:
    data, outcome, _ = await same("{ rows { number body later } changes }")

    assert [each["body"] for each in data[0]["rows"]] == ["body of 1", "body of 2"]
    assert outcome is Outcome.REPLAYED


async def test_resolvers_below_plain_ones_are_called_once() -> None:
    _, outcome, state = await same("{ copies { later } fails }")

    assert state.calls == {"later 0": 1, "later 1": 1, "later 2": 1}
    assert outcome is Outcome.REPLAYED


async def test_a_response_that_is_too_large_ends_its_resolvers() -> None:
    given = request("{ never many { large } }")

    with pytest.raises(AnswerTooLarge) as caught:
        async with asyncio.timeout(20):
            await Executor(API, most_bytes=5_000).execute(given)

    assert caught.value.size < 10_000
    assert given.context.calls["large"] < 10
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("text", ["{ a: number b: number c: number }", "{ a: number b: number returnsError }"])
async def test_a_response_at_the_limit_is_not_refused(text: str) -> None:
    size = len(json.dumps((await refer(API, request(text))).data, separators=(",", ":")))

    result = await Executor(API, most_bytes=size).execute(request(text))

    assert result.data


async def test_no_task_is_left_if_a_resolver_ignores_its_cancellation() -> None:
    given = request("{ stubborn { never } }")
    task = asyncio.create_task(Executor(API).execute(given))
    await given.context.event("began").wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert given.context.calls["cancelled"] == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_graphql_core_runs_outside_of_the_failure() -> None:
    result = await Executor(API).execute(request("{ returnsError handled }"))

    assert result.data == {"returnsError": None, "handled": None}


async def attempts(text: str, run: str = "execute") -> list[Outcome]:
    """Execute an operation four times with one executor."""
    outcomes: list[Outcome] = []
    executor, given = Executor(API, observe=outcomes.append), request(text)
    for _ in range(4):
        result = getattr(executor, run)(given)
        if run == "execute":
            await result
        elif asyncio.iscoroutine(result):
            result.close()
    return outcomes


async def test_exceptions_that_are_returned_do_not_end_the_attempts_to_compile() -> None:
    assert await attempts("{ returnsError number }") == [Outcome.REPLAYED] * 4


async def test_asynchronous_resolvers_are_not_attempted_without_an_event_loop() -> None:
    assert await attempts("{ allowed }", "execute_sync") == [Outcome.REFERENCE] * 4


async def test_asynchronous_type_resolvers_end_the_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    async def name() -> str:
        return "Place"

    def resolve_type(*_: Any) -> Any:
        return name()

    monkeypatch.setattr(core_schema(API).get_type("Either"), "resolve_type", resolve_type)

    assert await attempts("{ either { __typename } }") == [Outcome.REPLAYED] * 3 + [Outcome.REFERENCE]


def shout(call: Callable[..., Any], source: Any, info: GraphQLResolveInfo[Any], **given: Any) -> Any:
    value = call(source, info, **given)
    return value.upper() if isinstance(value, str) else value


async def test_options_that_intervene_are_handed_over() -> None:
    given = request("{ copies { body } }", middleware=[shout])
    outcomes: list[Outcome] = []

    result = await Executor(API, observe=outcomes.append).execute(given)

    assert result.data
    assert result.data["copies"][0] == {"body": "BODY OF 0"}
    assert outcomes == [Outcome.REFERENCE]
