"""Work in the background goes on after an unexpected error, which is logged."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import select, text
from structlog.testing import capture_logs

from mainsheet.models.database import Database
from mainsheet.models.job_run import JobRun
from mainsheet.server.live import feed_watch
from mainsheet.server.live.feed_watch import FeedWatch, Reader
from mainsheet.server.process.background import repeated
from mainsheet.server.process.sweeper import sweeping
from testbed.ask import Ask
from testbed.world import World
from tests.api.test_run_commands import claim, expire, triggered

PATIENCE = 30  # seconds


async def test_the_sweeper_goes_on_after_an_unexpected_error(database: Database, world: World) -> None:
    ask = Ask(database)
    await triggered(ask, world, await ask.create_job(world.contributor, world))
    await claim(ask, world)

    async with asyncio.timeout(PATIENCE), asynccontextmanager(sweeping)(database, 0, web.Application()):
        with capture_logs() as logged:
            async with without(database, "run_lease"):
                await until_logged(database, logged, "background task failed")
        await expire(database)
        while await status(database) != "READY":
            pass


async def test_work_is_finished_before_the_server_stops() -> None:
    begun, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await go_on.wait()
        done.set()

    async with asyncio.timeout(PATIENCE), repeated("work", 3600, work):
        await begun.wait()
        asyncio.get_running_loop().call_soon(go_on.set)

    assert done.is_set()


async def test_the_feed_watch_goes_on_after_an_unexpected_error(
    database: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_watch, "RETRY_SECONDS", 0)
    watch = FeedWatch(database, poll_seconds=0)
    grown = asyncio.Event()
    watch.add(Reader(world.organization.id, grown=grown))

    async with asyncio.timeout(PATIENCE), watch.running():
        with capture_logs() as logged:
            async with without(database, "event"):
                await until_logged(database, logged, "feed watch failed")
        await Ask(database).create_job(world.contributor, world)
        await grown.wait()


@asynccontextmanager
async def without(database: Database, table: str) -> AsyncIterator[None]:
    """Take a table away inside this context, so that statements fail in a way that nobody expects."""
    async with database.writes.begin() as connection:
        await connection.execute(text(f"ALTER TABLE {table} RENAME TO away"))
    yield
    async with database.writes.begin() as connection:
        await connection.execute(text(f"ALTER TABLE away RENAME TO {table}"))


async def until_logged(database: Database, logged: Sequence[Any], event: str) -> None:
    while not any(each["event"] == event for each in logged):
        await status(database)


async def status(database: Database) -> str | None:
    async with database.reads.connect() as connection:
        return await connection.scalar(select(JobRun.status))
