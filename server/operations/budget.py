"""Limits for each caller: concurrent operations, and cost and database time per minute.

An operation starts when it is the caller's turn and neither its budget nor its organization's is in debt. It is charged
its estimated cost then, and refunded the unused part at its end. The time of its statements is charged as measured.
The budgets are kept in memory, so that a request needs no statement for them. Each of several workers has a share.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult, OperationType

from mainsheet.models.database import Database
from mainsheet.models.instrumentation import (
    Instrumentation,
    Instrumented,
    OperationInstrument,
    OperationRecord,
    Refusal,
)
from mainsheet.models.unavailable import NoConnection, Unavailable
from mainsheet.resolvers.caller import Caller
from mainsheet.server.errors import RateLimited, RequestError
from mainsheet.server.operations.admission import Admission
from mainsheet.server.operations.allowance import Account, Allowance
from mainsheet.server.operations.buckets import Clock
from mainsheet.server.operations.debtors import Debtors
from mainsheet.server.operations.fair_queue import Capacity, FairQueue
from mainsheet.server.operations.prices import Price
from mainsheet.server.settings import Settings

# Preparing a document takes as much CPU time as executing operations of this cost.
POINTS_A_CHARACTER = 5
POINTS_OF_INVALID = 5_000  # of a short document; to find the names that were meant takes up to about 10 ms
MUTATION = OperationType.MUTATION.value
SUBSCRIPTION = OperationType.SUBSCRIPTION.value  # each event is delivered, however late
COST_HEADER = "X-Mainsheet-Cost"
POLICY_HEADER = "RateLimit-Policy"
REMAINING_HEADER = "RateLimit"


class Budget:
    who = "You or your organization"

    def __init__(self, settings: Settings, database: Database, clock: Clock = time.monotonic) -> None:
        # The number of concurrent operations is the number of connections for them.
        self.queries = queue_of(settings, database.read_pool.size)
        # On SQLite, mutations queue for the one writer, field by field, so more of them than writers may run.
        self.mutations = queue_of(settings, database.read_pool.size if database.is_sqlite else database.writers)
        self.admissions = {each: Admission(each, settings.queue_seconds) for each in (self.queries, self.mutations)}
        self.wait_seconds = settings.pool_timeout_seconds
        self.instrumentation: Instrumentation = database.instrumentation
        self.points = Allowance.points(settings, clock) if settings.points_per_minute else None
        has_seconds = settings.database_seconds_per_minute > 0
        self.seconds = Allowance.database_seconds(settings, clock) if has_seconds else None
        self.debtors = Debtors(self._find_debt, clock)

    def spending(self, caller: Caller, price: Price, record: OperationRecord) -> "Spending":
        queue = self.mutations if record.type == MUTATION else self.queries
        return Spending(self, caller, price, queue, self.accounts(caller), record)

    def accounts(self, caller: Caller) -> "Accounts":
        return Accounts(
            self.points.account(caller) if self.points else None,
            self.seconds.account(caller) if self.seconds else None,
        )

    def may_spend(self, caller: Caller) -> bool:
        """Return whether no budget of the caller is used up."""
        return all(each.left() > 0 for each in self.accounts(caller).all)

    def refuse_debtor(self, caller: Caller, accounts: "Accounts") -> None:
        """Raise `RateLimited` if a budget of the caller is used up."""
        if debt := self._debt_of(caller, accounts):
            raise debt

    def _find_debt(self, caller: Caller) -> RateLimited | None:
        return self._debt_of(caller, self.accounts(caller))

    def _debt_of(self, caller: Caller, accounts: "Accounts") -> RateLimited | None:
        for each in accounts.all:
            if each.left() <= 0:
                seconds = each.retry_after()
                self.debtors.add(caller, seconds)
                message = f"{self.who} have used up this minute's {each.allowance.unit}."
                return self.refusal(each.allowance.name, message, caller, seconds, self.headers(accounts))
        return None

    def headers(self, accounts: "Accounts") -> dict[str, str]:
        """Return the headers that show what is left of a caller's budgets."""
        if not accounts.all:
            return {}
        policy = ", ".join([each.allowance.policy for each in accounts.all])
        return {POLICY_HEADER: policy, REMAINING_HEADER: ", ".join([each.header() for each in accounts.all])}

    def charge_document(self, caller: Caller, text: str) -> None:
        """Charge the preparation of a new document, valid or not. Raises `RateLimited` if a budget is used up."""
        accounts = self.accounts(caller)
        self.refuse_debtor(caller, accounts)
        if accounts.points:
            accounts.points.charge(POINTS_A_CHARACTER * len(text))

    def charge_invalid(self, caller: Caller) -> None:
        """Charge for a short document that is invalid. Raises `RateLimited` if a budget is used up."""
        accounts = self.accounts(caller)
        self.refuse_debtor(caller, accounts)
        if accounts.points:
            accounts.points.charge(POINTS_OF_INVALID)

    @contextmanager
    def charged(self, caller: Caller) -> Iterator[None]:
        """Charge the statements that run inside, as of no operation. Raises `RateLimited` if a budget is used up."""
        accounts, time_used = self.accounts(caller), DatabaseTime()
        self.refuse_debtor(caller, accounts)
        try:
            with Instrumented(time_used):
                yield
        finally:
            if accounts.seconds:
                accounts.seconds.charge(time_used.seconds)

    @asynccontextmanager
    async def reading(self, caller: Caller) -> AsyncIterator[None]:
        """Wait for the caller's turn to read for subscriptions, and charge it as `charged` does."""
        await self.turn_of_delivery(caller)
        try:
            with self.charged(caller):
                yield
        finally:
            self.queries.leave(caller)

    async def turn_of_delivery(self, caller: Caller, cost: int = 0) -> None:
        """Wait until a slot for queries is the caller's. `queries.leave` must follow.

        What delivers events waits however long and however many there are: the limits of subscriptions limit it.
        """
        if not self.queries.start(caller):
            with self.queued():
                await self.queries.enter(caller, cost, is_limited=False)

    @contextmanager
    def queued(self) -> Iterator[None]:
        """Report an operation that waits inside."""
        begun = time.perf_counter()
        self.instrumentation.queued()
        try:
            yield
        finally:
            self.instrumentation.dequeued(time.perf_counter() - begun)

    def refusal(
        self,
        reason: str,
        message: str,
        caller: Caller,
        retry_after: int = 1,
        headers: Mapping[str, str] | None = None,
    ) -> RateLimited:
        self.instrumentation.refused(self.refused(reason, caller))
        return RateLimited(f"{message} Try again in {retry_after} s.", retry_after, headers)

    def refused(self, reason: str, caller: Caller) -> Refusal:
        return Refusal(reason, member=caller.actor_id, organization=caller.organization_id)

    def waited_too_long(self) -> RequestError | Unavailable:
        """Return the error of an operation that didn't wait for those of its caller."""
        return NoConnection()


