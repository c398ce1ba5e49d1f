"""The pool of read connections: first in, first out, and no connection is lost."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import PoolProxiedConnection, make_url, text

from mainsheet.models.database import Database, Patience
from mainsheet.models.read_pool import ReadPool
from mainsheet.models.unavailable import NoConnection

SIZE = 2
ONE = text("SELECT 1")


@pytest.fixture
async def small(database_url: str) -> AsyncIterator[Database]:
    small = Database.open(database_url, pool_size=SIZE + 1, patience=Patience(connection=10))
    yield small
    await small.close()


@pytest.fixture
def pool(small: Database) -> ReadPool:
    return small.read_pool


async def take_all(pool: ReadPool) -> list[PoolProxiedConnection]:
    return [await pool.take() for _ in range(SIZE)]


async def give_back_all(pool: ReadPool, connections: list[PoolProxiedConnection]) -> None:
    for connection in connections:
        await pool.give_back(connection)


async def waiter(pool: ReadPool) -> asyncio.Task[PoolProxiedConnection]:
    waiting = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    assert pool.waiting == 1
    return waiting


async def test_a_waiting_request_is_served_before_a_later_one(pool: ReadPool) -> None:
    held = await take_all(pool)
    waiting = await waiter(pool)

    await pool.give_back(held[0])
    later = asyncio.create_task(pool.take())
    async with asyncio.timeout(5):
        served = await waiting

    assert not later.done()
    await give_back_all(pool, [held[1], served])
    await pool.give_back(await later)


async def test_requests_are_served_first_in_first_out(pool: ReadPool) -> None:
    held = await take_all(pool)
    first = await waiter(pool)
    served = []

    async def read(number: int) -> None:
        connection = await pool.take()
        served.append(number)
        await pool.give_back(connection)

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(read(number))
        await pool.give_back(held[0])
        await pool.give_back(await first)

    assert served == list(range(8))
    await pool.give_back(held[1])


async def test_a_returned_connection_is_lent_again(pool: ReadPool) -> None:
    first = await pool.take()
    driver = first.driver_connection
    await pool.give_back(first)

    again = await pool.take()

    assert again.driver_connection is driver
    await pool.give_back(again)


async def test_an_unsound_connection_is_replaced(pool: ReadPool) -> None:
    first = await pool.take()
    driver = first.driver_connection
    await pool.give_back(first, is_sound=False)

    held = await take_all(pool)

    assert driver not in [each.driver_connection for each in held]
    await give_back_all(pool, held)


async def test_waiting_too_long_raises_no_connection(database_url: str) -> None:
    database = Database.open(database_url, pool_size=SIZE + 1, patience=Patience(connection=0.05))
    held = await take_all(database.read_pool)

    with pytest.raises(NoConnection):
        await database.read_pool.take()

    await give_back_all(database.read_pool, held)
    await database.close()


async def test_a_cancelled_waiter_takes_no_connection(pool: ReadPool) -> None:
    held = await take_all(pool)
    waiting = await waiter(pool)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert pool.waiting == 0

    await give_back_all(pool, held)
    async with asyncio.timeout(5):
        again = await take_all(pool)

    await give_back_all(pool, again)


async def test_a_failed_connect_takes_no_connection(postgres_url: str) -> None:
    nowhere = Database.open(_renamed(postgres_url, "missing"), pool_size=SIZE + 1)

    for _ in range(SIZE + 1):  # one more than the pool has
        with pytest.raises(Exception, match='database "missing" does not exist'):
            await nowhere.read_pool.take()

    await nowhere.close()


async def test_writers_use_no_reader_connections(small: Database) -> None:
    held = await take_all(small.read_pool)

    async with asyncio.timeout(5), small.writes.begin() as write, small.reads.connect() as command:
        assert await write.scalar(ONE) == await command.scalar(ONE) == 1

    await give_back_all(small.read_pool, held)


async def test_sqlalchemys_pool_writes_nothing_to_our_log(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    database = Database.open(database_url)
    await database.read_pool.give_back(await database.read_pool.take())
    async with database.writes.begin() as connection:
        await connection.execute(ONE)
    await database.close()

    assert caplog.messages == []


def _renamed(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)
