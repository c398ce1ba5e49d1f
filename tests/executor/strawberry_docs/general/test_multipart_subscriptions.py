"""Subscriptions over a multipart response."""

import json
from collections.abc import AsyncGenerator

import strawberry
from strawberry.subscriptions import MULTIPART_SUBSCRIPTION_PROTOCOL

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make
from tests.executor.strawberry_docs.http import served

ACCEPT = {"Accept": "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"}


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "world"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, target: int) -> AsyncGenerator[int, None]:
        for number in range(target):
            yield number


async def test_results_are_parts(async_schema: Make) -> None:
    api = async_schema(Query, subscription=Subscription)

    async with served(api, subscription_protocols=[MULTIPART_SUBSCRIPTION_PROTOCOL]) as client:
        response = await client.post("/graphql", json={"query": "subscription { count(target: 2) }"}, headers=ACCEPT)
        parts = [json.loads(line) for line in (await response.text()).splitlines() if line.startswith("{")]

    assert [each["payload"]["data"] for each in parts if each] == [{"count": 0}, {"count": 1}]


async def test_a_query_is_a_single_result(async_schema: Make) -> None:
    api = async_schema(Query, subscription=Subscription)

    async with served(api, subscription_protocols=[MULTIPART_SUBSCRIPTION_PROTOCOL]) as client:
        response = await client.post("/graphql", json={"query": "{ hello }"})
        answer = await response.json()

    assert answer == {"data": {"hello": "world"}}
    api.was_executed(Outcome.COMPILED)