class DatabaseTime(OperationInstrument):
    """Adds up the time of statements."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def statement(self, sql: str, seconds: float) -> None:  # noqa: ARG002 as declared
        self.seconds += seconds


class Accounts:
    """A caller's accounts of points and of database time. One without a limit is None."""

    __slots__ = ("all", "points", "seconds")

    def __init__(self, points: Account | None, seconds: Account | None) -> None:
        self.points = points
        self.seconds = seconds
        self.all = [each for each in (points, seconds) if each]


@dataclass(eq=False, slots=True)
class Spending:
    """The resources that one operation uses. Its record adds up the database time."""

    budget: Budget
    caller: Caller
    price: Price
    queue: FairQueue
    accounts: Accounts
    record: OperationRecord
    actual: int | None = None  # until it has returned data

    async def begin(self) -> None:
        """Wait for the caller's turn and charge the estimate. `settled` must follow.

        Raises `RateLimited`, `Overloaded` if it would wait for too long, or `NoConnection` if it did.
        """
        if not self.queue.start(self.caller):
            await self._turn()
        try:
            self.budget.refuse_debtor(self.caller, self.accounts)
        except RateLimited:
            self.queue.leave(self.caller)
            raise
        if self.accounts.points:
            self.accounts.points.charge(self.price.estimate)

    async def _turn(self) -> None:
        self.budget.refuse_debtor(self.caller, self.accounts)
        if self.record.type == SUBSCRIPTION:
            await self.budget.turn_of_delivery(self.caller, self.price.estimate)
            return
        if self.queue.is_full(self.caller):
            raise self.budget.refusal("queue", "Too many of your operations are queued.", self.caller)
        self.budget.admissions[self.queue].check(self.caller)
        try:
            with self.budget.queued():
                async with asyncio.timeout(self.budget.wait_seconds):
                    await self.queue.enter(self.caller, self.price.estimate)
        except TimeoutError:
            if not self.queue.is_at_limit(self.caller):
                raise self.budget.waited_too_long() from None
            message = "Too many operations of yours or your organization are running."
            raise self.budget.refusal("concurrency", message, self.caller) from None

    async def settled(self, operation: Awaitable[ExecutionResult]) -> ExecutionResult:
        """Run an operation and count its database time. An operation that returns no data is charged its estimate."""
        try:
            result = await operation
            if result.data is not None:
                self.actual = await self.price.actual(result)
            return result
        finally:
            self._settle()
            self.queue.leave(self.caller)

    def _settle(self) -> None:
        if self.accounts.points and self.actual is not None:
            self.accounts.points.charge(self.actual - self.price.estimate)
        if self.accounts.seconds:
            self.accounts.seconds.charge(self.record.database_seconds)

    def extensions(self) -> dict[str, Any]:
        """Return the entry `extensions.cost` of the response."""
        return {
            "cost": self.price.estimate,
            "actual": self.actual,
            "databaseMilliseconds": round(self.record.database_seconds * 1000, 3),
            "budget": {each.allowance.key: each.state() for each in self.accounts.all},
        }

    def headers(self) -> dict[str, str]:
        actual = "" if self.actual is None else f", actual={self.actual}"
        cost = f"requested={self.price.estimate}{actual}, database={self.record.database_seconds:.3f}"
        return {COST_HEADER: cost, **self.budget.headers(self.accounts)}


def queue_of(settings: Settings, connections: int) -> FairQueue:
    return FairQueue(
        Capacity.of(
            connections,
            caller=settings.max_operations_per_caller,
            queue=settings.max_queued_per_caller,
            organization_factor=settings.organization_limit_factor,
            organization_share=settings.organization_share,
        )
    )
