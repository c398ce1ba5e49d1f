"""A statement fails if the host of its database is cut off, long before TCP gives a silent host up by default."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mainsheet.models.failures import failures_named
from mainsheet.models.unavailable import DatabaseDown
from testbed.databases import connected, opened
from testbed.hosts import Host, hosts
from testbed.postgres import LISTENING, Postgres, own_postgres
from tests.chaos.outside import Outside

PORT = 5432
PATIENCE_SECONDS = 60  # Linux gives up after 15 minutes; if all that was sent is confirmed, after 2 hours
SLEEP = text("SELECT pg_sleep(600)")  # runs until the network is cut, seconds later
IS_ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"


@pytest.fixture
def host() -> Iterator[Host]:
    with hosts(1) as (only,):
        yield only


@pytest.fixture
def server(host: Host) -> Iterator[Postgres]:
    with own_postgres(LISTENING, host.enter_unprivileged) as running:
        yield running


@pytest.fixture
async def connection(host: Host, server: Postgres) -> AsyncIterator[AsyncConnection]:
    """A connection over the network, without a timeout of statements."""
    name = make_url(server.url).database
    url = f"postgresql://postgres@{host.address}:{PORT}/{name}?sslmode=disable"
    async with opened(url) as database, database.reads.connect() as made:
        yield made


async def test_an_answer_that_is_awaited(host: Host, server: Postgres, connection: AsyncConnection) -> None:
    waiting = asyncio.create_task(_executed(connection))
    async with connected(server.url) as watcher:
        await Outside(watcher, watcher).sees(IS_ASLEEP, 1)
    host.cut_off()

    await _fails(waiting)


async def test_a_statement_that_is_sent_afterwards(host: Host, connection: AsyncConnection) -> None:
    host.cut_off()

    await _fails(asyncio.create_task(_executed(connection)))


async def _executed(connection: AsyncConnection) -> None:
    with failures_named():
        await connection.execute(SLEEP)


async def _fails(statement: asyncio.Task[None]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(DatabaseDown):
            await statement
