"""The metric of how long events wait for an older transaction."""

import asyncio

import pytest
from sqlalchemy import text

from mainsheet.models.database import Database
from mainsheet.models.instrumentation import Instrumentation
from mainsheet.server.live.feed_watch import FeedWatch, Reader
from mainsheet.server.observe.metrics import Metrics
from testbed.ask import Ask
from testbed.world import World
from tests.live.conftest import PATIENCE


class Lags(Instrumentation):
    def __init__(self) -> None:
        self.seen: asyncio.Queue[float] = asyncio.Queue()

    def feed_read(self, lag_seconds: float) -> None:
        self.seen.put_nowait(lag_seconds)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_events_wait_until_an_older_transaction_ends(database: Database, world: World) -> None:
    lags, metrics, watch = Lags(), Metrics(), FeedWatch(database, poll_seconds=0.01)
    database.instrumentation.add(lags, metrics)
    watch.add(Reader(world.organization.id))

    async with asyncio.timeout(PATIENCE), watch.running(), database.writes.connect() as older:
        await older.execute(text("SELECT pg_current_xact_id()"))
        assert await lags.seen.get() == 0
        await Ask(database).create_job(world.contributor, world)
        while (held := await lags.seen.get()) == 0:
            pass
        while (longer := await lags.seen.get()) <= held:
            pass
        shown = metrics.registry.get_sample_value("mainsheet_feed_lag_seconds")
        await older.rollback()
        while await lags.seen.get() > 0:
            pass

    assert shown is not None
    assert shown >= longer > held
    assert metrics.registry.get_sample_value("mainsheet_feed_lag_seconds") == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_nothing_waits_when_the_last_subscriber_has_left(database: Database, world: World) -> None:
    lags, watch = Lags(), FeedWatch(database, poll_seconds=0.01)
    database.instrumentation.add(lags)
    reader = watch.add(Reader(world.organization.id))

    async with asyncio.timeout(PATIENCE), watch.running(), database.writes.connect() as older:
        await older.execute(text("SELECT pg_current_xact_id()"))
        await Ask(database).create_job(world.contributor, world)
        while await lags.seen.get() == 0:
            pass
        watch.remove(reader)
        while await lags.seen.get() > 0:
            pass
