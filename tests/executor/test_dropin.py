"""`Schema.execute` and `execute_sync` do all that Strawberry's do, and compile what they can."""

import asyncio
import gc
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import strawberry
from graphql import parse
from strawberry.extensions import DisableValidation, ParserCache, SchemaExtension
from strawberry.permission import BasePermission
from strawberry.types import ExecutionContext, Info

from mainsheet.executor import Executor, Outcome, Schema

README = Path(__file__).parents[2] / "executor/README.md"
NOTED: list[Any] = []
OUTCOMES: list[Outcome] = []


class Observed(Schema):
    def make_executor(self) -> Executor:
        return Executor(self, observe=OUTCOMES.append, runs_extensions=True)

    def process_errors(self, errors: Any, execution_context: ExecutionContext | None = None) -> None:
        NOTED.extend(error.message for error in errors)


class Reference(strawberry.Schema):
    process_errors = Observed.process_errors


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    NOTED.clear()
    OUTCOMES.clear()


class Nobody(BasePermission):
    message = "not you"

    def has_permission(self, source: Any, info: Any, **_: Any) -> bool:
        return False


@strawberry.type
class Book:
    title: str
    pages: int | None = None

    @strawberry.field
    def shout(self, times: int = 1) -> str:
        return self.title.upper() + "!" * times

    @strawberry.field
    def fails(self) -> str | None:
        raise ValueError("it fails")

    @strawberry.field(permission_classes=[Nobody])
    def secret(self) -> str | None:
        return "secret"

    @strawberry.field
    def asked(self, info: Info) -> str:
        return f"{info.context['who']} {info.path.as_list()}"

    @strawberry.field
    async def later(self) -> str:
        await asyncio.sleep(0)
        return "later"


ODYSSEY = Book(title="Odyssey", pages=500)


@strawberry.type
class Query:
    @strawberry.field
    def books() -> list[Book]:
        return [ODYSSEY, Book(title="Iliad")]

    @strawberry.field
    def book(self, info: Info) -> Book:
        return ODYSSEY

    @strawberry.field
    async def soon(self) -> Book:
        await asyncio.sleep(0)
        return ODYSSEY


@strawberry.type
class Mutation:
    @strawberry.mutation
    def write(self, title: str) -> Book:
        NOTED.append(title)
        return Book(title=title)


class Hooks(SchemaExtension):
    def on_operation(self) -> Iterator[None]:
        NOTED.append("operation")
        yield
        NOTED.append("operated")

    def on_validate(self) -> Iterator[None]:
        NOTED.append("validate")
        yield

    def on_execute(self) -> Iterator[None]:
        NOTED.append(["execute", self.execution_context.operation_name])
        yield
        assert self.execution_context.result
        NOTED.append(["executed", self.execution_context.result.data])

    def get_results(self) -> dict[str, Any]:
        return {"took": 1}


def shown(result: Any) -> Any:
    return result.data, [error.formatted for error in result.errors or ()], result.extensions, list(NOTED)


async def executed(api: strawberry.Schema, text: str | None, *, sync: bool, **given: Any) -> Any:
    NOTED.clear()
    given.setdefault("context_value", {"who": "Ada"})
    return shown(api.execute_sync(text, **given) if sync else await api.execute(text, **given))


async def same(text: str | None, *, sync: bool, schema: dict[str, Any] | None = None, **given: Any) -> Any:
    """Assert that both classes of schemas give the same results, twice, and return their data."""
    options = {"query": Query, "mutation": Mutation, **(schema or {})}
    ours, reference = Observed(**options), Reference(**options)
    expected = await executed(reference, text, sync=sync, **given)
    for _ in range(2):
        assert await executed(ours, text, sync=sync, **given) == expected
    return expected[0]


both = pytest.mark.parametrize("sync", [False, True], ids=["execute", "execute_sync"])


@both
@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("{ books { title pages shout(times: 2) __typename } }", Outcome.COMPILED),
        ("{ books { title fails } }", Outcome.RECOVERED),
        ("{ book { title shout } }", Outcome.COMPILED),
        ("{ book { title fails } }", Outcome.REPLAYED),
        ('mutation { a: write(title: "A") { title } b: write(title: "B") { shout } }', Outcome.PARTS),
        ("{ books { title secret } }", Outcome.REPLAYED),
        ("{ books { asked } }", Outcome.COMPILED),
        ("{ __schema { queryType { name } } }", Outcome.REFERENCE),
    ],
)
async def test_results_are_the_same(text: str, outcome: Outcome, sync: bool) -> None:
    await same(text, sync=sync)

    assert [outcome] * 2 == OUTCOMES


@both
@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("{ books { nothing } }", {}),
        ("{ books { title }", {}),
        ("query A { __typename } query B { books { title } }", {"operation_name": "B"}),
        ("query ($times: Int!) { books { shout(times: $times) } }", {"variable_values": {"times": 3}}),
        ("query ($times: Int!) { books { shout(times: $times) } }", {"variable_values": {"times": "many"}}),
        ("query ($times: Int!) { books { shout(times: $times) } }", {}),
    ],
)
async def test_requests_are_refused_alike(text: str, given: dict[str, Any], sync: bool) -> None:
    await same(text, sync=sync, **given)


