"""Subscriptions while the database is away."""

import asyncio
from contextlib import aclosing

import pytest

from mainsheet.models.database import Database
from mainsheet.models.unavailable import NoConnection
from mainsheet.resolvers.event_filter import EventFilter
from mainsheet.resolvers.subscription import Delivery, Source
from mainsheet.server.live import subscriptions
from mainsheet.server.live.feed_watch import FeedWatch
from mainsheet.server.live.subscriptions import Subscriptions
from testbed.ask import Ask
from testbed.world import World, caller
from tests.live.test_subscriptions import end, rename


class Away:
    """An operation that can't be executed some times, as when no connection is free."""

    def __init__(self, times: int) -> None:
        self.times = times

    async def run(self, delivery: Delivery) -> bytes:
        if self.times:
            self.times -= 1
            raise NoConnection
        return str(delivery).encode()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "RETRY_SECONDS", 0)


async def test_each_event_is_delivered_once_after_an_outage(
    database: Database, ask: Ask, world: World, job_id: str
) -> None:
    after = await end(ask, world)
    for number in range(3):
        await rename(ask, world, job_id, f"name {number}")

    delivered = await results(database, world, after, Away(times=5), count=3)

    assert len(set(delivered)) == 3


async def test_a_long_outage_ends_the_subscription(database: Database, ask: Ask, world: World, job_id: str) -> None:
    after = await end(ask, world)
    await rename(ask, world, job_id, "name")

    with pytest.raises(NoConnection):
        await results(database, world, after, Away(times=subscriptions.MOST_TRIES), count=1)


async def results(database: Database, world: World, after: str, operation: Away, count: int) -> list[bytes]:
    live = Subscriptions(database, FeedWatch(database, poll_seconds=1))
    source = Source(EventFilter(), after)
    stream = live.results("key", caller(world.admin), source, operation.run)
    async with asyncio.timeout(30), aclosing(stream):
        return [await anext(stream) for _ in range(count)]
