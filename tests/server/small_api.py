"""A small schema for HTTP tests, with fields that fail, wait and take input."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import strawberry
from graphql import GraphQLError

from mainsheet.models.errors import BadInput
from mainsheet.models.replica import Replica
from mainsheet.models.unavailable import Unavailable
from mainsheet.resolvers.caller import Caller

SECRET = "password=hunter2"


@dataclass
class Context:
    caller: Caller
    started: asyncio.Event = field(default_factory=asyncio.Event)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    abandoned: asyncio.Event = field(default_factory=asyncio.Event)

    async def close(self) -> None:
        self.closed.set()

    def abandon(self) -> None:
        self.abandoned.set()

    def read_from(self, replica: Replica) -> None:
        raise NotImplementedError

    async def leave_replica(self, _failure: Unavailable) -> bool:
        return False

    async def wait(self) -> str:
        self.started.set()
        await self.may_end.wait()
        self.finished.set()
        return "done"


Info = strawberry.Info[Context, Caller]


@strawberry.type
class Thing:
    name: str
    tags: list[str]

    @strawberry.field
    def parent(self) -> "Thing":
        return self

    @strawberry.field
    def things(self, limit: int | None = None, first: int | None = None) -> "ThingConnection":
        return ThingConnection(nodes=[], total_count=0)


@strawberry.type
class ThingConnection:
    nodes: list[Thing]
    total_count: int


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"hello {name}"

    @strawberry.field
    def member(self, info: Info) -> str:
        return f"{info.root_value.actor_id} {info.context.caller.actor_id}"

    @strawberry.field
    def number(self, value: float) -> float:
        return value

    @strawberry.field
    def thing(self) -> Thing:
        return Thing(name="thing", tags=["a"])

    @strawberry.field
    def things(self, limit: int | None = None, first: int | None = None) -> ThingConnection:
        return ThingConnection(nodes=[], total_count=0)

    @strawberry.field
    def by_ids(self, ids: list[strawberry.ID]) -> list[Thing]:
        return []

    @strawberry.field
    def copies(self, count: int) -> list[Thing]:
        return [Thing(name="copy", tags=[])] * count

    @strawberry.field
    def crash(self) -> str | None:
        raise RuntimeError(SECRET)

    @strawberry.field
    def crash_hard(self) -> str:
        raise RuntimeError(SECRET)

    @strawberry.field
    def bad(self) -> str | None:
        raise BadInput("limit is 0 to 100")

    @strawberry.field
    def forbidden(self) -> str | None:
        raise GraphQLError("not yours", extensions={"code": "FORBIDDEN"})

    @strawberry.field
    async def wait(self, info: Info) -> str:
        return await info.context.wait()


@strawberry.type
class Mutation:
    @strawberry.mutation
    def greet(self) -> str:
        return "hello"

    @strawberry.mutation
    async def wait(self, info: Info) -> str:
        return await info.context.wait()


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> AsyncGenerator[int, None]:
        yield 1


small_api = strawberry.Schema(Query, Mutation, Subscription)
