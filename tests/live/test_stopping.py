"""WebSocket connections that the server ends, as a rule because its process stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.job import Job
from mainsheet.server.live import subscriptions
from mainsheet.server.live.messages import Close
from mainsheet.server.live.subscriptions import Stopping
from testbed.ask import Ask
from testbed.world import World
from tests.live.conftest import PATIENCE, Live
from tests.live.test_subscriptions import EVENTS, UPDATE, data, end, rename

DONE = {"type": "next", "id": "2", "payload": {"data": {"updateJob": {"userErrors": []}}}}


@asynccontextmanager
async def locked(database: Database) -> AsyncIterator[None]:
    """Keep mutations of jobs waiting inside this context."""
    async with AsyncSession(database.writes) as session, session.begin():
        await session.execute(update(Job).values(updated_at=Job.updated_at))
        yield


async def until_runs(name: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not any(name in each.get_name() for each in asyncio.all_tasks()):  # noqa: ASYNC110 nothing is set
            await asyncio.sleep(0)


async def cancelled(name: str) -> None:
    await until_runs(name)
    for each in asyncio.all_tasks():
        if each.get_name() == name:
            each.cancel()


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Return an event that is set when a subscription is ended because the server is stopping."""
    event = asyncio.Event()

    class Noted(Stopping):
        def __init__(self) -> None:
            super().__init__()
            event.set()

    monkeypatch.setattr(subscriptions, "Stopping", Noted)
    return event


async def test_a_connection_is_closed_after_the_result_of_its_mutation(
    live: Live, ask: Ask, world: World, job_id: str, ended: asyncio.Event
) -> None:
    after = await end(ask, world)
    await rename(ask, world, job_id, "renamed")
    async with live.socket(world.contributor) as socket:
        await socket.subscribe("1", EVENTS, after=after)
        await data(socket)
        async with locked(live.database):
            await socket.subscribe("2", UPDATE, input={"jobId": job_id, "name": "last"})
            await until_runs("updateJob")
            stopping = asyncio.ensure_future(live.stop())
            await ended.wait()

        assert [await socket.receive() for _ in range(2)] == [DONE, {"type": "complete", "id": "2"}]
        assert await socket.code() == Close.RESTARTING
        await stopping


async def test_a_subscription_whose_task_was_cancelled_goes_on(live: Live, ask: Ask, world: World, job_id: str) -> None:
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", EVENTS, after=await end(ask, world))
        await rename(ask, world, job_id, "first")
        await data(socket)
        cancelling = asyncio.create_task(cancelled("subscription"))
        await rename(ask, world, job_id, "second")
        await cancelling
        await rename(ask, world, job_id, "third")

        assert [(await data(socket))["events"]["job"]["name"] for _ in range(2)] == ["third", "third"]
