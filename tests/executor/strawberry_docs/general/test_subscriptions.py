"""Subscriptions are executed by Strawberry. Queries and mutations over a stream are compiled."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import strawberry

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Api, Make


@strawberry.type
class Event:
    number: int

    @strawberry.field
    def doubled(self) -> int:
        return self.number * 2

    @strawberry.field
    def odd(self) -> int | None:
        if self.number % 2 == 0:
            raise ValueError(f"{self.number} is even")
        return self.number


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "world"


async def tail(target: int) -> AsyncGenerator[Event, None]:
    for number in range(target):
        yield Event(number=number)


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, info: strawberry.Info, target: int = 100) -> AsyncGenerator[int, None]:
        if info.context["token"] != "valid":
            raise PermissionError("Forbidden!")
        try:
            for number in range(target):
                yield number
        except (asyncio.CancelledError, GeneratorExit):
            info.context["unsubscribed"] = True
            raise

    @strawberry.subscription
    async def events(self, target: int) -> AsyncIterator[Event]:
        return tail(target)


async def received(api: Api, text: str, context: dict[str, Any] | None = None) -> list[tuple[Any, list[str]]]:
    stream = await api.schema.subscribe(text, context_value=context)
    return [(each.data, [error.message for error in each.errors or ()]) async for each in stream]


async def test_each_value_is_a_result(async_schema: Make) -> None:
    api = async_schema(Query, subscription=Subscription)

    results = await received(api, "subscription { count(target: 3) }", {"token": "valid"})

    assert results == [({"count": number}, []) for number in range(3)]


async def test_objects_are_completed(async_schema: Make) -> None:
    api = async_schema(Query, subscription=Subscription)

    results = await received(api, "subscription { events(target: 2) { number doubled odd } }")

    assert results == [
        ({"events": {"number": 0, "doubled": 0, "odd": None}}, ["0 is even"]),
        ({"events": {"number": 1, "doubled": 2, "odd": 1}}, []),
    ]


async def test_who_may_not_subscribe_gets_an_error(async_schema: Make) -> None:
    api = async_schema(Query, subscription=Subscription)

    results = await received(api, "subscription { count }", {"token": "none"})

    assert results == [(None, ["Forbidden!"])]


async def test_a_resolver_sees_that_the_client_unsubscribes(async_schema: Make) -> None:
    api = async_schema(Query, subscription=Subscription)
    context = {"token": "valid", "unsubscribed": False}

    async with aclosing(await api.schema.subscribe("subscription { count }", context_value=context)) as stream:
        assert (await anext(stream)).data == {"count": 0}

    assert context["unsubscribed"]


async def test_queries_give_a_single_result(async_schema: Make) -> None:
    api = async_schema(Query, subscription=Subscription)

    results = [each async for each in await api.schema.stream("{ hello }")]

    assert [each.data for each in results] == [{"hello": "world"}]
    api.was_executed(Outcome.COMPILED)
