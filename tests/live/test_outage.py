"""Subscriptions while the database is away, or while the caller's operations are refused or stopped."""

import asyncio
from contextlib import aclosing
from http import HTTPStatus

import pytest

from mainsheet.models.database import Database
from mainsheet.models.unavailable import NoConnection
from mainsheet.resolvers.event_filter import EventFilter
from mainsheet.resolvers.subscription import Source
from mainsheet.server.errors import Code, RateLimited, RequestError
from mainsheet.server.live import deliveries, group
from mainsheet.server.live.execution import Execution
from mainsheet.server.live.feed_watch import FeedWatch
from mainsheet.server.live.group import Subscription
from mainsheet.server.live.subscriptions import SubscriptionLimits, Subscriptions
from mainsheet.server.operations.budget import Budget
from mainsheet.server.settings import Settings
from testbed.ask import Ask
from testbed.world import World, caller
from tests.live.conftest import PATIENCE
from tests.live.test_subscriptions import end, rename

FAILURES = (
    NoConnection(),
    RateLimited("You have used up this minute's cost.", retry_after=0),
    RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "The operation took too long.", code=Code.TIMEOUT),
)
each_failure = pytest.mark.parametrize("failure", FAILURES, ids=lambda each: type(each).__name__)


class Away:
    """An operation that can't be executed some times."""

    def __init__(self, times: int, failure: Exception) -> None:
        self.times = times
        self.failure = failure

    async def run(self, execution: Execution) -> bytes:
        if self.times:
            self.times -= 1
            raise self.failure
        return execution.event.id.encode()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "RETRY_SECONDS", 0)


@each_failure
async def test_each_event_is_delivered_once_after_an_outage(
    database: Database, ask: Ask, world: World, job_id: str, failure: Exception
) -> None:
    after = await end(ask, world)
    for number in range(3):
        await rename(ask, world, job_id, f"name {number}")

    delivered = await results(database, world, after, Away(5, failure), count=3)

    assert len(set(delivered)) == 3


@each_failure
async def test_a_long_outage_ends_the_subscription(
    database: Database, ask: Ask, world: World, job_id: str, failure: Exception
) -> None:
    after = await end(ask, world)
    await rename(ask, world, job_id, "name")

    with pytest.raises(type(failure)):
        await results(database, world, after, Away(deliveries.MOST_TRIES, failure), count=1)


async def test_a_refused_operation_ends_the_subscription(
    database: Database, ask: Ask, world: World, job_id: str
) -> None:
    after = await end(ask, world)
    await rename(ask, world, job_id, "name")

    with pytest.raises(RequestError):
        await results(database, world, after, Away(1, RequestError(HTTPStatus.BAD_REQUEST, "Wrong.")), count=1)


async def test_a_group_stops_when_all_its_members_were_too_slow(
    database: Database, ask: Ask, world: World, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "MOST_WAITING", 1)
    after = await end(ask, world)
    for number in range(5):
        await rename(ask, world, job_id, f"name {number}")
    delivered: list[str] = []

    async def run(execution: Execution) -> bytes:
        delivered.append(execution.event.id)
        return b""

    live = subscriptions_to(database)
    stream = live.results(Subscription("key", caller(world.admin), Source(EventFilter(), after), run))
    async with asyncio.timeout(PATIENCE), aclosing(stream):
        await anext(stream)
        while live.groups:  # noqa: ASYNC110 nothing is set when a group ends
            await asyncio.sleep(0)

    assert len(delivered) == 2  # one waits, and the next is one too many


def subscriptions_to(database: Database) -> Subscriptions:
    budget = Budget(Settings(), database)
    return Subscriptions(database, FeedWatch(database, poll_seconds=1), budget, SubscriptionLimits.of(Settings()))


async def results(database: Database, world: World, after: str, operation: Away, count: int) -> list[bytes]:
    source = Source(EventFilter(), after)
    stream = subscriptions_to(database).results(Subscription("key", caller(world.admin), source, operation.run))
    async with asyncio.timeout(PATIENCE), aclosing(stream):
        return [await anext(stream) for _ in range(count)]
