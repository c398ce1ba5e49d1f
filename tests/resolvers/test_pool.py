"""Connections beside the pool: quick to take, and nobody waits for long who came first."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import PoolProxiedConnection, text

from models.database import Database, Patience
from tests.world import World

ONE = text("SELECT 1")


@pytest.fixture
async def small(database_url: str, world: World) -> AsyncIterator[Database]:
    small = Database.open(database_url, pool_size=2, patience=Patience(connection=10))
    yield small
    await small.close()


async def one_who_waits(small: Database) -> asyncio.Task[PoolProxiedConnection]:
    waiting = asyncio.create_task(small.take())
    while not small.pool.is_waited_for:  # noqa: ASYNC110 it tells nobody
        await asyncio.sleep(0)
    return waiting


async def test_whoever_waits_is_served_before_whoever_comes_later(small: Database) -> None:
    held = [await small.take(), await small.take()]
    waiting = await one_who_waits(small)

    await small.give_back(held[0])
    async with asyncio.timeout(5):
        served = await waiting

    assert small.pool.idle == []
    await small.give_back(held[1])
    await small.give_back(served)


async def test_all_who_wait_are_served_in_turn(small: Database) -> None:
    held = [await small.take(), await small.take()]
    first = await one_who_waits(small)
    served = []

    async def read(number: int) -> None:
        connection = await small.take()
        served.append(number)
        await small.give_back(connection)

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(read(number))
        await small.give_back(held[0])
        await small.give_back(await first)

    assert served == list(range(8))
    await small.give_back(held[1])


async def test_who_comes_without_a_snapshot_gets_what_waits_for_one(small: Database) -> None:
    held = [await small.take(), await small.take()]
    for each in held:
        await small.give_back(each)
    assert len(small.pool.idle) == 2

    async with asyncio.timeout(5), small.reads.connect() as one, small.reads.connect() as other:
        assert await one.scalar(ONE) == await other.scalar(ONE) == 1

    assert small.pool.idle == []


async def test_who_writes_does_not_wait_for_snapshots_that_are_closed(small: Database) -> None:
    held = [await small.take(), await small.take()]
    for each in held:
        await small.give_back(each)

    async with asyncio.timeout(5), small.writes.begin() as connection:
        assert await connection.scalar(ONE) == 1


async def test_who_waits_no_longer_takes_no_connection_along(small: Database) -> None:
    held = [await small.take(), await small.take()]
    waiting = await one_who_waits(small)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert not small.pool.is_waited_for

    for each in held:
        await small.give_back(each)
    async with asyncio.timeout(5):
        again = [await small.take(), await small.take()]

    for each in again:
        await small.give_back(each)


async def test_our_log_has_no_line_of_the_pool(
    database_url: str, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    database = Database.open(database_url)
    await database.give_back(await database.take())
    await database.close()

    assert caplog.messages == []
