"""Hooks of schema extensions run around compiled code. An extension with `resolve` is handed over."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

import pytest
import strawberry
from graphql import ExecutionResult, GraphQLError
from strawberry.exceptions import StrawberryGraphQLError
from strawberry.extensions import SchemaExtension

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class User:
    name: str


@strawberry.type
class Query:
    @strawberry.field
    def ping(self, info: strawberry.Info) -> str:
        info.context["calls"].append("ping")
        return "pong"

    @strawberry.field
    def user(self) -> User:
        return User(name="Ada")

    @strawberry.field
    def fails(self) -> str | None:
        raise ValueError("it fails")

    @strawberry.field
    async def later(self) -> str:
        return "later"


class Recording(SchemaExtension):
    """Notes each hook in the context."""

    def note(self, text: str) -> None:
        self.execution_context.context["calls"].append(text)

    def on_operation(self) -> Iterator[None]:
        self.note("operation")
        yield
        self.note("operation ends")

    def on_parse(self) -> Iterator[None]:
        self.note("parse")
        yield
        self.note("parse ends")

    def on_validate(self) -> Iterator[None]:
        self.note("validate")
        yield
        self.note("validate ends")

    def on_execute(self) -> Iterator[None]:
        self.note("execute")
        yield
        assert self.execution_context.result
        self.note(f"execute ends: {self.execution_context.result.data}")

    def get_results(self) -> dict[str, Any]:
        self.note("results")
        return {"example": "this is an example for an extension"}


class Asynchronous(SchemaExtension):
    async def on_execute(self) -> AsyncIterator[None]:
        self.execution_context.context["calls"].append("execute")
        yield
        self.execution_context.context["calls"].append("execute ends")

    async def get_results(self) -> dict[str, Any]:
        return {"asynchronous": True}


async def test_hooks_run_in_order(schema: Make) -> None:
    calls: list[str] = []

    await schema(Query, extensions=[Recording]).gives(
        "{ ping }",
        {"ping": "pong"},
        Outcome.COMPILED,
        extensions={"example": "this is an example for an extension"},
        context_value={"calls": calls},
    )

    steps = ["operation", "parse", "parse ends", "validate", "validate ends", "execute", "ping"]
    assert [each for each in calls if each != "results"] == [
        *steps,
        "execute ends: {'ping': 'pong'}",
        "operation ends",
    ]


async def test_hooks_are_nested_in_the_order_of_extensions(schema: Make) -> None:
    calls: list[str] = []

    def noting(name: str) -> type[SchemaExtension]:
        class Noting(SchemaExtension):
            def on_execute(self) -> Iterator[None]:
                calls.append(f"{name} begins")
                yield
                calls.append(f"{name} ends")

        return Noting

    await schema(Query, extensions=[noting("a"), noting("b")]).gives(
        "{ ping }", {"ping": "pong"}, Outcome.COMPILED, context_value={"calls": calls}
    )

    assert calls == ["a begins", "b begins", "ping", "b ends", "a ends"]


async def test_hooks_are_asynchronous(async_schema: Make) -> None:
    calls: list[str] = []

    await async_schema(Query, extensions=[Asynchronous]).gives(
        "{ ping later }",
        {"ping": "pong", "later": "later"},
        Outcome.COMPILED,
        extensions={"asynchronous": True},
        context_value={"calls": calls},
    )

    assert calls == ["execute", "ping", "execute ends"]


async def test_each_request_has_an_extension(schema: Make) -> None:
    made: list[SchemaExtension] = []

    def factory() -> SchemaExtension:
        made.append(SchemaExtension())
        return made[-1]

    api = schema(Query, extensions=[factory])
    for _ in range(2):
        await api.gives("{ user { name } }", {"user": {"name": "Ada"}}, Outcome.COMPILED)

    first, second = made
    assert first.execution_context is not second.execution_context


class Upper(SchemaExtension):
    def resolve(self, _next: Any, root: Any, info: Any, *arguments: Any, **named: Any) -> Any:
        value = _next(root, info, *arguments, **named)
        return value.upper() if isinstance(value, str) else value


class AsyncUpper(SchemaExtension):
    async def resolve(self, _next: Any, root: Any, info: Any, *arguments: Any, **named: Any) -> Any:
        value = _next(root, info, *arguments, **named)
        if info.is_awaitable(value):
            value = await value
        return value.upper() if isinstance(value, str) else value


async def test_resolve_wraps_all_resolvers(schema: Make) -> None:
    await schema(Query, extensions=[Upper]).gives(
        "{ ping user { name } }", {"ping": "PONG", "user": {"name": "ADA"}}, None, context_value={"calls": []}
    )


async def test_resolve_is_asynchronous(async_schema: Make) -> None:
    await async_schema(Query, extensions=[AsyncUpper]).gives(
        "{ ping later user { name } }",
        {"ping": "PONG", "later": "LATER", "user": {"name": "ADA"}},
        None,
        context_value={"calls": []},
    )


class ExtendingErrors(SchemaExtension):
    def on_operation(self) -> Iterator[None]:
        yield
        result: Any = self.execution_context.result
        if result.errors:
            result.errors = [
                StrawberryGraphQLError(
                    extensions={"additional_key": "additional_value"},
                    nodes=error.nodes,
                    source=error.source,
                    positions=error.positions,
                    path=error.path,
                    original_error=error.original_error,
                    message=error.message,
                )
                for error in result.errors
            ]


async def test_errors_are_extended(schema: Make) -> None:
    error = said("it fails", "fails", at=(1, 3), additional_key="additional_value")

    await schema(Query, extensions=[ExtendingErrors]).gives(
        "{ fails }", {"fails": None}, Outcome.RECOVERED, errors=[error]
    )


class Caching(SchemaExtension):
    responses: ClassVar[dict[str, Any]] = {}

    def on_execute(self) -> Iterator[None]:
        context = self.execution_context
        key = f"{context.query}:{json.dumps(context.variables)}"
        if key in self.responses:
            context.result = self.responses[key]
        yield
        self.responses.setdefault(key, context.result)


async def test_results_are_cached(schema: Make) -> None:
    calls: list[str] = []
    Caching.responses.clear()
    api = schema(Query, extensions=[Caching])

    await api.gives("{ ping }", {"ping": "pong"}, Outcome.COMPILED, context_value={"calls": calls})
    await api.gives("{ ping }", {"ping": "pong"}, None, context_value={"calls": calls})

    assert calls == ["ping"]


class Rejecting(SchemaExtension):
    def on_execute(self) -> Iterator[None]:
        if self.execution_context.operation_name == "RejectMe":
            self.execution_context.result = ExecutionResult(None, [GraphQLError("Well you asked for it")])
        yield


async def test_operations_are_rejected(schema: Make) -> None:
    api = schema(Query, extensions=[Rejecting])

    await api.gives("query RejectMe { user { name } }", None, None, errors=[{"message": "Well you asked for it"}])
    await api.gives("query Other { user { name } }", {"user": {"name": "Ada"}}, Outcome.COMPILED)


class Stats(SchemaExtension):
    def on_operation(self) -> Iterator[None]:
        asked = (self.execution_context.operation_extensions or {}).get("stats")
        yield
        if asked:
            self.execution_context.extensions_results["stats"] = {"asked": asked}


@pytest.mark.parametrize("stats", [True, False])
async def test_operation_extensions_are_read(async_schema: Make, stats: bool) -> None:
    await async_schema(Query, extensions=[Stats]).gives(
        "{ user { name } }",
        {"user": {"name": "Ada"}},
        Outcome.COMPILED,
        extensions={"stats": {"asked": True}} if stats else {},
        operation_extensions={"stats": stats},
    )


class Connecting(SchemaExtension):
    def on_operation(self) -> Iterator[None]:
        self.execution_context.context["calls"] = ["connected"]
        yield
        self.execution_context.context["calls"].append("closed")


async def test_extensions_prepare_the_context(schema: Make) -> None:
    context: dict[str, Any] = {}

    await schema(Query, extensions=[Connecting]).gives(
        "{ ping }", {"ping": "pong"}, Outcome.COMPILED, context_value=context
    )

    assert context["calls"] == ["connected", "ping", "closed"]


class Framing(SchemaExtension):
    def on_stream_result(self, result: Any) -> Iterator[None]:
        result.data["seen"] = True
        yield
        self.execution_context.context["calls"].append("consumed")


async def test_streamed_results_are_changed(async_schema: Make) -> None:
    calls: list[str] = []
    api = async_schema(Query, extensions=[Framing])

    results = [each async for each in await api.schema.stream("{ ping }", context_value={"calls": calls})]

    assert [each.data for each in results] == [{"ping": "pong", "seen": True}]
    assert calls == ["ping", "consumed"]
    api.was_executed(Outcome.COMPILED)


class Failing(SchemaExtension):
    def on_execute(self) -> Iterator[None]:
        raise LookupError("the hook fails")
        yield


async def test_a_hook_fails(schema: Make) -> None:
    await schema(Query, extensions=[Failing]).gives("{ ping }", None, None, errors=[{"message": "the hook fails"}])