@both
@pytest.mark.parametrize(
    ("text", "given"),
    [
        (None, {}),
        ("query A { __typename } query B { __typename }", {}),
        ("query A { __typename }", {"operation_name": "B"}),
        ('mutation { write(title: "A") { title } }', {"allowed_operation_types": []}),
    ],
)
async def test_they_raise_the_same(text: str | None, given: dict[str, Any], sync: bool) -> None:
    raised = []
    for api in (Observed(Query, Mutation), Reference(Query, Mutation)):
        try:
            raised.append(await executed(api, text, sync=sync, **given))
        except Exception as error:  # noqa: BLE001 whatever it is, it is the same one
            raised.append((type(error), str(error)))

    assert raised[0] == raised[1]


@both
@pytest.mark.parametrize("text", ["{ soon { title } }", "{ books { later } }"])
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")  # Strawberry leaves them behind
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_asynchronous_resolvers_run_or_are_refused(text: str, sync: bool) -> None:
    data = await same(text, sync=sync)

    gc.collect()  # here, where the warnings are expected
    assert (data is None) is sync


@both
@pytest.mark.parametrize("text", ["query Q { books { title } }", "{ books { fails } }", "{ book { title } }"])
async def test_the_hooks_of_extensions_run_around_compiled_code(text: str, sync: bool) -> None:
    await same(text, sync=sync, schema={"extensions": [Hooks, ParserCache]})

    assert Outcome.REFERENCE not in OUTCOMES


@both
@pytest.mark.parametrize(
    "text",
    [
        "{ ...Missing }",
        "{ nothing books { nothing title } }",
        "{ books }",
        "query ($none: None) { books { shout(times: $none) } }",
        "{ books { ...F } } fragment F on Book { title ...F }",
        "query ($no: [Boolean!]! = [true]) { books @skip(if: $no) { title } }",
    ],
)
async def test_what_was_not_validated_is_executed_alike(text: str, sync: bool) -> None:
    await same(text, sync=sync, schema={"extensions": [DisableValidation]})


async def test_operation_extensions_reach_resolvers() -> None:
    @strawberry.type
    class Telling:
        @strawberry.field
        def book(self, info: Info) -> Book:
            return Book(title=str(info.input_extensions))

    data = await same("{ book { title } }", sync=False, schema={"query": Telling}, operation_extensions={"a": 1})

    assert data == {"book": {"title": "{'a': 1}"}}
    assert [Outcome.COMPILED] * 2 == OUTCOMES


async def test_large_results_are_completed_without_an_event_loop() -> None:
    @strawberry.type
    class Many:
        @strawberry.field
        def books(self) -> list[Book]:
            return [Book(title="x" * 1000)] * 200

        @strawberry.field
        def told(self, info: Info) -> list[Book]:
            return [Book(title="x" * 1000)] * 200

    api = Observed(Many)

    for text in ("{ books { title } }", "{ told { title } }", "{ books { title fails } }"):
        result = await asyncio.to_thread(api.execute_sync, text)
        assert result.data
        assert len(next(iter(result.data.values()))) == 200

    assert OUTCOMES == [Outcome.COMPILED, Outcome.COMPILED, Outcome.RECOVERED]


async def test_positions_are_found_in_the_documents_own_text() -> None:
    """Two texts whose nodes are the same: only their comments differ, by where a line ends."""
    api = Observed(Query)

    lines = []
    for comment in ("#ab\n", "#\n#\n"):
        result = await api.execute(f"{{ books {{ {comment} fails }} }}")
        assert result.errors
        lines.append((result.errors[0].locations or [])[0].line)

    assert lines == [2, 3]
    assert parse("{ a #ab\n b }") == parse("{ a #\n#\n b }")


def at_depth(depth: int, call: Callable[[], Any]) -> Any:
    return at_depth(depth - 1, call) if depth else call()


@strawberry.type
class Nested:
    @strawberry.field
    def nested(self) -> "Nested":
        return Nested()


def test_a_stack_that_is_almost_full_fails_a_field_and_not_the_request() -> None:
    text = "{ " + "nested { " * 60 + "__typename" + " }" * 60 + " }"
    reference, ours = Reference(Nested), Observed(Nested)
    for depth in range(0, 900, 20):
        expected, result = (
            at_depth(depth, partial(api.execute_sync, text, root_value=Nested())) for api in (reference, ours)
        )
        if expected.errors is None:
            assert all(error.path for error in result.errors or ()), (depth, result.errors)


async def test_requests_may_overlap() -> None:
    api = Observed(Query)

    results = await asyncio.gather(*(api.execute("{ soon { title } books { title } }") for _ in range(20)))

    assert len({str(result.data) for result in results}) == 1
    assert all(result.errors is None for result in results)


def test_threads_may_share_a_schema() -> None:
    """The views of synchronous frameworks execute each request in a thread."""
    names = "abcde"
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: shout @include(if: ${name})" for name in names)
    text, api = f"query ({declared}) {{ books {{ title {fields} }} }}", Observed(Query)

    def shown_keys(number: int) -> list[str]:
        variables = {name: bool(number >> index & 1) for index, name in enumerate(names)}
        result = api.execute_sync(text, variables)
        assert result.data
        return [*result.data["books"][0]]

    with ThreadPoolExecutor(4) as threads:
        found = [*threads.map(shown_keys, [*range(32)] * 4)]

    assert found == [["title", *(name for i, name in enumerate(names) if number >> i & 1)] for number in range(32)] * 4
    assert set(OUTCOMES) == {Outcome.COMPILED}


def test_the_code_of_the_readme_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    script = tmp_path / "script.py"
    script.write_text(
        "\n".join([*blocks, 'print(ObservedSchema(Query).execute_sync("{ hello }", root_value=Query()))'])
    )

    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)

    assert len(blocks) == 2
    assert done.stdout.startswith("compiled\nExecutionResult(data={'hello': 'world'}")
