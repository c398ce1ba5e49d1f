"""Strawberry's view for aiohttp: GET and POST, its hooks, WebSockets, and Server-Sent Events."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import strawberry
from aiohttp import web
from strawberry.aiohttp.views import GraphQLView
from strawberry.http import GraphQLHTTPResponse
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL
from strawberry.types import ExecutionResult

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make
from tests.executor.strawberry_docs.http import served


@strawberry.type
class Query:
    name: str = "nobody"

    @strawberry.field
    def hello(self, name: str = "World") -> str:
        return f"Hello, {name}!"

    @strawberry.field
    def example(self, info: strawberry.Info) -> str:
        info.context["response"].headers["X-Example"] = "here"
        return str(info.context["example"])


@strawberry.type
class Mutation:
    @strawberry.mutation
    def greet(self, info: strawberry.Info) -> Query:
        return Query(name=info.context["request"].path)


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int) -> AsyncGenerator[int, None]:
        for number in range(to):
            yield number


class View(GraphQLView[Any, Any]):
    async def get_context(self, request: web.Request, response: Any) -> Any:
        return {"request": request, "response": response, "example": 1}

    async def get_root_value(self, request: web.Request) -> Any:
        return Query(name="Patrick")

    async def process_result(self, request: web.Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        return {"data": {**(result.data or {}), "processed": True}}


async def test_queries_and_mutations_are_served(async_schema: Make) -> None:
    api = async_schema(Query, Mutation)

    async with served(api) as client:
        asked = await client.get("/graphql", params={"query": '{ hello(name: "Ada") }'})
        greeted = await client.post("/graphql", json={"query": "mutation { greet { name hello } }"})
        answers = [await asked.json(), await greeted.json()]

    assert answers == [
        {"data": {"hello": "Hello, Ada!"}},
        {"data": {"greet": {"name": "/graphql", "hello": "Hello, World!"}}},
    ]
    api.was_executed(Outcome.COMPILED, Outcome.PARTS)


async def test_the_view_gives_context_and_root(async_schema: Make) -> None:
    api = async_schema(Query)

    async with served(api, View) as client:
        response = await client.post("/graphql", json={"query": "{ name example }"})
        answer = await response.json()

    assert answer == {"data": {"name": "Patrick", "example": "1", "processed": True}}
    assert response.headers["X-Example"] == "here"
    api.was_executed(Outcome.COMPILED)


async def test_a_websocket_serves_all_operations(async_schema: Make) -> None:
    api = async_schema(Query, subscription=Subscription)

    async with (
        served(api) as client,
        client.ws_connect("/graphql", protocols=["graphql-transport-ws"]) as socket,
    ):
        await socket.send_json({"type": "connection_init"})
        assert (await socket.receive_json())["type"] == "connection_ack"
        received = []
        for query in ("{ hello }", "subscription { count(to: 2) }"):
            await socket.send_json({"type": "subscribe", "id": query, "payload": {"query": query}})
            while (message := await socket.receive_json())["type"] == "next":
                received.append(message["payload"]["data"])

    assert received == [{"hello": "Hello, World!"}, {"count": 0}, {"count": 1}]
    api.was_executed(Outcome.COMPILED)


async def test_events_are_sent(async_schema: Make) -> None:
    api = async_schema(Query, subscription=Subscription)
    accept = {"Accept": "text/event-stream"}

    async with served(api, subscription_protocols=[GRAPHQL_SSE_PROTOCOL]) as client:
        for query, data in [
            ("{ hello }", {"hello": "Hello, World!"}),
            ("subscription { count(to: 1) }", {"count": 0}),
        ]:
            response = await client.post("/graphql", json={"query": query}, headers=accept)
            lines = (await response.text()).splitlines()
            events = [json.loads(each.removeprefix("data:")) for each in lines if each.startswith("data: {")]
            assert [each["data"] for each in events] == [data]
            assert "event: complete" in lines

    api.was_executed(Outcome.COMPILED)
