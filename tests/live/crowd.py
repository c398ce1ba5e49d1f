"""Subscribers of the real schema without a network, so that a test knows what each one has received."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import orjson
from graphql import parse

from mainsheet.executor import Executor, Prepared, Request, WorkerThread, core_schema
from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.event_filter import NO_FILTER
from mainsheet.resolvers.job_filter import JobFilter
from mainsheet.resolvers.subscription import Source
from mainsheet.schema.api import api
from mainsheet.schema.context import Context
from mainsheet.server.app import compiled_executor
from mainsheet.server.live.execution import Execution
from mainsheet.server.live.feed_watch import FeedWatch
from mainsheet.server.live.group import Group, Subscriber, Subscription
from mainsheet.server.live.stream import shared_result
from mainsheet.server.live.subscriptions import SubscriptionLimits, Subscriptions
from mainsheet.server.operations.budget import Budget
from mainsheet.server.operations.documents import operation_of
from mainsheet.server.settings import Settings
from testbed.world import caller
from tests.live.conftest import PATIENCE

SCHEMA = core_schema(api)


def prepared(query: str) -> Prepared:
    document = parse(query)
    return Prepared(SCHEMA, document, operation_of(document, None))


async def executed(
    database: Database,
    executor: Executor,
    operation: Prepared,
    execution: Execution,
    variables: dict[str, Any] | None = None,
) -> bytes:
    """Execute an operation for an event, and return its encoded result."""
    context = Context(database, execution.caller)
    try:
        request = Request(operation, variables or {}, context, execution.delivery)
        execute = partial(shared_result, executor.execute, execution) if execution.is_shared else executor.execute
        result = await execute(request)
    finally:
        await context.close()
    return orjson.dumps([result.data, [each.formatted for each in result.errors or ()]])


class Received(list[Any]):
    """What a subscriber has received: the root fields' values."""

    def __init__(self) -> None:
        super().__init__()
        self.subscriber = Subscriber(self._receive, lambda: None)

    def _receive(self, result: bytes) -> bool:
        data, errors = orjson.loads(result)
        self.append(next(iter(data.values())) if data else errors)
        return True

    def taken(self) -> list[Any]:
        taken = list(self)
        self.clear()
        return taken


class Crowd:
    """`executions` are those for events since they were last counted. The clock of the budgets stands still."""

    def __init__(self, database: Database, executor: Executor, **settings: Any) -> None:
        self.database, self._executor = database, executor
        chosen = Settings(**settings)
        self.budget = Budget(chosen, database, clock=lambda: 0)
        watch = FeedWatch(database, poll_seconds=1)  # it doesn't run
        self.subscriptions = Subscriptions(database, watch, self.budget, SubscriptionLimits.of(chosen))
        self.executions: list[Execution] = []
        self._operations: dict[str, Prepared] = {}
        self._received: list[Received] = []

    def subscribe(self, query: str, *callers: Member | Caller, of_jobs: bool = True) -> list[Received]:
        source = Source(NO_FILTER, None, JobFilter() if of_jobs else None)
        operation = self._operations.setdefault(query, prepared(query))

        async def run(execution: Execution) -> bytes:
            return await self.run(operation, execution)

        found = [Received() for _ in callers]
        for received, each in zip(found, callers, strict=True):
            who = each if isinstance(each, Caller) else caller(each)
            key = (query, who.organization_role, who.scopes)
            self.subscriptions.join(Subscription(key, who, source, run), received.subscriber)
        self._received += found
        return found

    async def run(self, operation: Prepared, execution: Execution) -> bytes:
        self.executions.append(execution)
        self.budget.refuse_debtor(execution.caller, self.budget.accounts(execution.caller))
        return await executed(self.database, self._executor, operation, execution)

    def count(self) -> int:
        """Return the number of executions since the last call."""
        count = len(self.executions)
        self.executions.clear()
        return count

    async def settled(self) -> None:
        """Let all groups read all events."""
        await read_all(*{each.subscriber.group for each in self._received if each.subscriber.group})


async def read_all(*groups: Group) -> None:
    """Let the groups read all events, each with as many tasks as it needs."""
    for each in groups:
        each.set()
    async with asyncio.timeout(PATIENCE):
        while running := [each.task for each in groups if each.task and not each.task.done()]:
            await asyncio.wait(running)


@asynccontextmanager
async def crowd_of(database: Database, **settings: Any) -> AsyncIterator[Crowd]:
    worker = WorkerThread()
    crowd = Crowd(database, compiled_executor(Settings(), api, lambda _: None, worker), **settings)
    try:
        yield crowd
    finally:
        worker.close()
