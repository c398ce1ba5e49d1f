"""Subscriptions while the database is away, or while the caller's operations are refused or stopped."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from http import HTTPStatus

import pytest
from sqlalchemy import text

from mainsheet.models.database import Database
from mainsheet.models.instrumentation import Instrumentation
from mainsheet.models.unavailable import NoConnection
from mainsheet.resolvers.event_filter import EventFilter
from mainsheet.resolvers.subscription import Delivery, Source
from mainsheet.server.errors import Code, RateLimited, RequestError
from mainsheet.server.live import feed_watch, subscriptions
from mainsheet.server.live.feed_watch import FeedWatch
from mainsheet.server.live.subscriptions import Subscriptions
from testbed.ask import Ask
from testbed.world import World, caller
from tests.live.conftest import PATIENCE, Start
from tests.live.test_subscriptions import EVENTS, data, end, rename

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

    async def run(self, delivery: Delivery) -> bytes:
        if self.times:
            self.times -= 1
            raise self.failure
        return str(delivery).encode()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "RETRY_SECONDS", 0)


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
        await results(database, world, after, Away(subscriptions.MOST_TRIES, failure), count=1)


async def test_a_refused_operation_ends_the_subscription(
    database: Database, ask: Ask, world: World, job_id: str
) -> None:
    after = await end(ask, world)
    await rename(ask, world, job_id, "name")

    with pytest.raises(RequestError):
        await results(database, world, after, Away(1, RequestError(HTTPStatus.BAD_REQUEST, "Wrong.")), count=1)


class Failures(Instrumentation):
    def __init__(self) -> None:
        self.next: asyncio.Event = asyncio.Event()

    def failed(self, failure: Exception, path: Sequence[str | int] | None = None) -> None:
        self.next.set()


async def test_the_feed_is_watched_after_an_error_of_its_statement(
    start: Start, database: Database, ask: Ask, world: World, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_watch, "RETRY_SECONDS", 0.01)
    live, failures = await start(feed_poll_seconds=0.01), Failures()
    async with live.socket(world.admin) as socket:
        await socket.subscribe("1", EVENTS, after=await end(ask, world))
        await rename(ask, world, job_id, "first")
        assert (await data(socket))["events"]["job"] == {"name": "first"}
        database.instrumentation.shared.append(failures)
        await execute(database, "ALTER TABLE event RENAME TO away")
        async with asyncio.timeout(PATIENCE):
            await failures.next.wait()
        await execute(database, "ALTER TABLE away RENAME TO event")
        await rename(ask, world, job_id, "second")

        assert (await data(socket))["events"]["job"] == {"name": "second"}


async def execute(database: Database, statement: str) -> None:
    async with database.writes.begin() as connection:
        await connection.execute(text(statement))


async def results(database: Database, world: World, after: str, operation: Away, count: int) -> list[bytes]:
    live = Subscriptions(database, FeedWatch(database, poll_seconds=1))
    source = Source(EventFilter(), after)
    stream = live.results("key", caller(world.admin), source, operation.run)
    async with asyncio.timeout(30), aclosing(stream):
        return [await anext(stream) for _ in range(count)]
