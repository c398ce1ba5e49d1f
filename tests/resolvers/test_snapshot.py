"""Snapshots see one state of the database, and always give their connection back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import select, text

from mainsheet.models.database import Database, Patience
from mainsheet.models.member import Member
from mainsheet.models.read_pool import is_lost
from mainsheet.models.team import Team
from mainsheet.models.unavailable import Unavailable
from mainsheet.resolvers.actor import MEMBERS
from mainsheet.resolvers.sql.snapshot import Read, rows_alone
from testbed.world import World, caller
from tests.server.failing import end_connections, stalled

on_a_server = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has none
RENAME = text("UPDATE actor SET name = 'Somebody else' WHERE id = :id")


@pytest.fixture
async def small(database_url: str, database: Database) -> AsyncIterator[Database]:
    """The same database with a pool of two connections."""
    small = Database.open(database_url, pool_size=2)
    yield small
    await small.close()


async def name_of(read: Read, whom: Member) -> str:
    return str((await MEMBERS.by_ids(read, [whom.id]))[whom.id].name)


async def test_a_snapshot_sees_no_later_changes(database: Database, world: World) -> None:
    read = Read.of(database, caller(world.viewer))
    before = await name_of(read, world.viewer)

    async with database.writes.begin() as connection:
        await connection.execute(RENAME, {"id": world.viewer.id})

    assert await name_of(read, world.viewer) == before
    await read.close()
    later = Read.of(database, caller(world.viewer))
    assert await name_of(later, world.viewer) == "Somebody else"
    await later.close()


async def test_a_closed_snapshot_refuses_statements(database: Database, world: World) -> None:
    read = Read.of(database, caller(world.viewer))
    await read.close()

    with pytest.raises(RuntimeError, match="closed"):
        await name_of(read, world.viewer)


async def test_more_snapshots_than_connections_wait_for_each_other(small: Database, world: World) -> None:
    async def read_and_close() -> str:
        read = Read.of(small, caller(world.viewer))
        try:
            return await name_of(read, world.viewer)
        finally:
            await read.close()

    async with asyncio.timeout(20):
        names = await asyncio.gather(*(read_and_close() for _ in range(30)))

    assert set(names) == {world.viewer.name}
    assert len(small.read_pool.idle) <= 2


async def test_an_idle_connection_has_no_open_transaction(small: Database, world: World) -> None:
    read = Read.of(small, caller(world.viewer))
    await name_of(read, world.viewer)
    await read.close()

    driver: Any = small.read_pool.idle[0].driver_connection

    assert not (driver.in_transaction if small.is_sqlite else driver.is_in_transaction())


async def test_a_cancelled_read_leaves_a_working_connection(small: Database, world: World) -> None:
    read = Read.of(small, caller(world.viewer))
    reading = asyncio.create_task(name_of(read, world.viewer))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await read.close()

    for _ in range(3):
        again = Read.of(small, caller(world.viewer))
        assert await name_of(again, world.viewer) == world.viewer.name
        await again.close()


@on_a_server
async def test_a_cancelled_single_statement_leaves_no_transaction(database_url: str, world: World) -> None:
    """Asyncpg prepares a statement in an implicit transaction, which lasts until the statement is executed."""
    alone = Database.open(database_url, pool_size=1)
    for number in range(100):
        statement = select(Team.id).where(text(f"{number} = {number}"))  # each is prepared anew
        reading = asyncio.create_task(rows_alone(alone, lambda _, statement=statement: statement))
        for _ in range(number % 10):
            await asyncio.sleep(0)
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading

        after = Read.of(alone, caller(world.viewer))
        assert await name_of(after, world.viewer) == world.viewer.name
        await after.close()
    await alone.close()


@on_a_server
async def test_a_connection_ended_by_the_server_is_replaced(small: Database, database: Database, world: World) -> None:
    read = Read.of(small, caller(world.viewer))
    await name_of(read, world.viewer)
    await read.close()
    await end_connections(database)
    await _lost(small)

    again = Read.of(small, caller(world.viewer))

    assert await name_of(again, world.viewer) == world.viewer.name
    await again.close()


@on_a_server
async def test_a_read_on_a_lost_connection_is_unavailable(small: Database, database: Database, world: World) -> None:
    for turns in range(100):
        read = Read.of(small, caller(world.viewer))
        ending = asyncio.create_task(end_connections(database))
        for _ in range(turns):
            await asyncio.sleep(0)
        with suppress(Unavailable):
            for _ in range(5):
                await name_of(read, world.viewer)
        await ending
        await read.close()

    await end_connections(database)
    await _lost(small)
    again = Read.of(small, caller(world.viewer))
    assert await name_of(again, world.viewer) == world.viewer.name
    await again.close()


async def test_a_single_statement_opens_no_transaction(database: Database, world: World) -> None:
    read = Read.of(database, caller(world.viewer)).only(None, alone=True)
    await name_of(read, world.viewer)

    async with database.writes.begin() as connection:
        await connection.execute(RENAME, {"id": world.viewer.id})

    assert await name_of(read, world.viewer) == "Somebody else"
    await read.close()


async def test_cancelling_the_return_loses_no_connection(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    alone = Database.open(database_url, pool_size=1)
    connection = await alone.read_pool.take()
    driver = connection.driver_connection

    giving = asyncio.create_task(alone.read_pool.give_back(connection))
    await asyncio.sleep(0)
    giving.cancel()
    await asyncio.wait([giving])

    again = await alone.read_pool.take()
    assert again.driver_connection is driver
    assert caplog.records == []
    await alone.read_pool.give_back(again)
    await alone.close()


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_cancelling_close_during_a_statement_loses_none(
    database_url: str, database: Database, world: World, times: int
) -> None:
    alone = Database.open(database_url, pool_size=1, patience=Patience(connection=5))
    read = Read.of(alone, caller(world.viewer))

    async with stalled(alone, database) as runs:
        reading = asyncio.create_task(name_of(read, world.viewer))
        await runs()
        closing = asyncio.create_task(read.close())
        for _ in range(times):
            await asyncio.sleep(0)
            closing.cancel()
        await asyncio.sleep(0)

    again = await alone.read_pool.take()
    await asyncio.wait([closing])
    assert closing.cancelled()
    assert await reading == world.viewer.name
    await alone.read_pool.give_back(again)
    await alone.close()


async def _lost(database: Database) -> None:
    async with asyncio.timeout(20):
        while not all(map(is_lost, database.read_pool.idle)):  # noqa: ASYNC110 the driver has no event for it
            await asyncio.sleep(0.01)
