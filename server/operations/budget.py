"""Limits for each caller: concurrent operations, and cost and database time per minute.

An operation starts when it is the caller's turn and neither its budget nor its organization's is in debt. It is charged
its estimated cost then, and refunded the unused part at its end. The time of its statements is charged as measured.
The budgets are kept in memory, so that a request needs no statement for them. Each of several workers has a share.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from graphql import OperationType

from mainsheet.models.database import Database
from mainsheet.models.instrumentation import Instrumentation, Refusal, instrumented
from mainsheet.models.unavailable import NoConnection
from mainsheet.resolvers.caller import Caller
from mainsheet.server.errors import RateLimited
from mainsheet.server.operations.allowance import Allowance
from mainsheet.server.operations.buckets import Clock
from mainsheet.server.operations.fair_queue import Capacity, FairQueue
from mainsheet.server.operations.prices import Price
from mainsheet.server.settings import Settings

# Preparing a document takes as much CPU time as executing operations of this cost.
POINTS_A_CHARACTER = 5
COST_HEADER = "X-Mainsheet-Cost"
POLICY_HEADER = "RateLimit-Policy"
REMAINING_HEADER = "RateLimit"


class Budget:
    def __init__(self, settings: Settings, database: Database, clock: Clock = time.monotonic) -> None:
        # The number of concurrent operations is the number of connections for them.
        self.queries = _queue(settings, database.read_pool.size)
        # On SQLite, mutations queue for the one writer, field by field, so more of them than writers may run.
        self.mutations = _queue(settings, database.read_pool.size if database.is_sqlite else database.writers)
        self.wait_seconds = settings.pool_timeout_seconds
        self.instrumentation: Instrumentation = database.instrumentation
        self.points = Allowance.points(settings, clock) if settings.points_per_minute else None
        has_seconds = settings.database_seconds_per_minute > 0
        self.database = Allowance.database_seconds(settings, clock) if has_seconds else None
        self.allowances = [each for each in (self.points, self.database) if each]
        self.policy = ", ".join(each.policy for each in self.allowances)

    def queue_for(self, operation: OperationType) -> FairQueue:
        return self.mutations if operation is OperationType.MUTATION else self.queries

    def refuse_debtor(self, caller: Caller) -> None:
        """Raise `RateLimited` if a budget of the caller is used up."""
        for each in self.allowances:
            if each.left(caller) <= 0:
                message = f"You or your organization have used up this minute's {each.unit}."
                raise self.refusal(each.name, message, caller, each.retry_after(caller))

    def charge_document(self, caller: Caller, text: str) -> None:
        """Charge the preparation of a new document, valid or not. Raises `RateLimited` if a budget is used up."""
        self.refuse_debtor(caller)
        if self.points:
            self.points.charge(caller, POINTS_A_CHARACTER * len(text))

    def refusal(self, reason: str, message: str, caller: Caller, retry_after: int = 1) -> RateLimited:
        self.instrumentation.refused(Refusal(reason, member=caller.actor_id, organization=caller.organization_id))
        return RateLimited(f"{message} Try again in {retry_after} s.", retry_after)


@dataclass(eq=False)
class Spending(Instrumentation):
    """The resources that one operation uses. As an instrument of the operation, it adds up the database time."""

    budget: Budget
    caller: Caller
    price: Price
    queue: FairQueue
    actual: int | None = None  # until it has returned data
    database_seconds: float = 0

    async def begin(self) -> None:
        """Wait for the caller's turn and charge the estimate. `running` must follow.

        Raises `RateLimited`, or `NoConnection` if the server is too busy.
        """
        await self._turn()
        try:
            self.budget.refuse_debtor(self.caller)
        except RateLimited:
            self.queue.leave(self.caller)
            raise
        if self.budget.points:
            self.budget.points.charge(self.caller, self.price.estimate)

    async def _turn(self) -> None:
        if self.queue.may_start(self.caller):
            return await self.queue.enter(self.caller)
        self.budget.refuse_debtor(self.caller)
        if self.queue.is_full(self.caller):
            raise self.budget.refusal("queue", "Too many of your operations are queued.", self.caller)
        try:
            with self._queued():
                async with asyncio.timeout(self.budget.wait_seconds):
                    await self.queue.enter(self.caller)
        except TimeoutError:
            if not self.queue.is_at_limit(self.caller):
                raise NoConnection from None
            message = "Too many operations of yours or your organization are running."
            raise self.budget.refusal("concurrency", message, self.caller) from None

    @contextmanager
    def _queued(self) -> Iterator[None]:
        begun = time.perf_counter()
        self.budget.instrumentation.queued()
        try:
            yield
        finally:
            self.budget.instrumentation.dequeued(time.perf_counter() - begun)

    def statement(self, sql: str, seconds: float) -> None:  # noqa: ARG002 as declared
        self.database_seconds += seconds

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the database time of what runs inside, then settle."""
        try:
            with instrumented(self):
                yield
        finally:
            self._settle()
            self.queue.leave(self.caller)

    def _settle(self) -> None:
        if self.budget.points and self.actual is not None:
            self.budget.points.charge(self.caller, self.actual - self.price.estimate)
        if self.budget.database:
            self.budget.database.charge(self.caller, self.database_seconds)

    async def returned(self, data: Any) -> None:
        """Take the actual cost from the data; an operation that returns none is charged its estimate."""
        if data is not None:
            self.actual = await self.price.actual(data)

    def extensions(self) -> dict[str, Any]:
        """Return the entry `extensions.cost` of the response."""
        return {
            "cost": self.price.estimate,
            "actual": self.actual,
            "databaseMilliseconds": round(self.database_seconds * 1000, 3),
            "budget": {each.key: each.state(self.caller) for each in self.budget.allowances},
        }

    def headers(self) -> dict[str, str]:
        actual = "" if self.actual is None else f", actual={self.actual}"
        cost = f"requested={self.price.estimate}{actual}, database={self.database_seconds:.3f}"
        if not self.budget.allowances:
            return {COST_HEADER: cost}
        remaining = ", ".join([each.header(self.caller) for each in self.budget.allowances])
        return {COST_HEADER: cost, POLICY_HEADER: self.budget.policy, REMAINING_HEADER: remaining}


def _queue(settings: Settings, connections: int) -> FairQueue:
    return FairQueue(
        Capacity.of(
            connections,
            caller=settings.max_operations_per_caller,
            queue=settings.max_queued_per_caller,
            organization_factor=settings.organization_limit_factor,
            organization_share=settings.organization_share,
        )
    )
